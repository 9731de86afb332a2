from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_server.model.period import Period, decode_period, last_minutes

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 10, 12, 30, 15, 123_456, tzinfo=UTC)
AFTER_NOW = datetime(2026, 3, 10, 12, 30, 15, 124_000, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", at("2026-03-10"), AFTER_NOW),
        ("1d", at("2026-03-10"), AFTER_NOW),
        ("7d", at("2026-03-04"), AFTER_NOW),
        ("365d", at("2025-03-11"), AFTER_NOW),
        ("yesterday", at("2026-03-09"), at("2026-03-10")),
        ("2026-03-01:2026-03-01", at("2026-03-01"), at("2026-03-02")),
        ("2024-01-01:2024-12-31", at("2024-01-01"), at("2025-01-01")),
        ("1970-01-01:1970-01-01", at("1970-01-01"), at("1970-01-02")),
        ("2199-12-31:2199-12-31", at("2199-12-31"), at("2200-01-01")),
    ],
)
def test_every_form_is_read(text: str, start: datetime, end: datetime) -> None:
    assert decode_period(text, UTC_ZONE, NOW) == Period(text, start, end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0d",
        "366d",
        "400d",
        "1000d",
        "-1d",
        "07d",
        "7D",
        " 7d",
        "7d\n",
        "\u0667d",
        "7",
        "d",
        "1w",
        "tomorrow",
        "Today",
        "2026-03-01",
        "2026-03-01:",
        "2026-03-02:2026-03-01",
        "2025-01-01:2026-01-02",
        "2026-3-1:2026-3-2",
        "20260301:20260302",
        "2026-03-01:2026-03-02:2026-03-03",
        "2026-03-01 : 2026-03-02",
    ],
)
def test_a_refusal_says_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="must be") as refused:
        decode_period(text, UTC_ZONE, NOW)

    assert str(refused.value) == (
        "must be today, yesterday, 1d to 365d, or YYYY-MM-DD:YYYY-MM-DD of at most"
        f" 366 days, the first day first; got {text!r}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-02-29:2026-03-01", "there is no day 2026-02-29"),
        ("2026-02-01:2026-02-30", "there is no day 2026-02-30"),
        ("0000-01-01:0000-01-02", "there is no day 0000-01-01"),
        ("0001-01-01:0001-01-02", "0001-01-01 is outside the years 1970 to 2199"),
        ("2199-12-31:2200-01-01", "2200-01-01 is outside the years 1970 to 2199"),
    ],
)
def test_a_day_that_cannot_be_asked_for_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message + "$"):
        decode_period(text, UTC_ZONE, NOW)


def test_a_long_refused_text_is_cut() -> None:
    with pytest.raises(ValueError, match=r"got 'x{50}'$"):
        decode_period("x" * 9_000, UTC_ZONE, NOW)


def test_days_are_those_of_the_time_zone() -> None:
    just_after_midnight_there = at("2026-03-09T23:30:00")

    assert decode_period("yesterday", BERLIN, just_after_midnight_there) == Period(
        "yesterday", at("2026-03-08T23:00:00"), at("2026-03-09T23:00:00")
    )


@pytest.mark.parametrize(
    ("time_zone", "day", "start", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00", 25),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00", 23),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00:00", 25),
        # Clocks go from 23:59 to 01:00: the day has no midnight.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00", 23),
        # Clocks go from 00:59 to 00:00: the day has two.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00", 25),
        # By half an hour, and on the other side of the world.
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00", 24.5),
        # A day that an island left out.
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00", 0),
    ],
)
def test_a_day_of_a_clock_change_is_as_long_as_it_was(
    time_zone: str, day: str, start: str, hours: float
) -> None:
    text = f"{day}:{day}"

    assert decode_period(text, ZoneInfo(time_zone), NOW) == Period(
        text, at(start), at(start) + timedelta(hours=hours)
    )


def test_days_until_now_begin_at_midnight_before_a_clock_change() -> None:
    monday_after = at("2026-03-30T10:00:00")

    assert decode_period("3d", BERLIN, monday_after) == Period(
        "3d", at("2026-03-27T23:00:00"), monday_after + timedelta(milliseconds=1)
    )


def test_the_current_millisecond_is_inside() -> None:
    assert last_minutes(5, NOW) == Period(
        "5m", AFTER_NOW - timedelta(minutes=5), AFTER_NOW
    )


def test_now_may_be_told_in_any_time_zone() -> None:
    assert decode_period("7d", BERLIN, NOW.astimezone(NEW_YORK)) == decode_period(
        "7d", BERLIN, NOW
    )


def test_the_previous_period_is_as_long_and_ends_where_this_one_starts() -> None:
    week = decode_period("2026-03-02:2026-03-08", UTC_ZONE, NOW)

    assert week.previous_start == at("2026-02-23")


@given(
    first=st.dates(date(1970, 1, 1), date(2198, 12, 31)),
    days=st.integers(1, 366),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_ranges_that_follow_one_another_leave_no_gap(
    first: date, days: int, time_zone: str
) -> None:
    zone = ZoneInfo(time_zone)
    last = first + timedelta(days=days - 1)
    after = last + timedelta(days=1)

    here = decode_period(f"{first}:{last}", zone, NOW)
    there = decode_period(f"{after}:{after}", zone, NOW)

    assert (here.end, here.end > here.start) == (there.start, True)
