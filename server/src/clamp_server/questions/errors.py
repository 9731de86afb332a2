"""Error questions: what broke, how often, and for whom.

Errors of bots are in: a bug that a crawler finds is a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from msgspec import UNSET, UnsetType

from clamp_server.model.dimension import Dimension
from clamp_server.model.instant import encode_instant
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import (
    PERIOD,
    Flag,
    Query,
    Text,
    Whole,
    read_scope,
)
from clamp_server.store.property_sql import ERROR_EVENT
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Dialect, Row, Sql, Value

ERROR_FILTERS: tuple[Dimension, ...] = ("browser", "os", "device_type", "country")

LIMIT = Whole("limit", least=1, most=200, usual=50)
MESSAGE = Text("message", "the whole message of an error")
FINGERPRINT = Text("fingerprint", "a group's fingerprint")
HANDLED = Flag("handled", default="")
FILTERS = tuple(Text(name) for name in ERROR_FILTERS)

# Answer's field to column; those that may be absent.
_OPTIONAL: Final[tuple[tuple[LiteralString, LiteralString], ...]] = (
    ("message", "error_message"),
    ("type", "error_type"),
    ("stack", "error_stack"),
    ("fingerprint", "error_fingerprint"),
    ("url", "url"),
    ("pathname", "pathname"),
    ("browser", "browser"),
    ("browser_version", "browser_version"),
    ("os", "os"),
    ("device_type", "device_type"),
    ("country", "country"),
    ("anonymous_id", "anonymous_id"),
    ("session_id", "session_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsParams:
    """What `errors.list` can be asked with; empty and None ask for all."""

    scope: Scope
    limit: int = 50
    message: str = ""
    fingerprint: str = ""
    handled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent:
    """One `$error` as it happened; what is unknown is absent.

    Attributes:
        timestamp: ISO 8601, UTC, milliseconds.
    """

    timestamp: str
    handled: bool
    message: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    stack: str | UnsetType = UNSET
    fingerprint: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    pathname: str | UnsetType = UNSET
    browser: str | UnsetType = UNSET
    browser_version: str | UnsetType = UNSET
    os: str | UnsetType = UNSET
    device_type: str | UnsetType = UNSET
    country: str | UnsetType = UNSET
    anonymous_id: str | UnsetType = UNSET
    session_id: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Errors:
    """The latest errors.

    Attributes:
        count: All that match in the period, listed or not.
        errors: Newest first, at most as many as were asked for.
    """

    period: str
    count: int
    errors: list[ErrorEvent]


def read_errors_params(query: Query, project: Project, now: datetime) -> ErrorsParams:
    """Read the parameters of `errors.list`."""
    return ErrorsParams(
        scope=read_scope(query, project, now, ERROR_FILTERS),
        limit=LIMIT.read(query),
        message=MESSAGE.read(query),
        fingerprint=FINGERPRINT.read(query),
        handled=HANDLED.read(query),
    )


def select_errors(params: ErrorsParams, _: Dialect) -> Sql:
    """Write the SQL of the list; each row also has the count of all."""
    source = scoped(params.scope)
    values: dict[str, Value] = {**source.values, **ERROR_EVENT}
    matching: LiteralString = f"({source.text}) AS event WHERE name = $error_event"
    if params.message:
        matching += " AND error_message = $message"
        values["message"] = params.message
    if params.fingerprint:
        matching += " AND error_fingerprint = $fingerprint"
        values["fingerprint"] = params.fingerprint
    if params.handled is not None:
        matching += " AND error_handled = $handled"
        values["handled"] = params.handled
    columns = ", ".join(column for _, column in _OPTIONAL)
    # Not `count(*) OVER ()`: a window would hold every stack of the period. And not
    # in the inner SELECT: DuckDB would read every column of every error then, and
    # not those of the listed alone.
    return Sql(
        f"""
        SELECT newest.*, (SELECT count(*) FROM {matching}) AS matching
        FROM (
            SELECT seq, occurred_at, error_handled, {columns}
            FROM {matching}
            ORDER BY occurred_at DESC, seq DESC
            LIMIT $limit
        ) AS newest
        ORDER BY occurred_at DESC, seq DESC
        """,
        {**values, "limit": params.limit},
    )


def read_errors(params: ErrorsParams, rows: Sequence[Row]) -> Errors:
    """Shape the errors, newest first."""
    return Errors(
        params.scope.period.text,
        rows[0]["matching"] if rows else 0,
        [_error_event(row) for row in rows],
    )


def _error_event(row: Row) -> ErrorEvent:
    known = {field: row[column] for field, column in _OPTIONAL if row[column]}
    return ErrorEvent(
        timestamp=encode_instant(row["occurred_at"]),
        handled=row["error_handled"],
        **known,
    )


errors_list = Question(
    name="errors.list",
    path="/errors",
    meaning="The latest errors, each with its stack and where it happened.",
    parameters=(PERIOD, LIMIT, MESSAGE, FINGERPRINT, HANDLED, *FILTERS),
    read_params=read_errors_params,
    select=select_errors,
    read=read_errors,
)
