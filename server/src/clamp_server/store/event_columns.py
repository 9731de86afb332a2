"""Events as columns of the table `events`. Pure; both engines insert from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from operator import attrgetter, is_
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
# The event itself, as one of its parts.
_WHOLE = ""
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
    """For every column, the part of an event that has its cell, and how to read it."""
    found: dict[str, tuple[str, Callable[[Any], Any]]] = {
        column.name: (_WHOLE, attrgetter(column.name)) for column in EVENTS
    }
    for part, struct in _PARTS.items():
        for name in struct.__struct_fields__:
            found[name] = (part, attrgetter(name))
    for name in Bug.__struct_fields__:
        found[f"error_{name}"] = ("bug", attrgetter(name))
    for name in ("strings", "numbers", "booleans"):
        found[name] = ("properties", attrgetter(name))
    found["money_amounts"] = ("properties", _amounts)
    found["money_currencies"] = ("properties", _currencies)
    return found


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
        for part in (*_PARTS, "bug", "properties")
    }
    parts[_WHOLE] = events
    # The events of servers share an empty page, device, place and bug: half of all
    # columns.
    shared = {
        part
        for part, cells in parts.items()
        if cells and all(map(is_, cells, repeat(cells[0])))
    }
    columns: dict[str, Sequence[Any]] = {}
    for column, (part, cell) in _CELLS.items():
        if column == "seq":
            columns[column] = seqs
        elif part in shared:
            columns[column] = [cell(parts[part][0])] * len(events)
        else:
            columns[column] = list(map(cell, parts[part]))
    return columns
