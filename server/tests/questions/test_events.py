from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, PROJECT, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.dimension import DIMENSIONS
from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project
from clamp_server.questions.events import events_list

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BERLIN = Project(id=PROJECT, name="Shop", created_at=TODAY, time_zone="Europe/Berlin")


def counts(store: FilledStore, query: str = "", **how: Any) -> Any:
    return answer(store, events_list, query, **how)


def with_plan(plan: str, **changes: Any) -> EnrichedEvent:
    return event(properties=Properties(strings={"plan": plan}), **changes)


def test_an_empty_project_has_no_events(store: FilledStore) -> None:
    assert [
        counts(store),
        counts(store, "name=signup"),
        counts(store, "compare=true"),
    ] == [[], [], []]


def test_custom_events_are_counted_with_their_visitors(store: FilledStore) -> None:
    store.add(event("signup", anonymous_id="ann"), event("signup", anonymous_id="ben"))
    store.add(event("login", anonymous_id="ann"), event("login", anonymous_id="ann"))
    store.add(event("login"), view("ann"))

    assert counts(store) == [
        {"name": "login", "count": 3, "visitors": 1},
        {"name": "signup", "count": 2, "visitors": 2},
    ]


def test_equal_counts_are_in_order_of_name(store: FilledStore) -> None:
    store.add(*(event(name) for name in ("b", "ä", "a", "B", "日本", "Z", "🛒")))

    assert [row["name"] for row in counts(store)] == [
        "B",
        "Z",
        "a",
        "b",
        "ä",
        "日本",
        "🛒",
    ]


def test_a_limit_keeps_the_most_frequent(store: FilledStore) -> None:
    store.add(*(event(f"e{n:02}") for n in range(60) for _ in range(n)))

    assert [
        [row["name"] for row in counts(store, "limit=2")],
        len(counts(store)),
        len(counts(store, "limit=50")),
    ] == [["e59", "e58"], 10, 50]


def test_one_name_is_counted_alone_also_of_the_system(store: FilledStore) -> None:
    store.add(event("signup"), view("ann"), view("ben"))

    assert [
        counts(store, "name=$pageview"),
        counts(store, "name=signup&compare=true"),
        counts(store, "name=Signup"),
    ] == [[{"name": "$pageview", "count": 2}], [{"name": "signup", "count": 1}], []]


def test_only_the_period_is_counted(store: FilledStore) -> None:
    store.add(event("first", TODAY), event("last", NOON))
    store.add(event("early", TODAY - HOUR), event("late", NOON + HOUR))

    assert [row["name"] for row in counts(store, "period=today")] == ["first", "last"]


def test_a_day_is_half_open_to_the_millisecond(store: FilledStore) -> None:
    millisecond = timedelta(milliseconds=1)
    store.add(event("start", TODAY), event("end", TODAY + DAY - millisecond))
    store.add(event("before", TODAY - millisecond), event("after", TODAY + DAY))

    found = counts(store, "period=2026-03-10:2026-03-10", now=NOON + 9 * DAY)

    assert [row["name"] for row in found] == ["end", "start"]


def test_a_day_of_a_clock_change_is_that_of_the_project(store: FilledStore) -> None:
    # In Berlin, 2026-03-29 lasts from 23:00 to 22:00 UTC.
    store.add(event("before", datetime(2026, 3, 28, 22, 59, tzinfo=UTC)))
    store.add(event("first", datetime(2026, 3, 28, 23, tzinfo=UTC)))
    store.add(event("last", datetime(2026, 3, 29, 21, 59, tzinfo=UTC)))
    store.add(event("after", datetime(2026, 3, 29, 22, tzinfo=UTC)))

    found = counts(store, "period=2026-03-29:2026-03-29", project=BERLIN)

    assert [row["name"] for row in found] == ["first", "last"]


def test_other_projects_are_never_counted(store: FilledStore) -> None:
    store.add(event(), event(project_id=ProjectId("proj_other")))

    assert counts(store) == [{"name": "signup", "count": 1, "visitors": 0}]


def test_the_previous_period_is_compared_name_by_name(store: FilledStore) -> None:
    yesterday, before = TODAY - HOUR, TODAY - 14 * HOUR
    store.add(event("both", anonymous_id="a"), event("both", anonymous_id="b"))
    store.add(event("both", yesterday, anonymous_id="c"), event("new"))
    store.add(event("gone", yesterday, anonymous_id="d"), event("gone", yesterday))
    store.add(event("too early", before), event("$error", yesterday))

    # `today` is twelve hours old: the period before it are the twelve before.
    assert counts(store, "period=today&compare=true") == [
        {
            "name": "both",
            "count": 2,
            "visitors": 2,
            "prev_count": 1,
            "prev_visitors": 1,
        },
        {"name": "new", "count": 1, "visitors": 0, "prev_count": 0, "prev_visitors": 0},
        {
            "name": "gone",
            "count": 0,
            "visitors": 0,
            "prev_count": 2,
            "prev_visitors": 1,
        },
    ]


def test_the_oldest_period_can_be_compared(store: FilledStore) -> None:
    assert counts(store, "period=1970-01-01:1970-12-31&compare=true") == []


def test_a_property_filter_tells_types_apart(store: FilledStore) -> None:
    store.add(event("text", properties=Properties(strings={"seats": "5"})))
    store.add(event("number", properties=Properties(numbers={"seats": 5.0})))
    store.add(event("yes", properties=Properties(booleans={"seats": True})))
    store.add(event("no", properties=Properties(booleans={"seats": False})))
    store.add(event("none"))

    assert [
        [row["name"] for row in counts(store, f"property=seats&{query}")]
        for query in (
            "value=5",
            "value=5&value_type=string",
            "value=5.00&value_type=number",
            "value=true&value_type=boolean",
            "value=false&value_type=boolean",
            "value=true",
            "value=0&value_type=number",
        )
    ] == [["text"], ["text"], ["number"], ["yes"], ["no"], [], []]


def test_an_empty_value_matches_only_an_empty_property(store: FilledStore) -> None:
    store.add(with_plan(""), event("without"))

    assert counts(store, "property=plan&value=") == [
        {"name": "signup", "count": 1, "visitors": 0}
    ]


def test_a_property_filter_narrows_one_name(store: FilledStore) -> None:
    store.add(with_plan("pro"), with_plan("free"), with_plan("pro", name="login"))

    assert counts(store, "name=signup&property=plan&value=pro") == [
        {"name": "signup", "count": 1}
    ]


def test_groups_are_the_values_of_a_property(store: FilledStore) -> None:
    store.add(with_plan("pro"), with_plan("pro"), with_plan("free"), with_plan("ünï"))
    store.add(with_plan(""), event(), with_plan("pro", name="login"))

    assert counts(store, "name=signup&group_by=plan") == [
        {"name": "signup", "count": 2, "group_value": "pro"},
        {"name": "signup", "count": 1, "group_value": ""},
        {"name": "signup", "count": 1, "group_value": "free"},
        {"name": "signup", "count": 1, "group_value": "ünï"},
    ]


def test_groups_without_a_name_are_of_every_custom_event(store: FilledStore) -> None:
    store.add(with_plan("pro"), with_plan("pro", name="login"))
    store.add(with_plan("pro", name="$purchase"))

    assert counts(store, "group_by=plan&compare=true") == [
        {"name": "login", "count": 1, "group_value": "pro"},
        {"name": "signup", "count": 1, "group_value": "pro"},
    ]


def test_groups_of_numbers_read_as_they_were_written(store: FilledStore) -> None:
    numbers = (5.0, 5.5, -0.0, 0.0, 1e300, 123_456_789_012.0, 0.1)
    store.add(*(event(properties=Properties(numbers={"n": n})) for n in numbers))

    found = counts(store, "name=signup&group_by=n&group_by_type=number")

    assert [(row["group_value"], row["count"]) for row in found] == [
        ("0", 2),
        ("0.1", 1),
        ("5", 1),
        ("5.5", 1),
        ("123456789012", 1),
        ("1e+300", 1),
    ]


def test_groups_of_booleans_are_words(store: FilledStore) -> None:
    for value in (True, True, False):
        store.add(event(properties=Properties(booleans={"trial": value})))

    assert counts(store, "name=signup&group_by=trial&group_by_type=boolean") == [
        {"name": "signup", "count": 2, "group_value": "true"},
        {"name": "signup", "count": 1, "group_value": "false"},
    ]


def test_groups_and_filters_of_properties_go_together(store: FilledStore) -> None:
    store.add(with_plan("pro"), with_plan("free"))

    assert counts(store, "name=signup&group_by=plan&property=plan&value=free") == [
        {"name": "signup", "count": 1, "group_value": "free"}
    ]


def test_properties_of_an_error_can_be_asked_for(store: FilledStore) -> None:
    store.add(event("$error", bug=Bug(type="KeyError", message="'x'", handled=True)))
    store.add(event("$error", bug=Bug(type="ValueError")))
    # Anyone's own event may carry such a key as well.
    store.add(
        event("failed", properties=Properties(strings={"error.type": "KeyError"}))
    )
    store.add(event("seen", properties=Properties(booleans={"error.handled": True})))

    assert [
        counts(store, "name=$error&group_by=error.type"),
        counts(store, "name=$error&group_by=error.message"),
        counts(store, "name=$error&group_by=error.handled&group_by_type=boolean"),
        counts(store, "property=error.type&value=KeyError"),
        counts(store, "property=error.handled&value=true&value_type=boolean"),
    ] == [
        [
            {"name": "$error", "count": 1, "group_value": "KeyError"},
            {"name": "$error", "count": 1, "group_value": "ValueError"},
        ],
        [{"name": "$error", "count": 1, "group_value": "'x'"}],
        [
            {"name": "$error", "count": 1, "group_value": "false"},
            {"name": "$error", "count": 1, "group_value": "true"},
        ],
        [{"name": "failed", "count": 1, "visitors": 0}],
        [{"name": "seen", "count": 1, "visitors": 0}],
    ]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_filter_matches_exactly(store: FilledStore, dimension: str) -> None:
    store.add(from_everywhere("same", "é x"), from_everywhere("longer", "é xy"))
    store.add(from_everywhere("none", ""))

    assert [row["name"] for row in counts(store, f"{dimension}=é x")] == ["same"]


def from_everywhere(name: str, value: Any) -> EnrichedEvent:
    """Make an event with `value` in each column that can be filtered by."""
    return event(
        name,
        page=Page(
            pathname=value,
            utm_source=value,
            utm_medium=value,
            utm_campaign=value,
            utm_content=value,
            utm_term=value,
        ),
        arrival=Arrival(referrer_host=value, channel=value),
        device=Device(
            browser=value,
            browser_version=value,
            os=value,
            os_version=value,
            device_type=value,
        ),
        place=Place(country=value, region=value, city=value),
    )


def test_filters_hold_together_and_empty_ones_not_at_all(store: FilledStore) -> None:
    german = Place(country="DE", city="Berlin")
    store.add(event("both", place=german, device=Device(os="Linux")))
    store.add(event("one", place=german))

    assert [
        [row["name"] for row in counts(store, query)]
        for query in ("country=DE&os=Linux", "country=DE&os=", "country=FR")
    ] == [["both"], ["both", "one"], []]


def test_a_server_event_passes_the_filters_of_its_session(store: FilledStore) -> None:
    german = Place(country="DE")
    store.add(event("bought", anonymous_id="ann"), event("bought", anonymous_id="ben"))
    store.add(view("ann", NOON - HOUR, place=german), view("ben", NOON - HOUR))

    assert [counts(store, "country=DE"), counts(store, "name=bought&country=FR")] == [
        [{"name": "bought", "count": 1, "visitors": 1}],
        [],
    ]


def test_a_comparison_finds_the_sessions_of_both_periods(store: FilledStore) -> None:
    yesterday = TODAY - HOUR
    for session, at in (("ann", NOON), ("ben", yesterday)):
        store.add(event("bought", at, anonymous_id=session), view(session, at))

    found = counts(store, "period=today&compare=true&browser=Firefox")

    assert [(row["count"], row["prev_count"]) for row in found] == [(1, 1)]


def test_what_bots_sent_is_counted_and_can_be_told_apart(store: FilledStore) -> None:
    bot = Device(device_type="bot")
    store.add(event("signup", device=bot, anonymous_id="crawler"), event("signup"))

    assert [counts(store), counts(store, "device_type=bot")] == [
        [{"name": "signup", "count": 2, "visitors": 1}],
        [{"name": "signup", "count": 1, "visitors": 1}],
    ]


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE events; --", "\\", "a\0b", "$name", "%"]
)
def test_any_text_is_only_a_value(store: FilledStore, text: str) -> None:
    store.add(event(text, properties=Properties(strings={text: text})))
    store.add(event("other"))
    query = {"name": text, "property": text, "value": text, "group_by": text}

    params = events_list.read_params(query, SHOP, NOON)

    rows = store.rows(events_list.select(params, store.dialect))
    assert rows == [{"name": text, "group_value": text, "count": 1}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("property=plan", "value: missing; property needs it"),
        ("value=pro", "property: missing; value needs it"),
        (
            "value_type=money",
            "value_type: must be string, number, boolean; got 'money'",
        ),
        (
            "group_by_type=text",
            "group_by_type: must be string, number, boolean; got 'text'",
        ),
        ("compare=yes", "compare: must be true, false; got 'yes'"),
        (
            "property=n&value=five&value_type=number",
            "value: must be a finite number with value_type=number; got 'five'",
        ),
        (
            "property=n&value=inf&value_type=number",
            "value: must be a finite number with value_type=number; got 'inf'",
        ),
        (
            "property=n&value=&value_type=number",
            "value: must be a finite number with value_type=number; got ''",
        ),
        (
            "property=n&value=1_0&value_type=number",
            "value: must be a finite number with value_type=number; got '1_0'",
        ),
        (
            "property=n&value=1e999&value_type=number",
            "value: must be a finite number with value_type=number; got '1e999'",
        ),
        (
            "property=n&value=1&value_type=boolean",
            "value: must be true or false with value_type=boolean; got '1'",
        ),
    ],
)
def test_a_bad_value_is_refused_by_name(query: str, message: str) -> None:
    given = dict(pair.split("=") for pair in query.split("&"))

    with pytest.raises(InvalidRequestError) as refused:
        events_list.read_params(given, SHOP, NOON)

    assert refused.value.message == message
