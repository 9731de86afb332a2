"""Stretches of time that a question is about.

Days are calendar days in the project's time zone, so a day may have 23, 24 or
25 hours. A period is half-open in UTC. One that ends now (`today`, `7d`) ends
with the current millisecond included: an event that was acknowledged before the
question was asked is in the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ALLOWED_PERIODS = (
    "today, yesterday, 1d to 365d,"
    " or YYYY-MM-DD:YYYY-MM-DD of at most 366 days, the first day first"
)
MOST_RANGE_DAYS = 366
# Inside what both stores can hold as an instant, the period before included.
FIRST_YEAR, LAST_YEAR = 1970, 2199

_LAST_DAYS = re.compile(r"([1-9][0-9]{0,2})d")
_RANGE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}):([0-9]{4}-[0-9]{2}-[0-9]{2})")
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open stretch of time.

    Attributes:
        text: As it was asked for, such as `30d`; answers repeat it.
        start: First instant, UTC.
        end: First instant after it, UTC.
    """

    text: str
    start: datetime
    end: datetime

    @property
    def previous_start(self) -> datetime:
        """Start of the period of equal length right before, which ends at `start`."""
        return self.start - (self.end - self.start)


def decode_period(text: str, time_zone: ZoneInfo, now: datetime) -> Period:
    """Read a period as the API writes it.

    Args:
        time_zone: Whose midnights part the days.
        now: The current instant, aware.

    Raises:
        ValueError: Says what is allowed.

    >>> noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    >>> decode_period("yesterday", ZoneInfo("UTC"), noon).start.isoformat()
    '2026-03-09T00:00:00+00:00'
    """
    today = now.astimezone(time_zone).date()
    if text == "yesterday":
        return _days(text, today - _DAY, today - _DAY, time_zone)
    if text == "today":
        return _until_now(text, 1, time_zone, now)
    if (last_days := _LAST_DAYS.fullmatch(text)) and int(last_days[1]) <= 365:
        return _until_now(text, int(last_days[1]), time_zone, now)
    if between := _RANGE.fullmatch(text):
        return _days(text, _date(between[1]), _date(between[2]), time_zone)
    raise ValueError(_refusal(text))


def last_minutes(minutes: int, now: datetime) -> Period:
    """Return the period of so many minutes that ends now."""
    end = _after(now)
    return Period(f"{minutes}m", end - timedelta(minutes=minutes), end)


def _until_now(text: str, days: int, time_zone: ZoneInfo, now: datetime) -> Period:
    first = now.astimezone(time_zone).date() - (days - 1) * _DAY
    return Period(text, midnight(first, time_zone), _after(now))


def _after(now: datetime) -> datetime:
    """Return the first whole millisecond after `now`, in UTC."""
    end = now.astimezone(UTC) + _MILLISECOND
    return end.replace(microsecond=end.microsecond // 1000 * 1000)


def _days(text: str, first: date, last: date, time_zone: ZoneInfo) -> Period:
    if not 0 <= (last - first).days < MOST_RANGE_DAYS:
        raise ValueError(_refusal(text))
    return Period(text, midnight(first, time_zone), midnight(last + _DAY, time_zone))


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"there is no day {text}") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{text} is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return day


def midnight(day: date, time_zone: ZoneInfo) -> datetime:
    """Return the first instant of a day of a time zone, in UTC."""
    # Where clocks jump over midnight (Cairo) or strike it twice (Havana),
    # fold=0 gives the day's first instant in both cases.
    return datetime.combine(day, time.min, time_zone).astimezone(UTC)


def _refusal(text: str) -> str:
    return f"must be {ALLOWED_PERIODS}; got {text[:50]!r}"
