"""Where sessions begin and where they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import (
    FILTERS,
    LIMIT,
    PERIOD,
    Query,
    Whole,
    read_scope,
)
from clamp_server.questions.proportion import tenths, whole
from clamp_server.store.sql import Dialect, Row, Sql
from clamp_server.store.visit_sql import visits

MIN_PAGES = Whole("min_pages", least=1, most=50, usual=1)


@dataclass(frozen=True, slots=True)
class SessionPathsParams:
    """What `traffic.session_paths` can be asked with.

    Attributes:
        min_pages: Page views that a session has at least.
    """

    scope: Scope
    limit: int = 10
    min_pages: int = 1


@dataclass(frozen=True, slots=True)
class SessionPath:
    """The sessions with one entry and one exit.

    Attributes:
        avg_pages: Page views of a session, one decimal.
        bounced: Whether they had one page view. Whoever came back to the page of
            the entry has the same entry and exit, and did not bounce.
    """

    entry_page: str
    exit_page: str
    sessions: int
    avg_pages: float
    avg_duration_seconds: int
    bounced: bool


def read_session_paths_params(
    query: Query, project: Project, now: datetime
) -> SessionPathsParams:
    """Read the parameters of `traffic.session_paths`."""
    return SessionPathsParams(
        scope=read_scope(query, project, now, leaves_out_bots=True),
        limit=LIMIT.read(query),
        min_pages=MIN_PAGES.read(query),
    )


def select_session_paths(params: SessionPathsParams, dialect: Dialect) -> Sql:
    """Write the SQL of the paths: a row an entry, exit and kind."""
    visit = visits(params.scope)
    return Sql(
        f"""
        SELECT entry_page, exit_page, CAST(views = 1 AS BOOLEAN) AS bounced,
               sum(views) AS pages, count(*) AS sessions,
               count(*) FILTER (WHERE views = 1) AS bounces,
               coalesce(sum(duration_ms), 0) AS duration_ms
        FROM ({visit.rows.all(dialect)}) AS visit
        WHERE views >= $min_pages
        GROUP BY entry_page, exit_page, bounced
        ORDER BY sessions DESC, entry_page, exit_page, bounced
        LIMIT $limit
        """,
        {**visit.values, "min_pages": params.min_pages, "limit": params.limit},
    )


def read_session_paths(_: SessionPathsParams, rows: Sequence[Row]) -> list[SessionPath]:
    """Shape the paths: the most frequent first, equal ones by page."""
    return [
        SessionPath(
            entry_page=row["entry_page"],
            exit_page=row["exit_page"],
            sessions=row["sessions"],
            avg_pages=tenths(row["pages"], row["sessions"]),
            avg_duration_seconds=whole(row["duration_ms"], 1000 * row["sessions"]),
            bounced=row["bounced"],
        )
        for row in rows
    ]


session_paths = Question(
    name="traffic.session_paths",
    path="/session-paths",
    meaning="Where sessions begin and end, how long they are, and which bounce.",
    parameters=(PERIOD, LIMIT, MIN_PAGES, *FILTERS),
    read_params=read_session_paths_params,
    select=select_session_paths,
    read=read_session_paths,
)
