from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.dimension import DIMENSIONS
from clamp_server.model.event import (
    Arrival,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.model.ids import ProjectId
from clamp_server.questions.compare import compare
from clamp_server.questions.overview import overview

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


def totals(store: FilledStore, query: str = "period=today") -> Any:
    """Return pageviews, visitors, sessions, bounce_rate and avg_duration."""
    found = answer(store, overview, query)
    return [*found.values()][:5]


def left(session: str, at: datetime, **strings: str) -> EnrichedEvent:
    """Make the event with which a browser leaves a page."""
    viewed = view(session, at, properties=Properties(strings=strings))
    return replace(viewed, name="$pageview_end")


def test_an_empty_project_has_no_traffic(store: FilledStore) -> None:
    nothing = {"previous": 0, "change": "0%"}

    assert answer(store, overview) == {
        "pageviews": 0,
        "visitors": 0,
        "sessions": 0,
        "bounce_rate": 0.0,
        "avg_duration": 0,
        "comparison": {
            "pageviews": nothing,
            "visitors": nothing,
            "sessions": nothing,
            "bounce_rate": nothing,
        },
    }


def test_the_first_minutes_of_a_day_stand_beside_as_many_before(
    store: FilledStore,
) -> None:
    store.add(
        view("ann", TODAY + 5 * MINUTE),
        view("ben", TODAY - 11 * MINUTE),
        view("ben", TODAY - 9 * MINUTE),
    )

    found = answer(store, overview, "period=today", now=TODAY + 10 * MINUTE)

    same = {"previous": 1, "change": "0%"}
    assert found == {
        "pageviews": 1,
        "visitors": 1,
        "sessions": 1,
        "bounce_rate": 100.0,
        "avg_duration": 0,
        "comparison": {
            "pageviews": same,
            "visitors": same,
            "sessions": same,
            "bounce_rate": {"previous": 0.0, "change": "New"},
        },
    }


def test_totals_stand_beside_those_of_the_period_before(store: FilledStore) -> None:
    store.add(view("ann", NOON - MINUTE, "/"), view("ann", NOON, "/cart"))
    store.add(view("ben"), event("signup", anonymous_id="cleo"))
    store.add(view("ann2", TODAY - 2 * MINUTE, anonymous_id="ann"))

    assert answer(store, overview, "period=today") == {
        "pageviews": 3,
        "visitors": 3,
        "sessions": 2,
        "bounce_rate": 50.0,
        "avg_duration": 30,
        "comparison": {
            "pageviews": {"previous": 1, "change": "+200.0%"},
            "visitors": {"previous": 1, "change": "+200.0%"},
            "sessions": {"previous": 1, "change": "+100.0%"},
            "bounce_rate": {"previous": 100.0, "change": "-50.0%"},
        },
    }


def test_one_event_is_a_bounce_of_no_time(store: FilledStore) -> None:
    store.add(view("ann"))

    assert totals(store) == [1, 1, 1, 100.0, 0]


def test_a_session_without_a_page_view_is_no_bounce(store: FilledStore) -> None:
    store.add(event("signup", sent_by="browser", session_id="s"), view("ann"))

    assert totals(store) == [1, 1, 2, 50.0, 0]


@pytest.mark.parametrize(
    ("engaged", "expected"),
    [
        (["7"], 60),
        (["61"], 61),
        (["40", "40"], 80),
        (["-99", "99.9", "", "1e9", " 99", "9999999999"], 60),
    ],
)
def test_a_session_lasts_to_its_last_event_or_as_long_as_it_was_looked_at(
    store: FilledStore, engaged: list[str], expected: int
) -> None:
    ends = [left("ann", NOON, engagement_seconds=text) for text in engaged]
    store.add(view("ann", NOON - MINUTE), *ends)

    assert totals(store)[4] == expected


def test_a_session_over_midnight_counts_on_both_days_as_a_whole(
    store: FilledStore,
) -> None:
    store.add(view("ann", TODAY - 30 * SECOND), view("ann", TODAY + 30 * SECOND))

    assert [totals(store, f"period={day}") for day in ("today", "yesterday", "2d")] == [
        [1, 1, 1, 0.0, 60],
        [1, 1, 1, 0.0, 60],
        [2, 1, 1, 0.0, 60],
    ]


def test_bots_are_left_out_unless_they_are_asked_for(store: FilledStore) -> None:
    bot = Device(device_type="bot")
    store.add(view("crawler", NOON - SECOND, device=bot), view("ann"))
    # What a server tells of a bot's visit, and of a person's.
    store.add(event("signup", anonymous_id="crawler"))
    store.add(event("signup", anonymous_id="ann"), event("signup", anonymous_id="x"))

    assert [totals(store), totals(store, "period=today&device_type=bot")] == [
        [1, 2, 1, 100.0, 0],
        [1, 1, 1, 100.0, 0],
    ]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_each_filter_holds_for_events_and_for_sessions(
    store: FilledStore, dimension: str
) -> None:
    names = {d: d for d in DIMENSIONS} | {"channel": "email", "device_type": "tablet"}

    def of(part: type[Any]) -> Any:
        fields = set(part.__struct_fields__) & set(DIMENSIONS)
        return part(**{name: names[name] for name in fields})

    parts = {"page": of(Page), "arrival": of(Arrival), "device": of(Device)}
    store.add(view("ann", NOON - MINUTE, place=of(Place), **parts), view("ann"))
    store.add(view("ben", NOON - MINUTE), view("ben", place=of(Place), **parts))
    # Of a visitor whose session has the value.
    store.add(event("signup", anonymous_id="ann"))

    # Ben's session began with another value: his page view counts, it does not.
    assert [
        totals(store, f"period=today&{dimension}={names[dimension]}"),
        totals(store, f"period=today&{dimension}=other"),
    ] == [[2, 2, 1, 0.0, 60], [0, 0, 0, 0.0, 0]]


def test_other_projects_have_their_own_traffic(store: FilledStore) -> None:
    store.add(view("ann", project_id=ProjectId("proj_other")))

    assert totals(store) == [0, 0, 0, 0.0, 0]


def test_two_periods_are_compared(store: FilledStore) -> None:
    store.add(view("ann"), view("ben"), view("ben"))
    store.add(*(view(f"v{n}", TODAY - MINUTE) for n in range(4)))

    def compared(metric: str, a: str = "today", b: str = "yesterday") -> Any:
        return answer(store, compare, f"metric={metric}&a={a}&b={b}")

    assert compared("visitors") == {
        "metric": "visitors",
        "a": {"period": "today", "value": 2},
        "b": {"period": "yesterday", "value": 4},
        "absolute_delta": -2,
        "pct_delta": "-50.0%",
    }
    assert [
        [found["a"]["value"], found["b"]["value"], found["absolute_delta"]]
        for found in (
            compared("bounce_rate"),
            compared("pageviews", "2d", "today"),
            compared("sessions", "2026-03-10:2026-03-10", "2025-01-01:2025-01-01"),
        )
    ] == [[50.0, 100.0, -50.0], [7, 3, 4], [2, 0, 2]]


PERIODS = (
    "today, yesterday, 1d to 365d, or YYYY-MM-DD:YYYY-MM-DD of at most 366 days,"
    " the first day first"
)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"a": "7d", "b": "7d"},
            "metric: must be pageviews, visitors, sessions, bounce_rate,"
            " avg_duration; got ''",
        ),
        ({"metric": "visitors", "b": "7d"}, f"a: must be {PERIODS}; got ''"),
        (
            {"metric": "visitors", "a": "7d", "b": "400d"},
            f"b: must be {PERIODS}; got '400d'",
        ),
    ],
)
def test_a_comparison_needs_a_metric_and_two_periods(
    query: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        compare.read_params(query, SHOP, NOON)

    assert refused.value.message == message
