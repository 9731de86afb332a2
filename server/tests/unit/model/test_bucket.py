from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.make import NOON

from clamp_server.model.bucket import (
    Offset,
    bucket_dates,
    offsets,
    usual_granularity,
)
from clamp_server.model.period import Period, decode_period

BERLIN = ZoneInfo("Europe/Berlin")


def period(text: str, zone: ZoneInfo = BERLIN) -> Period:
    return decode_period(text, zone, NOON)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", "hour"),
        ("yesterday", "hour"),
        ("2d", "hour"),
        ("2026-03-28:2026-03-29", "hour"),
        ("3d", "day"),
        ("90d", "day"),
        ("2026-01-01:2026-03-31", "day"),
        ("91d", "week"),
        ("365d", "week"),
        ("2024-01-01:2024-12-31", "month"),
    ],
)
def test_a_longer_period_is_cut_into_longer_buckets(text: str, expected: str) -> None:
    assert usual_granularity(period(text), BERLIN) == expected


def test_a_day_of_a_clock_change_has_23_or_25_hours() -> None:
    days = ("2026-03-29:2026-03-29", "2026-10-25:2026-10-25")

    assert [len(bucket_dates(period(day), "hour", BERLIN)) for day in days] == [23, 25]


def test_hours_are_those_of_utc() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")

    dates = bucket_dates(period("today", kolkata), "hour", kolkata)

    assert (dates[0], dates[-1], len(dates)) == (
        "2026-03-09T18:00:00Z",
        "2026-03-10T12:00:00Z",
        19,
    )


def test_days_weeks_and_months_begin_where_calendars_say() -> None:
    days = period("2026-02-27:2026-03-02")

    assert [bucket_dates(days, name, BERLIN) for name in ("day", "week", "month")] == [
        ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"],
        ["2026-02-23", "2026-03-02"],
        ["2026-02-01", "2026-03-01"],
    ]


@pytest.mark.parametrize(
    "zone", ["UTC", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_offsets_give_every_instant_its_local_time(zone: str) -> None:
    place = ZoneInfo(zone)
    year = period("2025-06-01:2026-05-31", place)
    found = offsets(year, place)

    at = year.start
    while at < year.end:
        seconds = next(offset.seconds for offset in found if at < offset.end)
        local = at.astimezone(place).replace(tzinfo=UTC)
        assert at + timedelta(seconds=seconds) == local
        at += timedelta(minutes=15)


def test_a_change_of_clocks_is_found_to_the_second() -> None:
    spring = period("2026-03-28:2026-03-30")

    assert offsets(spring, BERLIN) == [
        Offset(datetime(2026, 3, 29, 1, tzinfo=UTC), 3600),
        Offset(spring.end, 7200),
    ]
