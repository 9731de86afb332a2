"""What a visitor did right before an error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from msgspec import UNSET, UnsetType

from clamp_server.model.ids import ProjectId
from clamp_server.model.instant import encode_instant
from clamp_server.model.project import Project
from clamp_server.questions.ask import Question
from clamp_server.questions.moment import Moment
from clamp_server.questions.parameter import Query, Text, Whole
from clamp_server.store.property_sql import ERROR_EVENT
from clamp_server.store.sql import Dialect, Row, Sql
from clamp_server.store.visitor_sql import (
    events_of_visits,
    own_events,
    visitor_key,
)

ANONYMOUS_ID = Text("anonymous_id", "a visitor's anonymous id", is_required=True)
BEFORE = Moment("before_timestamp")
LIMIT = Whole("limit", least=1, most=100, usual=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorContextParams:
    """What `errors.context` can be asked with.

    Attributes:
        before_timestamp: As it was asked for; the answer repeats it.
        before: The same, read.
    """

    project_id: ProjectId
    anonymous_id: str
    before_timestamp: str
    before: datetime
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBefore:
    """One event; what is unknown is absent.

    Attributes:
        timestamp: ISO 8601, UTC, milliseconds.
    """

    timestamp: str
    name: str
    url: str | UnsetType = UNSET
    pathname: str | UnsetType = UNSET
    referrer: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """The last events of the session before an instant, oldest first.

    Attributes:
        count: Of those that are listed.
    """

    anonymous_id: str
    before_timestamp: str
    count: int
    events: list[EventBefore]


def read_context_params(
    query: Query, project: Project, _: datetime
) -> ErrorContextParams:
    """Read the parameters of `errors.context`."""
    return ErrorContextParams(
        project_id=project.id,
        anonymous_id=ANONYMOUS_ID.read(query),
        before=BEFORE.read(query),
        before_timestamp=query[BEFORE.name],
        limit=LIMIT.read(query),
    )


def select_context(params: ErrorContextParams, _: Dialect) -> Sql:
    """Write the SQL of the events, newest first."""
    # Of events in the same millisecond the order is any that is not that of arrival.
    order = ", ".join(f"{column} DESC" for column in _COLUMNS)
    columns = ", ".join(_COLUMNS)
    return Sql(
        f"""
        WITH {own_events(_COLUMNS, "occurred_at <= $before")}
        SELECT {columns}
        FROM ({events_of_visits(_COLUMNS)}) AS event
        WHERE visit_key = ({_CURRENT}) AND occurred_at < $before
        ORDER BY {order}
        LIMIT $limit
        """,
        {
            "project_id": params.project_id,
            "visitor_key": visitor_key(params.anonymous_id),
            "before": params.before,
            "limit": params.limit,
            **ERROR_EVENT,
        },
    )


_COLUMNS: tuple[LiteralString, ...] = (
    "occurred_at",
    "name",
    "pathname",
    "url",
    "referrer",
)
# The session of the error that is asked about, which happened at that instant; what
# else was last active where a server told of the error.
_CURRENT: LiteralString = """
    SELECT session_key FROM own
    WHERE session_key <> 0
    ORDER BY occurred_at DESC, name <> $error_event, session_key DESC
    LIMIT 1
"""


def read_context(params: ErrorContextParams, rows: Sequence[Row]) -> ErrorContext:
    """Shape the events, oldest first."""
    return ErrorContext(
        params.anonymous_id,
        params.before_timestamp,
        len(rows),
        [_event(row) for row in reversed(rows)],
    )


def _event(row: Row) -> EventBefore:
    return EventBefore(
        timestamp=encode_instant(row["occurred_at"]),
        name=row["name"],
        url=row["url"] or UNSET,
        pathname=row["pathname"] or UNSET,
        referrer=row["referrer"] or UNSET,
    )


errors_context = Question(
    name="errors.context",
    path="/errors/context",
    meaning="What a visitor did right before an error, in the same session.",
    parameters=(ANONYMOUS_ID, BEFORE, LIMIT),
    read_params=read_context_params,
    select=select_context,
    read=read_context,
)
