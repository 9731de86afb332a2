"""Traffic questions: how much, when, from where. Bots are left out of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from clamp_server.model.period import last_minutes
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import Query, Whole
from clamp_server.store.scope_sql import VISITORS, scoped
from clamp_server.store.sql import Dialect, Row, Sql

WINDOW_MINUTES = Whole("window_minutes", least=1, most=60, usual=5)
TOP_ROWS = 10


@dataclass(frozen=True, slots=True)
class RealtimeParams:
    """What `traffic.realtime` can be asked with; the scope is the window."""

    scope: Scope
    window_minutes: int


@dataclass(frozen=True, slots=True)
class TopPage:
    """One page's views."""

    name: str
    pageviews: int
    visitors: int


@dataclass(frozen=True, slots=True)
class TopName:
    """One source's or country's visitors."""

    name: str
    visitors: int


@dataclass(frozen=True, slots=True)
class Realtime:
    """Who is here now.

    Attributes:
        visitors: Distinct visitors of any event in the window.
        top_pages: At most ten paths, most visitors first; likewise the rest.
        top_sources: Hosts of referrers; visits without one are in no row.
        top_countries: ISO 3166-1 alpha-2; unknown ones are in no row.
    """

    window_minutes: int
    visitors: int
    pageviews: int
    top_pages: list[TopPage]
    top_sources: list[TopName]
    top_countries: list[TopName]


def read_realtime_params(
    query: Query, project: Project, now: datetime
) -> RealtimeParams:
    """Read the parameters of `traffic.realtime`."""
    minutes = WINDOW_MINUTES.read(query)
    scope = Scope(
        project_id=project.id,
        period=last_minutes(minutes, now),
        leaves_out_bots=True,
    )
    return RealtimeParams(scope, minutes)


def select_realtime(params: RealtimeParams, _: Dialect) -> Sql:
    """Write the SQL of the window: a row `total`, and the rows of three lists."""
    source = scoped(params.scope)
    events: LiteralString = f"({source.text}) AS event"
    return Sql(
        f"""
        SELECT 'total' AS part, '' AS label, {_COUNTS} FROM {events}
        UNION ALL
        {_top("pathname", "page", events, "name = $pageview")}
        UNION ALL
        {_top("referrer_host", "source", events, "true")}
        UNION ALL
        {_top("country", "country", events, "true")}
        """,
        {**source.values, "pageview": "$pageview", "rows": TOP_ROWS},
    )


_COUNTS: LiteralString = (
    f"count(*) FILTER (WHERE name = $pageview) AS pageviews, {VISITORS} AS visitors"
)


def _top(
    column: LiteralString,
    part: LiteralString,
    events: LiteralString,
    condition: LiteralString,
) -> LiteralString:
    return f"""
        SELECT '{part}' AS part, label, pageviews, visitors FROM (
            SELECT {column} AS label, {_COUNTS} FROM {events}
            WHERE {column} <> '' AND {condition}
            GROUP BY {column}
            ORDER BY visitors DESC, pageviews DESC, label
            LIMIT $rows
        ) AS top
    """


def read_realtime(params: RealtimeParams, rows: Sequence[Row]) -> Realtime:
    """Sort the rows into the total and the three lists."""
    parts: dict[str, list[Row]] = {
        p: [] for p in ("total", "page", "source", "country")
    }
    for row in sorted(rows, key=_rank):
        parts[row["part"]].append(row)
    (total,) = parts["total"]
    return Realtime(
        window_minutes=params.window_minutes,
        visitors=total["visitors"],
        pageviews=total["pageviews"],
        top_pages=[
            TopPage(row["label"], row["pageviews"], row["visitors"])
            for row in parts["page"]
        ],
        top_sources=[TopName(row["label"], row["visitors"]) for row in parts["source"]],
        top_countries=[
            TopName(row["label"], row["visitors"]) for row in parts["country"]
        ],
    )


def _rank(row: Row) -> tuple[int, int, str]:
    return -row["visitors"], -row["pageviews"], row["label"]


realtime = Question(
    name="traffic.realtime",
    path="/realtime",
    meaning="Who is here now: visitors, page views and where they come from.",
    parameters=(WINDOW_MINUTES,),
    read_params=read_realtime_params,
    select=select_realtime,
    read=read_realtime,
)
