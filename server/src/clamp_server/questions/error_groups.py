"""The bugs behind the errors: how often each one struck, and whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from msgspec import UNSET, UnsetType

from clamp_server.model.instant import encode_instant
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.errors import LIMIT
from clamp_server.questions.parameter import PERIOD, Choice, Query
from clamp_server.store.property_sql import ERROR_EVENT
from clamp_server.store.scope_sql import PEOPLE, scoped
from clamp_server.store.sql import Dialect, Row, Sql

SortBy: TypeAlias = Literal["count", "users_affected", "last_seen", "first_seen"]
SORTS: tuple[SortBy, ...] = get_args(SortBy)
SORT_BY: Choice[SortBy] = Choice("sort_by", SORTS, default="count")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroupsParams:
    """What `errors.groups` can be asked with."""

    scope: Scope
    limit: int = 50
    sort_by: SortBy = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroup:
    """One bug.

    Attributes:
        fingerprint: Empty for errors with neither message nor stack.
        sample_message: That of its latest error; likewise the type.
        users_affected: Distinct users, by anonymous id where there is no user.
        first_seen: Within the period, like `last_seen`; ISO 8601, UTC.
    """

    fingerprint: str
    sample_message: str | UnsetType = UNSET
    sample_type: str | UnsetType = UNSET
    count: int
    users_affected: int
    first_seen: str
    last_seen: str


@dataclass(frozen=True, slots=True)
class ErrorGroups:
    """The bugs of a period, descending by `sort_by`."""

    period: str
    sort_by: SortBy
    groups: list[ErrorGroup]


def read_groups_params(
    query: Query, project: Project, now: datetime
) -> ErrorGroupsParams:
    """Read the parameters of `errors.groups`."""
    return ErrorGroupsParams(
        scope=Scope(project_id=project.id, period=PERIOD.read(query, project, now)),
        limit=LIMIT.read(query),
        sort_by=SORT_BY.read(query),
    )


def select_groups(params: ErrorGroupsParams, _: Dialect) -> Sql:
    """Write the SQL of the groups: a row a fingerprint."""
    source = scoped(params.scope)
    return Sql(
        f"""
        SELECT error_fingerprint,
               argMax(error_message, (occurred_at, seq)) AS sample_message,
               argMax(error_type, (occurred_at, seq)) AS sample_type,
               count(*) AS count,
               {PEOPLE} AS users_affected,
               min(occurred_at) AS first_seen,
               max(occurred_at) AS last_seen
        FROM ({source.text}) AS event
        WHERE name = $error_event
        GROUP BY error_fingerprint
        ORDER BY {params.sort_by} DESC, error_fingerprint
        LIMIT $limit
        """,
        {**source.values, **ERROR_EVENT, "limit": params.limit},
    )


def read_groups(params: ErrorGroupsParams, rows: Sequence[Row]) -> ErrorGroups:
    """Shape the groups in the order of the rows."""
    return ErrorGroups(
        params.scope.period.text, params.sort_by, [_group(row) for row in rows]
    )


def _group(row: Row) -> ErrorGroup:
    return ErrorGroup(
        fingerprint=row["error_fingerprint"],
        sample_message=row["sample_message"] or UNSET,
        sample_type=row["sample_type"] or UNSET,
        count=row["count"],
        users_affected=row["users_affected"],
        first_seen=encode_instant(row["first_seen"]),
        last_seen=encode_instant(row["last_seen"]),
    )


errors_groups = Question(
    name="errors.groups",
    path="/errors/groups",
    meaning="Errors grouped into bugs, with how many users each one met.",
    parameters=(PERIOD, LIMIT, SORT_BY),
    read_params=read_groups_params,
    select=select_groups,
    read=read_groups,
)
