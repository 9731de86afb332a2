from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Place, Properties
from clamp_server.questions.timeseries import timeseries

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def points(store: FilledStore, query: str, zone: str = "UTC", **asked: Any) -> Any:
    """Return the points that are not 0, as pairs, and how many there are."""
    project = replace(SHOP, time_zone=zone)
    found = answer(store, timeseries, query, project=project, **asked)
    return [(p["date"], p["count"]) for p in found if p["count"]], len(found)


def test_every_bucket_is_there_when_nothing_is(store: FilledStore) -> None:
    assert answer(store, timeseries, "period=3d") == [
        {"date": "2026-03-08", "count": 0},
        {"date": "2026-03-09", "count": 0},
        {"date": "2026-03-10", "count": 0},
    ]


def test_page_views_are_counted_by_default(store: FilledStore) -> None:
    store.add(view("ann"), view("ann", NOON - HOUR), view("ben", TODAY - MINUTE))
    store.add(event("signup"))

    assert [
        points(store, query)
        for query in ("period=3d", "period=today", "metric=pageviews")
    ] == [
        ([("2026-03-09", 1), ("2026-03-10", 2)], 3),
        ([("2026-03-10T11:00:00Z", 1), ("2026-03-10T12:00:00Z", 1)], 13),
        ([("2026-03-09", 1), ("2026-03-10", 2)], 30),
    ]


@pytest.mark.parametrize(
    ("metric", "before"), [("pageviews", 2), ("visitors", 1), ("sessions", 1)]
)
def test_clocks_may_change_within_a_quarter_of_an_hour(
    store: FilledStore, metric: str, before: int
) -> None:
    # At 00:01 of 7 November 2010 it was 23:01 of the day before again.
    changed = datetime(2010, 11, 7, 2, 31, tzinfo=UTC)
    store.add(*(view("ann", changed + n * MINUTE) for n in (-0.5, 0, 1)))

    found = points(
        store,
        f"period=2010-11-06:2010-11-08&metric={metric}&granularity=day",
        zone="America/St_Johns",
    )

    assert found == ([("2010-11-06", before), ("2010-11-07", 1)], 3)


def test_a_session_may_leave_a_day_and_come_back_to_it(store: FilledStore) -> None:
    # At 02:00 of 5 March 2010 it was 23:00 of the day before again.
    changed = datetime(2010, 3, 4, 15, tzinfo=UTC)
    # Three at a time are joined. The last one to come knows where the others are.
    for hours in ((-2.5, 0.5), (-0.5,)):
        store.add(*(view("ann", changed + n * HOUR) for n in hours))
        store.add(view("ben"), view("ben"))

    found = points(
        store,
        "period=2010-03-03:2010-03-06&metric=sessions&granularity=day",
        zone="Antarctica/Casey",
    )

    assert found == ([("2010-03-04", 1), ("2010-03-05", 1)], 4)


def test_each_metric_has_its_figure_a_bucket(store: FilledStore) -> None:
    store.add(view("ann", TODAY - MINUTE), view("ann", TODAY), view("ben"))

    assert [
        points(store, f"period=2d&granularity=day&metric={metric}")[0]
        for metric in ("visitors", "sessions", "bounce_rate", "avg_duration")
    ] == [
        [("2026-03-09", 1), ("2026-03-10", 2)],
        [("2026-03-09", 1), ("2026-03-10", 2)],
        [("2026-03-10", 50.0)],
        [("2026-03-09", 60), ("2026-03-10", 30)],
    ]


def test_an_event_can_be_counted_by_a_property(store: FilledStore) -> None:
    pro, empty = Properties(strings={"plan": "pro"}), Properties(strings={"plan": ""})
    store.add(event(properties=pro), event(properties=empty), event(), view("ann"))

    assert [
        points(store, f"period=3d&event={asked}")[0]
        for asked in (
            "signup",
            "signup&property=plan&value=pro",
            "signup&property=plan&value=",
            "login",
        )
    ] == [[("2026-03-10", 3)], [("2026-03-10", 1)], [("2026-03-10", 1)], []]


def test_filters_narrow_the_figures(store: FilledStore) -> None:
    store.add(view("ann", place=Place(country="DE")), view("ben"))

    assert [
        points(store, f"period=3d&country=DE&metric={metric}")[0]
        for metric in ("pageviews", "sessions")
    ] == [[("2026-03-10", 1)]] * 2


def test_weeks_begin_on_monday_and_months_on_the_first(store: FilledStore) -> None:
    store.add(view("ann"), view("ben", TODAY - 2 * DAY), view("cleo", TODAY - 20 * DAY))

    assert [
        points(store, f"period=30d&granularity={name}") for name in ("week", "month")
    ] == [
        ([("2026-02-16", 1), ("2026-03-02", 1), ("2026-03-09", 1)], 5),
        ([("2026-02-01", 1), ("2026-03-01", 2)], 2),
    ]


@pytest.mark.parametrize("metric", ["pageviews", "sessions"])
@pytest.mark.parametrize(
    ("change", "days"),
    [
        # Clocks go forward on 29 March and back on 25 October, at 1:00 in UTC.
        (datetime(2026, 3, 29, 1, tzinfo=UTC), (23, 22)),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), (22, 23)),
    ],
)
def test_a_day_ends_at_midnight_there_before_and_after_a_clock_change(
    store: FilledStore, metric: str, change: datetime, days: tuple[int, int]
) -> None:
    before, after = days
    first = change.replace(hour=before) - DAY
    last = change.replace(hour=after)
    second = timedelta(seconds=1)
    instants = (first - second, first, change - second, change, last - second, last)
    store.add(*(view(f"v{n}", at) for n, at in enumerate(instants)))
    day = change.date()

    found, _ = points(
        store,
        f"period={day - DAY}:{day + DAY}&metric={metric}",
        "Europe/Berlin",
    )

    assert found == [(str(day - DAY), 1), (str(day), 4), (str(day + DAY), 1)]


def test_both_changes_of_a_year_are_in_one_answer(store: FilledStore) -> None:
    store.add(*(view("ann", datetime(2026, m, 1, 22, 30, tzinfo=UTC)) for m in (1, 7)))
    store.add(view("ann", datetime(2026, 12, 1, 23, 30, tzinfo=UTC)))

    found, count = points(
        store, "period=2026-01-01:2026-12-31&granularity=day", "Europe/Berlin"
    )

    assert (found, count) == (
        [("2026-01-01", 1), ("2026-07-02", 1), ("2026-12-02", 1)],
        365,
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"metric": "bounces"},
            "metric: must be pageviews, visitors, sessions, bounce_rate,"
            " avg_duration; got 'bounces'",
        ),
        (
            {"granularity": "minute"},
            "granularity: must be hour, day, week, month; got 'minute'",
        ),
        (
            {"metric": "visitors", "event": "signup"},
            "event: cannot be together with metric; leave one out",
        ),
        ({"property": "plan"}, "value: missing; property needs it"),
        ({"value": "pro"}, "property: missing; value needs it"),
    ],
)
def test_a_bad_value_is_refused_by_name(query: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        timeseries.read_params(query, SHOP, NOON)

    assert refused.value.message == message
