from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.conftest import FilledStore
from tests.make import NOON, TODAY, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Bug, EnrichedEvent
from clamp_server.model.project import Project
from clamp_server.questions.error_timeline import errors_timeline

HOUR = timedelta(hours=1)


def error(at: datetime, fingerprint: str = "aa") -> EnrichedEvent:
    return event("$error", at, bug=Bug(fingerprint=fingerprint))


def timeline(store: FilledStore, query: str = "", **changes: Any) -> Any:
    return answer(store, errors_timeline, query, **changes)


def series(
    store: FilledStore, query: str = "", **changes: Any
) -> list[tuple[str, int]]:
    found = timeline(store, query, **changes)["series"]
    return [(row["bucket"], row["count"]) for row in found]


def test_an_empty_project_has_an_empty_series(store: FilledStore) -> None:
    store.add(event(), view("ann"))

    assert timeline(store) == {
        "period": "30d",
        "interval": "day",
        "fingerprint": None,
        "series": [],
    }


def test_hours_without_errors_are_left_out(store: FilledStore) -> None:
    store.add(
        error(NOON),
        error(NOON - timedelta(milliseconds=1)),
        error(NOON - HOUR),
        error(NOON - 5 * HOUR, "bb"),
        error(TODAY - timedelta(milliseconds=1)),
    )

    assert timeline(store, "period=today") == {
        "period": "today",
        "interval": "hour",
        "fingerprint": None,
        "series": [
            {"bucket": "2026-03-10T07:00:00.000Z", "count": 1},
            {"bucket": "2026-03-10T11:00:00.000Z", "count": 2},
            {"bucket": "2026-03-10T12:00:00.000Z", "count": 1},
        ],
    }


def test_one_bug_is_counted_by_its_fingerprint(store: FilledStore) -> None:
    store.add(error(NOON), error(NOON, "bb"), error(TODAY - HOUR, "bb"))

    assert timeline(store, "fingerprint=bb&interval=day&period=2d") == {
        "period": "2d",
        "interval": "day",
        "fingerprint": "bb",
        "series": [
            {"bucket": "2026-03-09T00:00:00.000Z", "count": 1},
            {"bucket": "2026-03-10T00:00:00.000Z", "count": 1},
        ],
    }


@pytest.mark.parametrize(
    ("period", "interval"),
    [
        ("1d", "hour"),
        ("7d", "hour"),
        ("8d", "day"),
        ("2026-03-01:2026-03-07", "hour"),
        ("2026-03-01:2026-03-08", "day"),
    ],
)
def test_a_week_is_cut_into_hours_and_more_into_days(
    store: FilledStore, period: str, interval: str
) -> None:
    assert timeline(store, f"period={period}")["interval"] == interval


def test_the_interval_that_is_asked_for_wins(store: FilledStore) -> None:
    store.add(error(NOON))

    assert series(store, "interval=hour&period=90d") == [
        ("2026-03-10T12:00:00.000Z", 1)
    ]


def test_days_are_those_of_the_project_on_both_sides_of_a_clock_change(
    store: FilledStore,
) -> None:
    # The clocks of Berlin go forward on 29 March 2026.
    berlin = Project(id=SHOP.id, name="", created_at=TODAY, time_zone="Europe/Berlin")
    midnights = [
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    ]
    just_before = error(midnights[1] - timedelta(milliseconds=1))
    store.add(*map(error, midnights), just_before)

    asked = "period=2026-03-20:2026-03-30"

    assert series(store, asked, project=berlin) == [
        ("2026-03-28T23:00:00.000Z", 2),
        ("2026-03-29T22:00:00.000Z", 1),
    ]


def test_bots_count_as_they_do_in_every_question_about_errors(
    store: FilledStore,
) -> None:
    crawled = error(NOON)
    store.add(
        replace(crawled, device=replace(crawled.device, device_type="bot")),
    )

    assert series(store, "period=1d") == [("2026-03-10T12:00:00.000Z", 1)]


def test_an_unknown_interval_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        errors_timeline.read_params({"interval": "week"}, SHOP, NOON)

    assert refused.value.message == "interval: must be hour, day; got 'week'"
