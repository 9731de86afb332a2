"""What `revenue.retention` can be asked with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.parameter import Query, Span, Text, read_pair, refusal

MOST_WINDOWS = 10
LONGEST_WINDOW_DAYS = 365
_WINDOW = re.compile(r"([1-9][0-9]{0,2})d")


@dataclass(frozen=True, slots=True)
class Windows:
    """Numbers of days, such as `7d,30d`."""

    name: str
    default: str
    is_required: bool = False
    allowed: str = (
        f"1d to {LONGEST_WINDOW_DAYS}d, up to {MOST_WINDOWS} with commas between them"
    )

    def read(self, query: Query) -> tuple[int, ...]:
        """Return the days of each, repeats dropped, in the caller's order.

        Raises:
            InvalidRequestError: One is no number of days, or there are too many.
        """
        given = query.get(self.name) or self.default
        found = [_WINDOW.fullmatch(part.strip()) for part in given.split(",")]
        days = dict.fromkeys(int(window[1]) for window in found if window)
        is_allowed = None not in found and max(days) <= LONGEST_WINDOW_DAYS
        if not is_allowed or len(days) > MOST_WINDOWS:
            raise refusal(self, given)
        return (*days,)


COHORT_EVENT = Text("cohort_event", "an event's name", default="$subscription_started")
COHORT_PERIOD = Span("cohort_period", default="90d")
FILTER_PROPERTY = Text(
    "cohort_filter_property",
    "a text property's key, together with `cohort_filter_value`",
)
FILTER_VALUE = Text("cohort_filter_value", "what that property must be")
WINDOWS = Windows("windows", default="7d,30d,60d,90d")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionParams:
    """What `revenue.retention` can be asked with.

    Attributes:
        scope: The period in which the members of the cohort begin.
        match: A text property of the cohort's event and its value.
        windows_days: How long after its beginning each member is looked at.
        now: Until when anything has happened.
    """

    scope: Scope
    event: str
    match: tuple[str, str] | None
    windows_days: tuple[int, ...]
    now: datetime


def read_retention_params(
    query: Query, project: Project, now: datetime
) -> RetentionParams:
    """Read the parameters of `revenue.retention`."""
    period = COHORT_PERIOD.read(query, project, now)
    return RetentionParams(
        scope=Scope(project_id=project.id, period=period),
        event=COHORT_EVENT.read(query) or COHORT_EVENT.default,
        match=read_pair(query, FILTER_PROPERTY, FILTER_VALUE),
        windows_days=WINDOWS.read(query),
        now=now,
    )
