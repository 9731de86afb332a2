"""Event questions: which events there were, and how often.

Bots are counted here, as is everything that was sent: an event is never missing
from its own count. `device_type=bot` shows those of crawlers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import msgspec
from msgspec import UNSET, UnsetType

from clamp_server.errors import InvalidRequestError
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import (
    FILTERS,
    LIMIT,
    PERIOD,
    Choice,
    Flag,
    Query,
    Text,
    read_pair,
    read_scope,
)
from clamp_server.store.property_sql import (
    PROPERTY_TYPES,
    PropertyType,
    property_sql,
)
from clamp_server.store.scope_sql import VISITORS, scoped_from_sessions
from clamp_server.store.sql import Dialect, Row, Sql, Value

NAME = Text("name", "an event's name; without it, custom events only")
PROPERTY = Text("property", "a property's key, together with `value`")
VALUE = Text("value", "what that property must be")
VALUE_TYPE: Choice[PropertyType] = Choice(
    "value_type", PROPERTY_TYPES, default="string"
)
GROUP_BY = Text("group_by", "a property's key")
GROUP_BY_TYPE: Choice[PropertyType] = Choice(
    "group_by_type", PROPERTY_TYPES, default="string"
)
COMPARE = Flag("compare")

_NOW = "FILTER (WHERE occurred_at >= $current_start)"
_BEFORE = "FILTER (WHERE occurred_at < $current_start)"
_COMPARED = (
    f"count(*) {_NOW} AS count, {VISITORS} {_NOW} AS visitors,"
    f" count(*) {_BEFORE} AS prev_count, {VISITORS} {_BEFORE} AS prev_visitors"
)


@dataclass(frozen=True, slots=True)
class PropertyKey:
    """A property's key in one of its types."""

    key: str
    kind: PropertyType


@dataclass(frozen=True, slots=True)
class PropertyMatch:
    """A property that must be there with exactly this value."""

    key: str
    kind: PropertyType
    value: str | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsParams:
    """What `events.list` can be asked with.

    Attributes:
        name: Empty for every custom event.
        compares: Whether the previous period is counted too; only without a
            name and a group.
    """

    scope: Scope
    limit: int = 10
    name: str = ""
    match: PropertyMatch | None = None
    group_by: PropertyKey | None = None
    compares: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """How often one event, or one group of it, occurred.

    Attributes:
        visitors: Distinct visitors; with `prev_count` and `prev_visitors`, only
            in a list of all custom events.
        group_value: The property that it is grouped by, as text.
    """

    name: str
    count: int
    visitors: int | UnsetType = UNSET
    prev_count: int | UnsetType = UNSET
    prev_visitors: int | UnsetType = UNSET
    group_value: str | UnsetType = UNSET


def read_events_params(query: Query, project: Project, now: datetime) -> EventsParams:
    """Read the parameters of `events.list`."""
    name, group_by = NAME.read(query), GROUP_BY.read(query)
    kind = GROUP_BY_TYPE.read(query)
    compares = bool(COMPARE.read(query))
    return EventsParams(
        scope=read_scope(query, project, now),
        limit=LIMIT.read(query),
        name=name,
        match=_match(query),
        group_by=PropertyKey(group_by, kind) if group_by else None,
        compares=compares and not name and not group_by,
    )


def _match(query: Query) -> PropertyMatch | None:
    pair, kind = read_pair(query, PROPERTY, VALUE), VALUE_TYPE.read(query)
    if pair is None:
        return None
    key, value = pair
    return PropertyMatch(key, kind, _value(value, kind))


def _value(text: str, kind: PropertyType) -> str | float | bool:
    if kind == "string":
        return text
    try:
        # As on the wire: `true`, and neither `True` nor `1_000` nor `inf`.
        return msgspec.json.decode(text, type=bool if kind == "boolean" else float)
    except msgspec.DecodeError as error:
        allowed = "true or false" if kind == "boolean" else "a finite number"
        raise InvalidRequestError(
            f"value: must be {allowed} with value_type={kind}; got {text[:50]!r}"
        ) from error


def select_events(params: EventsParams, dialect: Dialect) -> Sql:
    """Write the SQL of the counts: a row a name, or a name and group."""
    scope, group = params.scope, params.group_by
    start = scope.period.previous_start if params.compares else scope.period.start
    source = scoped_from_sessions(scope, dialect, start)
    wanted = _wanted(params, dialect)
    values = {**source.values, **wanted.values, "limit": params.limit}
    columns, condition, keys = "count(*) AS count", wanted.text, "name"
    if params.compares:
        columns = _COMPARED
        values["current_start"] = scope.period.start
    elif group:
        grouped = property_sql(group.key, group.kind, "group_by", dialect)
        columns = f"{grouped.value} AS group_value, {columns}"
        condition, keys = f"{condition} AND {grouped.present}", "name, group_value"
        values |= grouped.values
    elif not params.name:
        columns = f"{columns}, {VISITORS} AS visitors"
    return Sql(
        f"""
        SELECT name, {columns}
        FROM ({source.text}) AS event
        WHERE {condition}
        GROUP BY {keys}
        ORDER BY count DESC, {keys}
        LIMIT $limit
        """,
        values,
    )


def _wanted(params: EventsParams, dialect: Dialect) -> Sql:
    """Write the condition that `name` and `property` make."""
    text: LiteralString = "name NOT LIKE '$%'"
    values: dict[str, Value] = {}
    if params.name:
        text, values["name"] = "name = $name", params.name
    if match := params.match:
        found = property_sql(match.key, match.kind, "property", dialect)
        text = f"{text} AND {found.present} AND {found.value} = $value"
        values |= {**found.values, "value": match.value}
    return Sql(text, values)


def read_events(params: EventsParams, rows: Sequence[Row]) -> list[EventCount]:
    """Shape the counts, most frequent first, equal ones by name."""
    if params.group_by:
        return [
            EventCount(
                name=row["name"],
                count=row["count"],
                group_value=_group_text(row["group_value"]),
            )
            for row in rows
        ]
    return [EventCount(**row) for row in rows]


def _group_text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


events_list = Question(
    name="events.list",
    path="/events",
    meaning="How often each event occurred, or one event by a property's values.",
    parameters=(
        PERIOD,
        LIMIT,
        NAME,
        PROPERTY,
        VALUE,
        VALUE_TYPE,
        GROUP_BY,
        GROUP_BY_TYPE,
        COMPARE,
        *FILTERS,
    ),
    read_params=read_events_params,
    select=select_events,
    read=read_events,
)
