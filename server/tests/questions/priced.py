"""Events about money, for the tests of several questions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.make import NOON, event

from clamp_server.model.event import EnrichedEvent, Properties
from clamp_server.model.money import Money


def paid(
    amount: str,
    currency: str = "USD",
    name: str = "$purchase",
    at: datetime = NOON,
    **changes: Any,
) -> EnrichedEvent:
    """Make an event with a `total`; other keys are text properties or attributes."""
    texts: dict[str, str] = {
        key: changes.pop(key) for key in ("plan", "product") if key in changes
    }
    delta = changes.pop("mrr_delta", None)
    properties = Properties(
        strings=texts,
        numbers={} if delta is None else {"mrr_delta": delta},
        money={"total": Money(Decimal(amount), currency)},
    )
    return event(name, at, properties=properties, **changes)


def agreed(mrr_delta: float, at: datetime = NOON, **changes: Any) -> EnrichedEvent:
    """Make a change of MRR that no money goes with, such as a cancellation."""
    plan = changes.pop("plan", "pro")
    properties = Properties(strings={"plan": plan}, numbers={"mrr_delta": mrr_delta})
    name = changes.pop("name", "$subscription_canceled")
    return event(name, at, properties=properties, **changes)
