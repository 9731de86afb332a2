"""Traffic over time: one figure, or one event, a bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString
from zoneinfo import ZoneInfo

from clamp_server.errors import InvalidRequestError
from clamp_server.model.bucket import (
    GRANULARITIES,
    Granularity,
    bucket_dates,
    usual_granularity,
)
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.metric import METRICS, Figures, Metric
from clamp_server.questions.parameter import (
    FILTERS,
    PERIOD,
    Choice,
    Query,
    Text,
    read_pair,
    read_scope,
)
from clamp_server.questions.proportion import Number
from clamp_server.store.bucket_sql import (
    bucket,
    bucket_bounds,
    bucket_ends,
    read_bucket,
)
from clamp_server.store.piece_sql import touches
from clamp_server.store.property_sql import property_sql
from clamp_server.store.scope_sql import VISITORS, scoped_from_sessions, scoped_pieces
from clamp_server.store.sql import Dialect, Row, Sql, Value
from clamp_server.store.visit_sql import goes_over, visit_sums

METRIC: Choice[Metric | Literal[""]] = Choice("metric", ("", *METRICS), default="")
EVENT = Text("event", "an event's name, instead of a metric", default="$pageview")
PROPERTY = Text("property", "a text property's key, together with `value`")
VALUE = Text("value", "what that property must be")
GRANULARITY: Choice[Granularity | Literal[""]] = Choice(
    "granularity", ("", *GRANULARITIES), default=""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeseriesParams:
    """What `traffic.timeseries` can be asked with.

    Attributes:
        metric: None counts the event.
        match: A text property of the event and its value.
    """

    scope: Scope
    zone: ZoneInfo
    granularity: Granularity
    metric: Metric | None = None
    event: str = "$pageview"
    match: tuple[str, str] | None = None

    @property
    def is_of_page_views(self) -> bool:
        """Whether every page view counts, and nothing else."""
        return self.event == EVENT.default and self.match is None


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket.

    Attributes:
        date: Its start: a day, or an hour of UTC.
    """

    date: str
    count: Number


def read_timeseries_params(
    query: Query, project: Project, now: datetime
) -> TimeseriesParams:
    """Read the parameters of `traffic.timeseries`."""
    scope = read_scope(query, project, now, leaves_out_bots=True)
    zone = ZoneInfo(project.time_zone)
    metric = METRIC.read(query)
    for parameter in (EVENT, PROPERTY, VALUE):
        if metric and query.get(parameter.name):
            raise InvalidRequestError(
                f"{parameter.name}: cannot be together with metric; leave one out"
            )
    return TimeseriesParams(
        scope=scope,
        zone=zone,
        granularity=GRANULARITY.read(query) or usual_granularity(scope.period, zone),
        metric=metric or None,
        event=EVENT.read(query) or EVENT.default,
        match=read_pair(query, PROPERTY, VALUE),
    )


def select_timeseries(params: TimeseriesParams, dialect: Dialect) -> Sql:
    """Write the SQL of the figures; buckets without anything have no row."""
    scope = params.scope
    if params.metric in ("sessions", "bounce_rate", "avg_duration"):
        return _select_sessions(params, dialect)
    start = bucket(scope.period, params.granularity, params.zone, dialect)
    if params.metric == "visitors" or params.is_of_page_views:
        piece = scoped_pieces(scope, dialect, bounds=bucket_bounds(start))
        return Sql(
            f"""
            SELECT {start.text} AS bucket, sum(page_views) AS pageviews,
                   {VISITORS} AS visitors
            FROM ({piece.text}) AS piece
            GROUP BY bucket
            """,
            {**piece.values, **start.values},
        )
    source = scoped_from_sessions(scope, dialect)
    condition, values = _wanted(params, dialect)
    return Sql(
        f"""
        SELECT {start.text} AS bucket, count(*) AS pageviews
        FROM ({source.text}) AS event
        WHERE {condition}
        GROUP BY bucket
        """,
        {**source.values, **start.values, **values},
    )


def _wanted(
    params: TimeseriesParams, dialect: Dialect
) -> tuple[LiteralString, Mapping[str, Value]]:
    values: dict[str, Value] = {"event": params.event}
    if params.match is None:
        return "name = $event", values
    key, values["value"] = params.match
    found = property_sql(key, "string", "property", dialect)
    return (
        f"name = $event AND {found.present} AND {found.value} = $value",
        {**values, **found.values},
    )


def _select_sessions(params: TimeseriesParams, dialect: Dialect) -> Sql:
    """Write the SQL of sessions: one counts in every bucket that it touches."""
    scope = params.scope

    def bucket_of(instant: LiteralString) -> Sql:
        return bucket(scope.period, params.granularity, params.zone, dialect, instant)

    start = bucket_of("occurred_at")
    first, last = bucket_of("session_from").text, bucket_of("session_until").text
    # Where clocks were put back over midnight, a day was left and begun once more.
    parted: list[LiteralString] = [
        f"{first} <> {last}",
        *map(goes_over, bucket_ends(start)),
    ]
    # A bucket begins on a quarter of an hour of UTC, or where clocks changed. So a
    # piece is in one, also where it began before the period.
    visit = visit_sums(scope, dialect, {}, parted, bucket_bounds(start))
    rows = visit.rows
    added: LiteralString = ""
    if dialect.joins_pieces:
        added = f"""
            SELECT bucket, sessions, bounces, duration_ms
            FROM ({rows.alone(f"{start.text} AS bucket")}) AS visit
            UNION ALL
        """
    return Sql(
        f"""
        SELECT bucket, sum(sessions) AS sessions, sum(bounces) AS bounces,
               sum(duration_ms) AS duration_ms
        FROM (
            {added}
            SELECT bucket, sessions, bounces, duration_ms
            FROM (
                SELECT DISTINCT session_key, {start.text} AS bucket
                FROM ({rows.pieces}) AS piece
                WHERE {touches("start", "end")} AND session_key IN ({rows.several})
            ) AS seen
            JOIN ({rows.together(rows.several)}) AS visit
                ON seen.session_key = visit.session_key
        ) AS seen
        GROUP BY bucket
        """,
        {**visit.values, **start.values},
    )


def read_timeseries(params: TimeseriesParams, rows: Sequence[Row]) -> list[Point]:
    """Shape the figures: every bucket in order, zeros included."""
    metric = params.metric or "pageviews"
    figures = {
        read_bucket(row): Figures(
            **{name: number for name, number in row.items() if name != "bucket"}
        )
        for row in rows
    }
    dates = bucket_dates(params.scope.period, params.granularity, params.zone)
    return [Point(date, figures.get(date, Figures()).value(metric)) for date in dates]


timeseries = Question(
    name="traffic.timeseries",
    path="/timeseries",
    meaning="One figure of traffic, or how often an event occurred, over time.",
    parameters=(PERIOD, METRIC, EVENT, PROPERTY, VALUE, GRANULARITY, *FILTERS),
    read_params=read_timeseries_params,
    select=select_timeseries,
    read=read_timeseries,
)
