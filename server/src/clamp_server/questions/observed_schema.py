"""Which properties events really carry, and of which types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, LiteralString, TypeAlias

from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import PERIOD, Flag, Query
from clamp_server.store.property_sql import ERROR_EVENT, ERROR_HANDLED, ERROR_TEXTS
from clamp_server.store.scope_sql import scoped
from clamp_server.store.sql import Dialect, Row, Sql

SchemaType: TypeAlias = Literal["string", "number", "boolean", "money"]

INCLUDE_PAGEVIEWS = Flag("include_pageviews")

_MAPS: tuple[tuple[SchemaType, LiteralString], ...] = (
    ("string", "strings"),
    ("number", "numbers"),
    ("boolean", "booleans"),
    ("money", "money_amounts"),
)
_CUSTOM: LiteralString = "name NOT LIKE '$%'"


@dataclass(frozen=True, slots=True)
class SchemaParams:
    """What `events.observed_schema` can be asked with.

    Attributes:
        includes_system: Whether events whose name starts with `$` are listed.
    """

    scope: Scope
    includes_system: bool = False


@dataclass(frozen=True, slots=True)
class TypeCount:
    """How many events carry a property in this type."""

    type: SchemaType
    occurrences: int


@dataclass(frozen=True, slots=True)
class EventSchema:
    """One event's properties.

    Attributes:
        properties: Keys in order of the alphabet; a key's types by occurrences.
            Two types under one key are a sign of drift.
    """

    name: str
    count: int
    properties: dict[str, list[TypeCount]]


@dataclass(frozen=True, slots=True)
class ObservedSchema:
    """Every event name of a period, most frequent first."""

    period: str
    events: list[EventSchema]


def read_schema_params(query: Query, project: Project, now: datetime) -> SchemaParams:
    """Read the parameters of `events.observed_schema`."""
    period = PERIOD.read(query, project, now)
    return SchemaParams(
        Scope(project_id=project.id, period=period),
        includes_system=bool(INCLUDE_PAGEVIEWS.read(query)),
    )


def select_schema(params: SchemaParams, dialect: Dialect) -> Sql:
    """Write the SQL of the schema: a row a name, key and type.

    The row whose key is empty counts the events of its name.
    """
    source = scoped(params.scope)
    values = dict(source.values)
    condition: LiteralString = "true" if params.includes_system else _CUSTOM
    # Written out in every branch: DuckDB would keep a shared CTE in memory.
    events: LiteralString = f"({source.text}) AS event WHERE {condition}"
    branches: list[LiteralString] = [
        f"SELECT name, '' AS key, '' AS type, count(*) AS occurrences"
        f" FROM {events} GROUP BY name"
    ]
    for kind, column in _MAPS:
        keys = dialect.each(dialect.keys(column))
        branches.append(
            f"SELECT name, key, '{kind}' AS type, count(*) AS occurrences"
            f" FROM (SELECT name, {keys} AS key FROM {events}) AS keyed"
            f" GROUP BY name, key"
        )
    if params.includes_system:
        branches += _error_branches(events)
        values |= ERROR_EVENT
    return Sql(" UNION ALL ".join(branches), values)


def _error_branches(events: LiteralString) -> list[LiteralString]:
    """Write the rows of the `error.*` properties, which are columns."""
    facts: list[tuple[LiteralString, LiteralString, LiteralString]] = [
        (key, "string", f"{column} <> ''") for key, column in ERROR_TEXTS.items()
    ]
    facts.append((ERROR_HANDLED, "boolean", "name = $error_event"))
    return [
        f"SELECT name, '{key}' AS key, '{kind}' AS type, count(*) AS occurrences"
        f" FROM {events} AND {present} GROUP BY name"
        for key, kind, present in facts
    ]


def read_schema(params: SchemaParams, rows: Sequence[Row]) -> ObservedSchema:
    """Gather the rows by name and key."""
    counts: dict[str, int] = {}
    types: dict[str, dict[str, list[TypeCount]]] = defaultdict(dict)
    # The most frequent type first, equal ones by name.
    for row in sorted(rows, key=lambda row: (-row["occurrences"], row["type"])):
        name, key = row["name"], row["key"]
        if key:
            found = TypeCount(row["type"], row["occurrences"])
            types[name].setdefault(key, []).append(found)
        else:
            counts[name] = row["occurrences"]
    return ObservedSchema(
        params.scope.period.text,
        [
            EventSchema(name, counts[name], dict(sorted(types[name].items())))
            for name in sorted(counts, key=lambda name: (-counts[name], name))
        ],
    )


observed_schema = Question(
    name="events.observed_schema",
    path="/observed-schema",
    meaning="Which properties every event carries, and of which types.",
    parameters=(PERIOD, INCLUDE_PAGEVIEWS),
    read_params=read_schema_params,
    select=select_schema,
    read=read_schema,
)
