"""Events as columns of the table `events`. Pure; both engines insert from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from clamp_server.model.event import Arrival, Bug, Device, EnrichedEvent, Page, Place
from clamp_server.model.money import Money
from clamp_server.store.schema import EVENTS

# A part's attributes are columns of the same name, but for those of a bug.
_PARTS = {
    **{name: f"page.{name}" for name in Page.__struct_fields__},
    **{name: f"arrival.{name}" for name in Arrival.__struct_fields__},
    **{name: f"device.{name}" for name in Device.__struct_fields__},
    **{name: f"place.{name}" for name in Place.__struct_fields__},
    **{f"error_{name}": f"bug.{name}" for name in Bug.__struct_fields__},
    **{name: f"properties.{name}" for name in ("strings", "numbers", "booleans")},
}


def _of_money(attribute: str) -> Callable[[EnrichedEvent], dict[str, Any]]:
    of_one: Callable[[Money], Any] = attrgetter(attribute)

    def of_event(event: EnrichedEvent) -> dict[str, Any]:
        return {key: of_one(money) for key, money in event.properties.money.items()}

    return of_event


def _cell(column: str) -> Callable[[EnrichedEvent], Any]:
    if column == "money_amounts":
        return _of_money("amount")
    if column == "money_currencies":
        return _of_money("currency")
    return attrgetter(_PARTS.get(column, column))


# Column by column and not row by row: an attribute getter costs 60 ns a value,
# where a tuple a row and their transposition cost 140.
_CELLS = [(column, _cell(column.name)) for column in EVENTS]


def event_columns(
    events: Sequence[EnrichedEvent], seqs: Sequence[int]
) -> dict[str, Sequence[Any]]:
    """Return the cells of every column, in the order of `schema.EVENTS`.

    Args:
        seqs: The store's own column, one number an event.
    """
    return {
        column.name: seqs if column.name == "seq" else list(map(cell, events))
        for column, cell in _CELLS
    }
