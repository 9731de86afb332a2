"""One property of an event, as SQL: whether it is there, and its value.

The `error.*` properties of an `$error` are columns of their own; under their
keys they can be asked for like any other property.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, LiteralString, TypeAlias

from clamp_server.store.sql import Dialect, Value

PropertyType: TypeAlias = Literal["string", "number", "boolean"]
PROPERTY_TYPES: tuple[PropertyType, ...] = ("string", "number", "boolean")

ERROR_TEXTS: Final[Mapping[LiteralString, LiteralString]] = {
    "error.message": "error_message",
    "error.type": "error_type",
    "error.stack": "error_stack",
}
ERROR_HANDLED = "error.handled"
# `$` in a statement's text begins a hole, so the name goes in as a value.
ERROR_EVENT: Final[Mapping[str, Value]] = {"error_event": "$error"}

_MAPS: Final[Mapping[PropertyType, LiteralString]] = {
    "string": "strings",
    "number": "numbers",
    "boolean": "booleans",
}


@dataclass(frozen=True, slots=True)
class PropertySql:
    """Two expressions over a row of `events`, and what they bind.

    Attributes:
        present: Whether the event has the property in this type.
        value: The property, where it is present.
    """

    present: LiteralString
    value: LiteralString
    values: Mapping[str, Value]


def property_sql(
    key: str, kind: PropertyType, hole: LiteralString, dialect: Dialect
) -> PropertySql:
    """Write the expressions for the property `key` of type `kind`.

    Args:
        hole: Name under which the key is bound.
    """
    column = _MAPS[kind]
    present, value = dialect.has_key(column, f"${hole}"), f"{column}[${hole}]"
    values: dict[str, Value] = {hole: key}
    if kind == "string" and key in ERROR_TEXTS:
        text = ERROR_TEXTS[key]
        present = f"({text} <> '' OR {present})"
        value = f"CASE WHEN {text} <> '' THEN {text} ELSE {value} END"
    elif kind == "boolean" and key == ERROR_HANDLED:
        is_error = "name = $error_event"
        present = f"({is_error} OR {present})"
        value = f"CASE WHEN {is_error} THEN error_handled ELSE {value} END"
        values |= ERROR_EVENT
    elif kind == "number":
        # One group for 0.0 and -0.0, which only one of the stores tells apart.
        value = f"{value} + 0.0"
    return PropertySql(present, value, values)
