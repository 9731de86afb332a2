"""Events as one Arrow batch, which DuckDB reads where it lies.

The only user of `pyarrow`. Of the ways to hand 1,000 events to DuckDB from
Python this one took the least: see `docs/reasons/storage.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # It ships no types.

from clamp_server.errors import ClampServerError
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.event_columns import event_columns
from clamp_server.store.schema import EVENTS


class UnstorableError(ClampServerError):
    """A value that no column can hold, such as a size beyond 32 bits."""


def event_batch(events: Sequence[EnrichedEvent], seqs: Sequence[int]) -> pa.RecordBatch:
    """Return the events with their columns in the order of `schema.EVENTS`.

    Raises:
        UnstorableError: A value does not fit its column.
    """
    columns = event_columns(events, seqs)
    try:
        arrays = [_ARRAYS[c.duckdb](columns[c.name]) for c in EVENTS]
    except (pa.ArrowException, UnicodeError, OverflowError, TypeError) as error:
        raise UnstorableError(str(error)) from error
    return pa.RecordBatch.from_arrays(arrays, names=[c.name for c in EVENTS])


def _plain(kind: pa.DataType) -> Callable[[Sequence[Any]], pa.Array]:
    def array(cells: Sequence[Any]) -> pa.Array:
        # Most columns of a server's events hold one value: not to look at each cell
        # takes a third off the whole batch.
        if cells and cells[0] is cells[-1] and cells.count(cells[0]) == len(cells):
            return pa.repeat(pa.scalar(cells[0], kind), len(cells))
        return pa.array(cells, kind)

    return array


def _instants(cells: Sequence[Any]) -> pa.Array:
    # The same microseconds, without the zone that DuckDB's TIMESTAMP lacks.
    return _UTC_INSTANTS(cells).view(pa.timestamp("us"))


_UTC_INSTANTS = _plain(pa.timestamp("us", "UTC"))


def _maps(kind: pa.DataType) -> Callable[[Sequence[Any]], pa.Array]:
    def array(cells: Sequence[dict[str, Any]]) -> pa.Array:
        # All keys and all values in a row, and where each map begins: five times
        # as fast as letting Arrow look into every map.
        begins = list(accumulate(map(len, cells), initial=0))
        return pa.MapArray.from_arrays(
            pa.array(begins, pa.int32()),
            pa.array(list(chain.from_iterable(cells)), pa.string()),
            pa.array(list(chain.from_iterable(map(dict.values, cells))), kind),
        )

    return array


_ARRAYS: dict[str, Callable[[Sequence[Any]], pa.Array]] = {
    "VARCHAR": _plain(pa.string()),
    "BIGINT": _plain(pa.int64()),
    "INTEGER": _plain(pa.int32()),
    "BOOLEAN": _plain(pa.bool_()),
    "TIMESTAMP": _instants,
    "MAP(VARCHAR, VARCHAR)": _maps(pa.string()),
    "MAP(VARCHAR, DOUBLE)": _maps(pa.float64()),
    "MAP(VARCHAR, BOOLEAN)": _maps(pa.bool_()),
    "MAP(VARCHAR, DECIMAL(38, 18))": _maps(pa.decimal128(38, 18)),
}
