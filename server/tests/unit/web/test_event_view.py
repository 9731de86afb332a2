from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.make import NOON

from clamp_server.model.event import Properties
from clamp_server.model.money import Money
from clamp_server.questions.live import SeenEvent
from clamp_server.web.event_view import HUES, Chip, EventView, chips, event_view

BERLIN = ZoneInfo("Europe/Berlin")


def seen(**changes: Any) -> SeenEvent:
    """An event with nothing but a name and a time; `changes` say the rest."""
    plain: dict[str, Any] = dict.fromkeys(SeenEvent.__slots__, "")
    known: dict[str, Any] = {
        "seq": 7,
        "name": "signup",
        "sent_by": "server",
        "occurred_at": NOON,
        "received_at": NOON,
        "properties": Properties(),
        "error_handled": False,
    }
    return SeenEvent(**plain | known | changes)


EVERY_TYPE = Properties(
    strings={"plan": "pro"},
    numbers={"seats": 3.0},
    booleans={"gift": True, "trial": False},
    money={"total": Money(Decimal("29"), "USD")},
)


def test_a_bare_event_is_a_name_and_a_time_on_the_projects_clocks() -> None:
    assert event_view(seen(), BERLIN) == EventView(
        seq=7,
        kind="plain",
        name="signup",
        time="13:00:00",
        received_at=NOON,
        chips=[],
        chips_left=0,
        happened="",
        where="",
        visitor="",
        hue=0,
        origin="server",
        is_bot=False,
        is_unhandled=False,
        properties=[],
        context=[
            ("happened", "2026-03-10 13:00:00.000 CET"),
            ("arrived", "2026-03-10 13:00:00.000 CET"),
        ],
    )


def test_a_page_view_says_where_and_who() -> None:
    view = event_view(
        seen(
            name="$pageview",
            sent_by="browser",
            anonymous_id="aid_1",
            session_id="sid_1",
            url="https://shop.example/beans",
            pathname="/beans",
            referrer_host="google.com",
            channel="organic_search",
            browser="Firefox",
            browser_version="128.0",
            os="Linux",
            device_type="desktop",
            country="CH",
            id="e1",
        ),
        BERLIN,
    )

    assert (view.kind, view.where, view.visitor, view.origin) == (
        "page",
        "/beans",
        "aid_1",
        "Firefox · CH",
    )
    assert view.context == [
        ("visitor", "aid_1"),
        ("session", "sid_1"),
        ("url", "https://shop.example/beans"),
        ("from", "google.com · organic_search"),
        ("device", "Firefox 128.0 · Linux · desktop"),
        ("country", "CH"),
        ("happened", "2026-03-10 13:00:00.000 CET"),
        ("arrived", "2026-03-10 13:00:00.000 CET"),
        ("id", "e1"),
    ]


def test_each_type_of_property_is_told_apart_and_money_comes_first() -> None:
    assert chips(EVERY_TYPE) == [
        Chip("total", "USD 29.00", "money"),
        Chip("plan", "pro", "string"),
        Chip("seats", "3", "number"),
        Chip("gift", "true", "boolean"),
        Chip("trial", "false", "boolean"),
    ]


def test_a_line_shows_four_properties_and_counts_the_rest() -> None:
    view = event_view(seen(properties=EVERY_TYPE), BERLIN)

    assert (view.chips, view.chips_left) == (view.properties[:4], 1)


def test_a_long_value_is_cut_in_the_line_and_whole_below_it() -> None:
    long = Properties(strings={"k" * 128: "v" * 512})

    view = event_view(seen(properties=long), BERLIN)

    assert view.chips == [Chip("k" * 39 + "…", "v" * 39 + "…", "string")]
    assert view.properties == [Chip("k" * 128, "v" * 512, "string")]


@pytest.mark.parametrize(
    ("changes", "kind", "is_unhandled"),
    [
        ({"name": "$error"}, "error", True),
        ({"name": "$error", "error_handled": True}, "error", False),
        ({"name": "$pageview_end"}, "page", False),
        ({"name": "purchase", "properties": EVERY_TYPE}, "money", False),
        ({"name": "$identify"}, "plain", False),
    ],
)
def test_what_kind_of_event_it_is(
    changes: dict[str, Any], kind: str, is_unhandled: bool
) -> None:
    view = event_view(seen(**changes), BERLIN)

    assert (view.kind, view.is_unhandled) == (kind, is_unhandled)


@pytest.mark.parametrize(
    ("type_", "message", "where"),
    [
        ("KeyError", "'plan'", "KeyError: 'plan'"),
        ("KeyError", "", "KeyError"),
        ("", "gone", "gone"),
        ("", "", ""),
    ],
)
def test_an_error_says_what_went_wrong(type_: str, message: str, where: str) -> None:
    error = seen(
        name="$error", error_type=type_, error_message=message, pathname="/pay"
    )

    assert event_view(error, BERLIN).where == where


def test_a_user_is_named_rather_than_a_visitor() -> None:
    view = event_view(seen(user_id="usr_1", anonymous_id="aid_1"), BERLIN)

    assert view.visitor == "usr_1"


def test_a_visitor_keeps_one_colour() -> None:
    hues = [
        event_view(seen(anonymous_id=f"aid_{n}"), BERLIN).hue for n in [*range(99), 0]
    ]

    assert hues[0] == hues[-1]
    assert set(hues) == set(range(HUES))


def test_an_event_of_long_ago_says_when_it_happened() -> None:
    late = seen(occurred_at=datetime(2026, 3, 3, 8, 5, tzinfo=UTC))
    ahead = seen(occurred_at=NOON + timedelta(hours=3))
    on_its_way = seen(occurred_at=NOON - timedelta(seconds=119))

    assert [event_view(e, BERLIN).happened for e in (late, ahead, on_its_way)] == [
        "Mar 3, 09:05",
        "Mar 10, 16:00",
        "",
    ]


def test_a_bot_is_marked() -> None:
    assert event_view(seen(device_type="bot"), BERLIN).is_bot
