"""Which values one text property of one event has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import PERIOD, Query, Text, Whole
from clamp_server.store.property_sql import property_sql
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Dialect, Row, Sql

EVENT = Text("event", "an event's name", is_required=True)
PROPERTY = Text("property", "a text property's key", is_required=True)
LIMIT = Whole("limit", least=1, most=200, usual=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyValuesParams:
    """What `events.property_values` can be asked with."""

    scope: Scope
    event: str
    property: str
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How many events have one value."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class PropertyValues:
    """The most frequent values first, equal ones in order of the alphabet."""

    event: str
    property: str
    period: str
    values: list[ValueCount]


def read_values_params(
    query: Query, project: Project, now: datetime
) -> PropertyValuesParams:
    """Read the parameters of `events.property_values`."""
    return PropertyValuesParams(
        event=EVENT.read(query),
        property=PROPERTY.read(query),
        scope=Scope(project_id=project.id, period=PERIOD.read(query, project, now)),
        limit=LIMIT.read(query),
    )


def select_values(params: PropertyValuesParams, dialect: Dialect) -> Sql:
    """Write the SQL of the values: a row each."""
    source = scoped(params.scope)
    found = property_sql(params.property, "string", "property", dialect)
    return Sql(
        f"""
        SELECT {found.value} AS value, count(*) AS count
        FROM ({source.text}) AS event
        WHERE name = $event AND {found.present}
        GROUP BY value
        ORDER BY count DESC, value
        LIMIT $limit
        """,
        {
            **source.values,
            **found.values,
            "event": params.event,
            "limit": params.limit,
        },
    )


def read_values(params: PropertyValuesParams, rows: Sequence[Row]) -> PropertyValues:
    """Shape the values in the order of the rows."""
    return PropertyValues(
        params.event,
        params.property,
        params.scope.period.text,
        [ValueCount(**row) for row in rows],
    )


property_values = Question(
    name="events.property_values",
    path="/property-values",
    meaning="Which values a text property of an event has, and how often each.",
    parameters=(EVENT, PROPERTY, PERIOD, LIMIT),
    read_params=read_values_params,
    select=select_values,
    read=read_values,
)
