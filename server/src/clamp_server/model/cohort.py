"""Cohorts: the people who did one thing first, and the days after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.funnel import PredicateValue

MAX_COHORT_NAME_CHARACTERS = 200
ALLOWED_COHORT_NAMES = (
    f"1 to {MAX_COHORT_NAME_CHARACTERS} of lower-case letters a to z, digits, - and _"
)
MOST_DAYS = 365
MOST_PERIODS = 20
ALLOWED_DAYS = (
    f"1 to {MOST_PERIODS} of 1d to {MOST_DAYS}d and 1w to {MOST_DAYS // 7}w,"
    " comma-separated"
)

_NAME = re.compile(rf"[a-z0-9_-]{{1,{MAX_COHORT_NAME_CHARACTERS}}}")
_DAYS = re.compile(r"([1-9][0-9]{0,2})([dw])")


@dataclass(frozen=True, slots=True)
class CohortFilter:
    """A property that the event of a cohort must have, and its value."""

    property: str
    value: PredicateValue


@dataclass(frozen=True, slots=True)
class CohortDefinition:
    """Whoever did `event` in a period.

    Attributes:
        period: As it was written; it moves with the day on which it is asked.
    """

    event: str
    period: str
    filter: CohortFilter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A saved cohort."""

    id: str
    name: str
    definition: CohortDefinition
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DaysAfter:
    """A day after another one.

    Attributes:
        text: As it was asked for, such as `2w`.
    """

    text: str
    days: int


def check_cohort_name(name: str) -> None:
    """Check the name of a new cohort.

    Raises:
        ValueError: Says what is allowed.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"must be {ALLOWED_COHORT_NAMES}; got {name[:60]!r}")


def decode_days_after(text: str) -> tuple[DaysAfter, ...]:
    """Read the days of a retention; one that is repeated counts once.

    Raises:
        ValueError: Says what is allowed.

    >>> [day.days for day in decode_days_after("1d,2w")]
    [1, 14]
    """
    parts = [*dict.fromkeys(text.split(","))]
    matches = [_DAYS.fullmatch(part) for part in parts]
    found = [
        DaysAfter(match[0], int(match[1]) * (7 if match[2] == "w" else 1))
        for match in matches
        if match
    ]
    too_far = any(day.days > MOST_DAYS for day in found)
    if len(found) < len(parts) or len(parts) > MOST_PERIODS or too_far:
        raise ValueError(f"must be {ALLOWED_DAYS}; got {text[:60]!r}")
    return tuple(found)
