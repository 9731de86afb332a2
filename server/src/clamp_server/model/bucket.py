"""A period cut into hours, days, weeks or months.

Days, weeks (from Monday) and months are those of the project's time zone. Hours
are those of UTC, because that is how answers write them: in a zone half an hour
off, a day begins in the middle of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from clamp_server.model.period import Period

Granularity: TypeAlias = Literal["hour", "day", "week", "month"]
GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LAST_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the clocks of a zone are from UTC for a while.

    Attributes:
        end: First instant after it, UTC.
        seconds: To add to UTC.
    """

    end: datetime
    seconds: int


def usual_granularity(period: Period, zone: ZoneInfo) -> Granularity:
    """Return what a period is cut into unless something else is asked for."""
    days = calendar_days(period, zone)
    if days <= 2:
        return "hour"
    if days <= 90:
        return "day"
    return "week" if days <= 365 else "month"


def calendar_days(period: Period, zone: ZoneInfo) -> int:
    """Return how many days of the zone a period has a part of."""
    return (_last_day(period, zone) - _first_day(period, zone)).days + 1


def bucket_dates(period: Period, granularity: Granularity, zone: ZoneInfo) -> list[str]:
    """Return the start of every bucket, in order, as answers write it.

    The first one may begin before the period does.
    """
    if granularity == "hour":
        return [encode_hour(hour) for hour in _hours(period)]
    days = _days(_first_day(period, zone), _last_day(period, zone))
    starts = dict.fromkeys(_bucket_day(day, granularity) for day in days)
    return [start.isoformat() for start in starts]


def encode_hour(hour: datetime) -> str:
    """Write an hour of UTC.

    >>> encode_hour(datetime(2026, 3, 10, 12, tzinfo=UTC))
    '2026-03-10T12:00:00Z'
    """
    return f"{hour.astimezone(UTC):%Y-%m-%dT%H:00:00Z}"


def offsets(period: Period, zone: ZoneInfo) -> list[Offset]:
    """Return how far the zone's clocks are from UTC throughout a period."""
    found: list[Offset] = []
    at = period.start
    while at < period.end:
        after = min(at + _DAY, period.end)
        if _offset(at, zone) != _offset(after, zone):
            change = _first_change(at, after, zone)
            found.append(Offset(change, _offset(at, zone)))
        at = after
    return [*found, Offset(period.end, _offset(period.end, zone))]


def _first_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    """Return the second after `start` from which the clocks are as at `end`."""
    before = _offset(start, zone)
    while end - start > _SECOND:
        middle = start + (end - start) // (2 * _SECOND) * _SECOND
        if _offset(middle, zone) == before:
            start = middle
        else:
            end = middle
    return end


def _offset(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _first_day(period: Period, zone: ZoneInfo) -> date:
    return period.start.astimezone(zone).date()


def _last_day(period: Period, zone: ZoneInfo) -> date:
    return (period.end - _LAST_MOMENT).astimezone(zone).date()


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(n) for n in range((last - first).days + 1))


def _hours(period: Period) -> Iterator[datetime]:
    hour = period.start.replace(minute=0, second=0, microsecond=0)
    while hour < period.end:
        yield hour
        hour += timedelta(hours=1)


def _bucket_day(day: date, granularity: Granularity) -> date:
    if granularity == "week":
        return day - timedelta(day.weekday())
    return day.replace(day=1) if granularity == "month" else day
