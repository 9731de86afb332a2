"""Events as one Arrow batch, which DuckDB reads where it lies.

The only user of `nanoarrow`. Of the ways to hand 1,000 events to DuckDB from
Python this one took the least: see `docs/reasons/storage.md`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from itertools import accumulate, chain, repeat
from typing import Any

import nanoarrow as na  # type: ignore[import-untyped]  # It ships no types.
from nanoarrow.c_array import CArray  # type: ignore[import-untyped]

from clamp_server.errors import ClampServerError
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.event_columns import event_columns
from clamp_server.store.schema import EVENTS, Column


class UnstorableError(ClampServerError):
    """A value that no column can hold, such as a size beyond 32 bits."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in the order of their `seq`.

    Attributes:
        rows: Of the Arrow type of a struct, with the columns of `schema.EVENTS`.
    """

    seqs: Sequence[int]
    rows: CArray

    def after(self, seq: int) -> EventBatch:
        """Return the events whose `seq` is above."""
        first = bisect_right(self.seqs, seq)
        if not first:
            return self
        return EventBatch(self.seqs[first:], self.rows[first:])


def event_batch(events: Sequence[EnrichedEvent], seqs: Sequence[int]) -> EventBatch:
    """Return the events as columns.

    Raises:
        UnstorableError: A value does not fit its column.
    """
    columns = event_columns(events, seqs)
    arrays = [_array(column, columns[column.name]) for column in EVENTS]
    rows = na.c_array_from_buffers(_ROW, len(seqs), [None], children=arrays)
    return EventBatch(seqs, rows)


def _array(column: Column, cells: Sequence[Any]) -> CArray:
    try:
        return _KINDS[column.duckdb].array(cells)
    except (ArithmeticError, TypeError, ValueError) as error:
        # What nanoarrow says itself is which of its functions failed.
        why = error.__cause__ or error
        raise UnstorableError(f"{column.name}: {why}") from error


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of columns, and how cells become an array of it."""

    type: na.Schema
    array: Callable[[Sequence[Any]], CArray]


def _plain(type_: na.Schema) -> _Kind:
    return _Kind(type_, lambda cells: na.c_array(cells, type_))


def _numbers(type_: na.Schema, code: str) -> _Kind:
    """Return a kind of columns whose cells lie as in a Python array of that code."""
    return _Kind(type_, lambda cells: na.c_array(array(code, cells), type_))


def _instants(cells: Sequence[datetime]) -> CArray:
    since = array("q", [(cell - _EPOCH) // _MICROSECOND for cell in cells])
    return na.c_array_from_buffers(_INSTANT, len(cells), [None, since])


_INSTANT = na.timestamp("us")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _amounts(cells: Sequence[Decimal]) -> CArray:
    # Each is a whole number of the last decimal, in 16 bytes.
    packed = b"".join(
        [_in_last_decimals(cell).to_bytes(16, "little", signed=True) for cell in cells]
    )
    return na.c_array_from_buffers(_AMOUNT, len(cells), [None, packed])


def _in_last_decimals(amount: Decimal) -> int:
    try:
        return int(_EXACT.scaleb(_EXACT.quantize(amount, _LAST), 18))
    except (Inexact, InvalidOperation):
        why = f"{amount} has over 18 decimals or 20 digits before"
        raise ValueError(why) from None


_AMOUNT = na.decimal128(38, 18)
_LAST = Decimal("1e-18")
_EXACT = Context(prec=38, traps=[Inexact, InvalidOperation])


def _maps(values: _Kind) -> _Kind:
    pair = na.struct({"key": na.string(), "value": values.type})
    maps = na.map_(na.string(), values.type)

    def maps_array(cells: Sequence[dict[str, Any]]) -> CArray:
        # All keys and all values in a row, and where each map begins. Most columns of
        # maps are empty.
        filled = list(filter(None, cells))
        lengths = map(len, cells) if filled else repeat(0, len(cells))
        begins = array("i", accumulate(lengths, initial=0))
        pairs = na.c_array_from_buffers(
            pair,
            begins[-1],
            [None],
            children=[
                na.c_array(list(chain.from_iterable(filled)), na.string()),
                values.array(list(chain.from_iterable(map(dict.values, filled)))),
            ],
        )
        return na.c_array_from_buffers(
            maps, len(cells), [None, begins], children=[pairs]
        )

    return _Kind(maps, maps_array)


_TEXT = _plain(na.string())
_KINDS = {
    "VARCHAR": _TEXT,
    "BIGINT": _numbers(na.int64(), "q"),
    "INTEGER": _numbers(na.int32(), "i"),
    "BOOLEAN": _plain(na.bool_()),
    "TIMESTAMP": _Kind(_INSTANT, _instants),
    "MAP(VARCHAR, VARCHAR)": _maps(_TEXT),
    "MAP(VARCHAR, DOUBLE)": _maps(_numbers(na.float64(), "d")),
    "MAP(VARCHAR, BOOLEAN)": _maps(_plain(na.bool_())),
    "MAP(VARCHAR, DECIMAL(38, 18))": _maps(_Kind(_AMOUNT, _amounts)),
}
_ROW = na.struct({column.name: _KINDS[column.duckdb].type for column in EVENTS})
