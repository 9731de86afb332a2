"""Events as columns of the table `events`. Pure; both engines insert from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any

from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.store.schema import EVENTS

# Attributes of an event whose own attributes are columns of the same name.
_PARTS = {"page": Page, "arrival": Arrival, "device": Device, "place": Place}
_NO_AMOUNTS: Mapping[str, Decimal] = {}
_NO_CURRENCIES: Mapping[str, str] = {}


def _amounts(properties: Properties) -> Mapping[str, Decimal]:
    if not properties.money:
        return _NO_AMOUNTS
    return {key: money.amount for key, money in properties.money.items()}


def _currencies(properties: Properties) -> Mapping[str, str]:
    if not properties.money:
        return _NO_CURRENCIES
    return {key: money.currency for key, money in properties.money.items()}


def _cells() -> dict[str, tuple[str, Callable[[Any], Any]]]:
    found: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "money_amounts": ("properties", _amounts),
        "money_currencies": ("properties", _currencies),
    }
    for name in ("strings", "numbers", "booleans"):
        found[name] = ("properties", attrgetter(name))
    for name in Bug.__struct_fields__:
        found[f"error_{name}"] = ("bug", attrgetter(name))
    for part, struct in _PARTS.items():
        for name in struct.__struct_fields__:
            found[name] = (part, attrgetter(name))
    return found


# Column to the part of an event that has its cells, and how to read one; the
# others are attributes of the event itself.
_CELLS = _cells()


def event_columns(
    events: Sequence[EnrichedEvent], seqs: Sequence[int]
) -> dict[str, Sequence[Any]]:
    """Return the cells of every column, in the order of `schema.EVENTS`.

    Args:
        seqs: The store's own column, one number an event.
    """
    # Part by part and column by column: 2 us an event, where one dotted getter
    # a column takes 5 and a tuple a row with their transposition 6.
    parts: dict[str, Sequence[Any]] = {
        part: list(map(attrgetter(part), events))
        for part in (*_PARTS, "properties", "bug")
    }
    columns: dict[str, Sequence[Any]] = {}
    for column in EVENTS:
        if column.name == "seq":
            columns[column.name] = seqs
        elif column.name in _CELLS:
            part, cell = _CELLS[column.name]
            columns[column.name] = list(map(cell, parts[part]))
        else:
            columns[column.name] = list(map(attrgetter(column.name), events))
    return columns
