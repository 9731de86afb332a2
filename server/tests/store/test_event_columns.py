from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.make import NOON, event

from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.model.money import Money
from clamp_server.store.event_columns import event_columns
from clamp_server.store.schema import EVENTS

# Every attribute has another value, so that no two can be mixed up.
EVERYTHING = event(
    "$error",
    NOON,
    id="id-1",
    sent_by="browser",
    received_at=NOON + timedelta(seconds=1),
    anonymous_id="anon",
    user_id="user",
    session_id="session",
    screen_width=1920,
    screen_height=1080,
    language="en-GB",
    platform="web",
    page=Page(
        url="https://shop.example/a",
        hostname="shop.example",
        pathname="/a",
        utm_source="source",
        utm_medium="medium",
        utm_campaign="campaign",
        utm_content="content",
        utm_term="term",
    ),
    arrival=Arrival(
        referrer="https://search.example/",
        referrer_host="search.example",
        channel="organic_search",
    ),
    device=Device(
        browser="Firefox",
        browser_version="140",
        os="Linux",
        os_version="6",
        device_type="desktop",
    ),
    place=Place(country="DE", region="Berlin", city="Berlin-Mitte"),
    properties=Properties(
        strings={"plan": "pro"},
        numbers={"seats": 5.0},
        booleans={"trial": True},
        money={"total": Money(Decimal("29.10"), "USD")},
    ),
    bug=Bug(
        message="message",
        type="ValueError",
        stack="stack",
        handled=True,
        fingerprint="0123456789abcdef",
        fingerprint_version=1,
        fingerprint_parts="parts",
    ),
)


def row(one: EnrichedEvent) -> dict[str, object]:
    return {name: cells[0] for name, cells in event_columns([one], [7]).items()}


def test_every_attribute_goes_to_the_column_of_its_name() -> None:
    assert row(EVERYTHING) == {
        "project_id": "proj_shop",
        "seq": 7,
        "id": "id-1",
        "name": "$error",
        "sent_by": "browser",
        "occurred_at": NOON,
        "received_at": NOON + timedelta(seconds=1),
        "anonymous_id": "anon",
        "user_id": "user",
        "session_id": "session",
        "url": "https://shop.example/a",
        "hostname": "shop.example",
        "pathname": "/a",
        "utm_source": "source",
        "utm_medium": "medium",
        "utm_campaign": "campaign",
        "utm_content": "content",
        "utm_term": "term",
        "referrer": "https://search.example/",
        "referrer_host": "search.example",
        "channel": "organic_search",
        "browser": "Firefox",
        "browser_version": "140",
        "os": "Linux",
        "os_version": "6",
        "device_type": "desktop",
        "country": "DE",
        "region": "Berlin",
        "city": "Berlin-Mitte",
        "screen_width": 1920,
        "screen_height": 1080,
        "language": "en-GB",
        "platform": "web",
        "strings": {"plan": "pro"},
        "numbers": {"seats": 5.0},
        "booleans": {"trial": True},
        "money_amounts": {"total": Decimal("29.10")},
        "money_currencies": {"total": "USD"},
        "error_message": "message",
        "error_type": "ValueError",
        "error_stack": "stack",
        "error_handled": True,
        "error_fingerprint": "0123456789abcdef",
        "error_fingerprint_version": 1,
        "error_fingerprint_parts": "parts",
    }


def test_the_columns_are_those_of_the_table_in_its_order() -> None:
    columns = event_columns([event(), event()], [1, 2])

    assert list(columns) == [column.name for column in EVENTS]
    assert {len(cells) for cells in columns.values()} == {2}
