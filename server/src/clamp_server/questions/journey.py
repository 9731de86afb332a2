"""One visitor's sessions, from the first on.

Bots are in: who asks for a visitor by its id wants to see just that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.model.instant import encode_instant
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import Query, Span, Text, Whole
from clamp_server.store.scope_sql import IN_PERIOD
from clamp_server.store.session_rows_sql import first_values
from clamp_server.store.sql import Dialect, Row, Sql
from clamp_server.store.visitor_sql import (
    events_of_visits,
    own_events,
    visitor_key,
)

ANONYMOUS_ID = Text("anonymous_id", "a visitor's anonymous id", is_required=True)
PERIOD = Span(default="365d")
LIMIT = Whole("limit", least=1, most=200, usual=50)

# As those of a session: what is a day outside of the period is not looked for.
_REACH: LiteralString = """
    occurred_at >= $start - INTERVAL 1 DAY AND occurred_at < $end + INTERVAL 1 DAY
"""
_ORIGIN: tuple[Dimension, ...] = (
    "channel",
    "referrer_host",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "country",
    "device_type",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyParams:
    """What `users.journey` can be asked with."""

    scope: Scope
    anonymous_id: str
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneySession:
    """One session; a text is empty where nothing is known.

    Attributes:
        is_first_touch: Whether it is the first of the period.
        started_at: ISO 8601, UTC, like `ended_at`; both of what its browser sent.
        events: Names of custom events in the order of their first occurrence,
            those that a server sent included.
    """

    session_id: str
    is_first_touch: bool
    started_at: str
    ended_at: str
    entry_page: str
    channel: str
    referrer_host: str
    utm_source: str
    utm_medium: str
    utm_campaign: str
    country: str
    device_type: str
    pageviews: int
    events: list[str]


@dataclass(frozen=True, slots=True)
class Journey:
    """A visitor's sessions, oldest first."""

    anonymous_id: str
    sessions: list[JourneySession]


def read_journey_params(query: Query, project: Project, now: datetime) -> JourneyParams:
    """Read the parameters of `users.journey`."""
    return JourneyParams(
        anonymous_id=ANONYMOUS_ID.read(query),
        scope=Scope(project_id=project.id, period=PERIOD.read(query, project, now)),
        limit=LIMIT.read(query),
    )


def select_journey(params: JourneyParams, _: Dialect) -> Sql:
    """Write the SQL of the sessions: a row an event name, or one without any."""
    period = params.scope.period
    return Sql(
        f"""
        WITH {own_events(_READ, _REACH)}
        SELECT visit.*, named.name AS event
        FROM ({_VISITS}) AS visit
        LEFT JOIN ({_NAMED}) AS named ON visit.session_key = named.visit_key
        ORDER BY started_at, session_id, named_at, event
        """,
        {
            "project_id": params.scope.project_id,
            "visitor_key": visitor_key(params.anonymous_id),
            "start": period.start,
            "end": period.end,
            "pageview": "$pageview",
            "limit": params.limit,
        },
    )


_READ: tuple[LiteralString, ...] = (
    "name",
    "session_id",
    "entry_order",
    "pathname",
    *_ORIGIN,
)
_FIRST: LiteralString = ", ".join(
    f"{of.together} AS {name}"
    for name, of in first_values(("pathname", *_ORIGIN)).items()
)
_VISITS: LiteralString = f"""
    SELECT session_key, session_id,
           min(occurred_at) AS started_at, max(occurred_at) AS ended_at,
           count(*) FILTER (WHERE name = $pageview) AS pageviews,
           {_FIRST}
    FROM own
    WHERE session_key <> 0
    GROUP BY session_key, session_id
    HAVING count(*) FILTER (WHERE {IN_PERIOD}) > 0
    ORDER BY started_at, session_id
    LIMIT $limit
"""
_NAMED: LiteralString = f"""
    SELECT visit_key, name, min(occurred_at) AS named_at
    FROM ({events_of_visits(("name", "occurred_at"))}) AS event
    WHERE name NOT LIKE '$%'
    GROUP BY visit_key, name
"""


def read_journey(params: JourneyParams, rows: Sequence[Row]) -> Journey:
    """Gather the names of each session's events."""
    visits = [list(of_one) for _, of_one in groupby(rows, lambda r: r["session_id"])]
    return Journey(
        params.anonymous_id,
        [
            _session(visit[0], [row["event"] for row in visit if row["event"]], n == 0)
            for n, visit in enumerate(visits)
        ],
    )


def _session(row: Row, events: list[str], is_first: bool) -> JourneySession:
    return JourneySession(
        session_id=row["session_id"],
        is_first_touch=is_first,
        started_at=encode_instant(row["started_at"]),
        ended_at=encode_instant(row["ended_at"]),
        entry_page=row["first_pathname"] if row["pageviews"] else "",
        pageviews=row["pageviews"],
        events=events,
        **{name: row[f"first_{name}"] for name in _ORIGIN},
    )


users_journey = Question(
    name="users.journey",
    path="/users/journey",
    meaning="A visitor's sessions, oldest first: where from, and what happened.",
    parameters=(ANONYMOUS_ID, PERIOD, LIMIT),
    read_params=read_journey_params,
    select=select_journey,
    read=read_journey,
)
