"""When people come: by the day of the week and the hour of the day, in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

HOUR = timedelta(hours=1)
# Monday first. Coffee is bought from the office.
_BY_WEEKDAY = (100, 106, 104, 101, 92, 58, 64)
# Midnight first. Customers are in Europe and America: the night is short.
_BY_HOUR = (
    *(22, 16, 12, 10, 10, 13, 24, 45, 68, 84, 92, 95),
    *(90, 93, 100, 104, 106, 102, 95, 86, 74, 60, 46, 33),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a plan.

    Attributes:
        share: Of everything in the plan, what has come when it ends; 1.0 with
            the last one.
    """

    start: datetime
    share: float


def busyness(at: datetime) -> int:
    """Return how many come around then, against any other time."""
    return _BY_WEEKDAY[at.weekday()] * _BY_HOUR[at.hour]


def hours(until: datetime, days: int) -> Iterator[Hour]:
    """Return every hour of the `days` times 24 before `until`, in order."""
    starts = [until - number * HOUR for number in range(24 * days, 0, -1)]
    come = list(accumulate(busyness(start) for start in starts))
    return (
        Hour(start, so_far / come[-1])
        for start, so_far in zip(starts, come, strict=True)
    )
