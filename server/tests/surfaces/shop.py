"""A day of a small shop, as events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from tests.make import NOON, event, view

from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Place,
    Properties,
)
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money

STACK = """Traceback (most recent call last):
  File "/srv/shop/checkout.py", line 88, in pay
    charge(order, took_ms)
  File "/srv/shop/billing.py", line 31, in charge
    raise PaymentDeclinedError(f"order {order} declined")
shop.billing.PaymentDeclinedError: order 20417 declined
"""
FINGERPRINT = "0123456789abcdef"
BOT = Device(browser="Googlebot", device_type="bot")
LAPTOP = Device(
    browser="Firefox",
    browser_version="128.0",
    os="macOS",
    os_version="14.5",
    device_type="desktop",
)


def failure(at: datetime = NOON, **changes: object) -> EnrichedEvent:
    """A payment that was declined, and caught."""
    known: dict[str, object] = {
        "message": "order 20417 declined",
        "type": "PaymentDeclinedError",
        "stack": STACK,
        "handled": True,
        "fingerprint": FINGERPRINT,
        "fingerprint_version": 1,
        "fingerprint_parts": "order <n> declined\nshop/billing.py:charge",
    }
    return event(
        "$error",
        at,
        anonymous_id="aid_5f0c2e",
        properties=Properties(strings={"area": "checkout"}),
        bug=Bug(**(known | changes)),  # type: ignore[arg-type]  # kept loose for tests
    )


def sale(at: datetime = NOON, amount: str = "29.00") -> EnrichedEvent:
    """A subscription that was paid."""
    properties = Properties(
        strings={"plan": "pro"},
        numbers={"seats": 3.0},
        booleans={"gift": False},
        money={"total": Money(Decimal(amount), "USD")},
    )
    return event("purchase", at, anonymous_id="aid_5f0c2e", properties=properties)


def shop_day(last_at: datetime = NOON) -> Iterator[EnrichedEvent]:
    """200 events up to `last_at`, oldest first, of every kind that there is."""
    for n in range(40):
        at = last_at - timedelta(minutes=20 * (39 - n))
        visitor = f"aid_{n * 2654435761 % 2**32:08x}"
        yield view(
            visitor,
            at,
            "/beans/yirgacheffe",
            arrival=Arrival(
                referrer="https://www.google.com/",
                referrer_host="google.com",
                channel="organic_search",
            ),
            place=Place(country="CH"),
            device=BOT if n % 10 == 9 else LAPTOP,
        )
        yield view(visitor, at, "/pricing", place=Place(country="CH"))
        yield event(
            "signup",
            at,
            anonymous_id=visitor,
            properties=Properties(
                strings={"plan": "pro", "method": "email"}, booleans={"invited": True}
            ),
        )
        yield sale(at)
        yield failure(at)


def of_project(
    project_id: ProjectId, events: Iterable[EnrichedEvent]
) -> list[EnrichedEvent]:
    """The same events, of another project than `tests.make.PROJECT`."""
    return [msgspec.structs.replace(e, project_id=project_id) for e in events]
