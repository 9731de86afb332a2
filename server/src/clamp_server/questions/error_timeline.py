"""When errors happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, LiteralString, TypeAlias, get_args
from zoneinfo import ZoneInfo

from clamp_server.model.bucket import calendar_days
from clamp_server.model.instant import encode_instant
from clamp_server.model.period import midnight
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.errors import FINGERPRINT
from clamp_server.questions.parameter import PERIOD, Choice, Query
from clamp_server.store.bucket_sql import bucket
from clamp_server.store.property_sql import ERROR_EVENT
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Dialect, Row, Sql, Value

Interval: TypeAlias = Literal["hour", "day"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)
INTERVAL: Choice[Interval | Literal[""]] = Choice(
    "interval", ("", *INTERVALS), default=""
)
MOST_DAYS_BY_HOUR = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTimelineParams:
    """What `errors.timeline` can be asked with.

    Attributes:
        fingerprint: Empty for all errors.
    """

    scope: Scope
    zone: ZoneInfo
    interval: Interval
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class ErrorBucket:
    """One hour or day in which there was an error.

    Attributes:
        bucket: Its first instant, ISO 8601, UTC.
    """

    bucket: str
    count: int


@dataclass(frozen=True, slots=True)
class ErrorTimeline:
    """The hours or days of a period that had errors, in order."""

    period: str
    interval: Interval
    fingerprint: str | None
    series: list[ErrorBucket]


def read_timeline_params(
    query: Query, project: Project, now: datetime
) -> ErrorTimelineParams:
    """Read the parameters of `errors.timeline`."""
    period, zone = PERIOD.read(query, project, now), ZoneInfo(project.time_zone)
    is_short = calendar_days(period, zone) <= MOST_DAYS_BY_HOUR
    return ErrorTimelineParams(
        scope=Scope(project_id=project.id, period=period),
        zone=zone,
        interval=INTERVAL.read(query) or ("hour" if is_short else "day"),
        fingerprint=FINGERPRINT.read(query),
    )


def select_timeline(params: ErrorTimelineParams, dialect: Dialect) -> Sql:
    """Write the SQL of the counts: a row a bucket."""
    scope = params.scope
    start = bucket(scope.period, params.interval, params.zone, dialect)
    source = scoped(scope)
    values: dict[str, Value] = {**source.values, **start.values, **ERROR_EVENT}
    condition: LiteralString = "name = $error_event"
    if params.fingerprint:
        condition += " AND error_fingerprint = $fingerprint"
        values["fingerprint"] = params.fingerprint
    return Sql(
        f"""
        SELECT {start.text} AS bucket, count(*) AS count
        FROM ({source.text}) AS event
        WHERE {condition}
        GROUP BY bucket
        ORDER BY bucket
        """,
        values,
    )


def read_timeline(params: ErrorTimelineParams, rows: Sequence[Row]) -> ErrorTimeline:
    """Shape the counts in order of time."""
    return ErrorTimeline(
        params.scope.period.text,
        params.interval,
        params.fingerprint or None,
        [
            ErrorBucket(
                encode_instant(_start(row["bucket"], params.zone)), row["count"]
            )
            for row in rows
        ],
    )


def _start(found: datetime | date, zone: ZoneInfo) -> datetime:
    return found if isinstance(found, datetime) else midnight(found, zone)


errors_timeline = Question(
    name="errors.timeline",
    path="/errors/timeline",
    meaning="In which hours or days errors happened, all or those of one bug.",
    parameters=(PERIOD, FINGERPRINT, INTERVAL),
    read_params=read_timeline_params,
    select=select_timeline,
    read=read_timeline,
)
