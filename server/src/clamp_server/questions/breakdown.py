"""Traffic by one dimension: which pages, sources, places and devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, LiteralString, TypeAlias

from msgspec import UNSET, UnsetType

from clamp_server.model.dimension import DIMENSIONS, Dimension
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import (
    FILTERS,
    LIMIT,
    PERIOD,
    Choice,
    Query,
    read_scope,
)
from clamp_server.store.scope_sql import IN_PERIOD, VISITORS, scoped_pieces
from clamp_server.store.session_rows_sql import total
from clamp_server.store.sql import Dialect, Row, Sql, Value
from clamp_server.store.visit_sql import visits

PageOfSession: TypeAlias = Literal["entry_page", "exit_page"]
PAGES_OF_SESSION: tuple[PageOfSession, ...] = ("entry_page", "exit_page")
DIMENSION: Choice[Dimension | PageOfSession] = Choice(
    "dimension", (*DIMENSIONS, *PAGES_OF_SESSION), default=""
)
# What is told beside a value, because the value alone says too little.
BESIDE: Final[dict[str, Dimension]] = {"referrer_host": "channel", "city": "country"}


@dataclass(frozen=True, slots=True)
class BreakdownParams:
    """What `traffic.breakdown` can be asked with."""

    scope: Scope
    dimension: Dimension | PageOfSession
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Share:
    """What one value of the dimension has.

    Attributes:
        channel: Of a referrer's events, the most frequent one.
        country: Of a city's events, the most frequent one.
    """

    name: str
    pageviews: int
    visitors: int
    channel: str | UnsetType = UNSET
    country: str | UnsetType = UNSET


def read_breakdown_params(
    query: Query, project: Project, now: datetime
) -> BreakdownParams:
    """Read the parameters of `traffic.breakdown`."""
    return BreakdownParams(
        scope=read_scope(query, project, now, leaves_out_bots=True),
        dimension=DIMENSION.read(query),
        limit=LIMIT.read(query),
    )


def select_breakdown(params: BreakdownParams, dialect: Dialect) -> Sql:
    """Write the SQL of the shares: a row a value, without the empty one."""
    if params.dimension in PAGES_OF_SESSION:
        return _select_pages(params, params.dimension, dialect)
    beside = BESIDE.get(params.dimension)
    looked_at: list[Dimension] = [
        d for d in DIMENSIONS if d in (params.dimension, beside)
    ]
    source = scoped_pieces(params.scope, dialect, looked_at)
    values: dict[str, Value] = {**source.values, "limit": params.limit}
    top: LiteralString = f"""
        SELECT {params.dimension} AS label,
               CAST(sum(page_views) AS BIGINT) AS pageviews,
               {VISITORS} AS visitors
        FROM piece
        WHERE {params.dimension} <> ''
        GROUP BY {params.dimension}
        ORDER BY visitors DESC, pageviews DESC, label
        LIMIT $limit
    """
    pieces: LiteralString = f"WITH piece AS ({source.text})"
    if beside is None:
        return Sql(f"{pieces} {top}", values)
    return Sql(
        f"""
        {pieces}
        SELECT ranked.label AS label, pageviews, visitors, beside
        FROM ({top}) AS ranked
        JOIN ({_usual(params.dimension, beside)}) AS usual
            ON ranked.label = usual.label
        ORDER BY visitors DESC, pageviews DESC, label
        """,
        values,
    )


def _usual(dimension: LiteralString, beside: LiteralString) -> LiteralString:
    """Write the SELECT of the most frequent `beside` of each value.

    A known one is preferred; of equally frequent ones, the first of the alphabet.
    """
    return f"""
        SELECT label, argMin(beside, (beside = '', -n, beside)) AS beside
        FROM (
            SELECT {dimension} AS label, {beside} AS beside, sum(events) AS n
            FROM piece
            WHERE {dimension} <> ''
            GROUP BY {dimension}, {beside}
        ) AS pair
        GROUP BY label
    """


def _select_pages(
    params: BreakdownParams, page: LiteralString, dialect: Dialect
) -> Sql:
    """Write the SQL by a page of the session; the page views are the period's."""
    views = total(f"CASE WHEN {IN_PERIOD} THEN page_views ELSE 0 END")
    period = params.scope.period
    visit = visits(params.scope, {"period_views": views}, (period.start, period.end))
    return Sql(
        f"""
        SELECT {page} AS label, sum(period_views) AS pageviews, {VISITORS} AS visitors
        FROM ({visit.rows.all(dialect)}) AS visit
        WHERE {page} <> ''
        GROUP BY {page}
        ORDER BY visitors DESC, pageviews DESC, label
        LIMIT $limit
        """,
        {**visit.values, "limit": params.limit},
    )


def read_breakdown(params: BreakdownParams, rows: Sequence[Row]) -> list[Share]:
    """Shape the shares: most visitors first, then most page views, then by name."""
    beside = BESIDE.get(params.dimension)
    return [
        Share(
            name=row["label"],
            pageviews=row["pageviews"],
            visitors=row["visitors"],
            channel=_known(row, beside == "channel"),
            country=_known(row, beside == "country"),
        )
        for row in rows
    ]


def _known(row: Row, is_asked: bool) -> str | UnsetType:
    return row["beside"] or UNSET if is_asked else UNSET


breakdown = Question(
    name="traffic.breakdown",
    path="/breakdown",
    meaning="Page views and visitors by page, source, place, device or campaign.",
    parameters=(DIMENSION, PERIOD, LIMIT, *FILTERS),
    read_params=read_breakdown_params,
    select=select_breakdown,
    read=read_breakdown,
)
