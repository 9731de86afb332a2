"""Who is in a cohort, and on which days after they came back, as SQL.

A member is a person: a user with every visitor who was last linked to them, else a
visitor. The anchor is the day of a member's first cohort event in the cohort's
period; days are those of the project's time zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from zoneinfo import ZoneInfo

from clamp_server.model.cohort import CohortDefinition
from clamp_server.model.funnel import kind_of
from clamp_server.model.ids import ProjectId
from clamp_server.model.period import Period
from clamp_server.store.bucket_sql import bucket
from clamp_server.store.person_sql import with_person
from clamp_server.store.property_sql import property_sql
from clamp_server.store.sql import Dialect, Row, Sql, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortParams:
    """One cohort.

    Attributes:
        period: That of the definition, at the moment.
        until: Up to when its members are looked at.
    """

    project_id: ProjectId
    definition: CohortDefinition
    period: Period
    zone: ZoneInfo
    until: datetime


def select_size(params: CohortParams, dialect: Dialect) -> Sql:
    """Write the SQL of the number of members; it returns exactly one row."""
    cohort = _cohort_events(params, dialect)
    return Sql(
        f"SELECT count(DISTINCT person) AS size FROM ({cohort.text}) AS event",
        cohort.values,
    )


def read_size(rows: Sequence[Row]) -> int:
    """Return the number of members."""
    (row,) = rows
    size: int = row["size"]
    return size


def select_days(params: CohortParams, dialect: Dialect) -> Sql:
    """Write the SQL of the `members` who were active so many `days` after."""
    cohort = _cohort_events(params, dialect)
    whole = Period("", params.period.start, params.until)
    day = bucket(whole, "day", params.zone, dialect)
    active: LiteralString = f"""
        SELECT {_COLUMNS} FROM events
        WHERE project_id = $project_id AND name <> $page_end
          AND occurred_at >= $start AND occurred_at < $until
    """
    return Sql(
        f"""
        SELECT days, count(DISTINCT person) AS members
        FROM (
            SELECT member.person AS person,
                   date_diff('day', member.anchor, active.day) AS days
            FROM (
                SELECT person, min({day.text}) AS anchor FROM ({cohort.text}) AS event
                WHERE person IS NOT NULL
                GROUP BY person
            ) AS member
            JOIN (
                SELECT DISTINCT person, {day.text} AS day
                FROM ({with_person(active, ("occurred_at",), asks_all=True)}) AS event
            ) AS active ON member.person = active.person
        ) AS seen
        GROUP BY days
        """,
        {
            **cohort.values,
            **day.values,
            "page_end": "$pageview_end",
            "until": params.until,
        },
    )


def read_days(rows: Sequence[Row]) -> dict[int, int]:
    """Return the members who were active, by the days after their anchor."""
    return {row["days"]: row["members"] for row in rows}


# Named one by one: in ClickHouse a key is not among `*`.
_COLUMNS: LiteralString = "occurred_at, user_id, anonymous_id, visitor_key"


def _cohort_events(params: CohortParams, dialect: Dialect) -> Sql:
    """Write the SELECT of the events that make a person a member."""
    values: dict[str, Value] = {
        "project_id": params.project_id,
        "start": params.period.start,
        "end": params.period.end,
        "event": params.definition.event,
    }
    held: LiteralString = "true"
    if wanted := params.definition.filter:
        kind = kind_of(wanted.value)
        found = property_sql(wanted.property, kind, "property", dialect)
        held = f"{found.present} AND {found.value} = $value"
        values |= {**found.values, "value": wanted.value}
    events: LiteralString = f"""
        SELECT {_COLUMNS} FROM events
        WHERE project_id = $project_id AND name = $event AND {held}
          AND occurred_at >= $start AND occurred_at < $end
    """
    return Sql(with_person(events, ("occurred_at",)), values)
