"""Events as one Arrow batch, which DuckDB reads where it lies.

The only user of `pyarrow`. Of the ways to hand 1,000 events to DuckDB from
Python this one took the least: see `docs/reasons/storage.md`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # It ships no types.

from clamp_server.errors import ClampServerError
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.event_columns import event_columns
from clamp_server.store.schema import EVENTS

# Arrow's own pool keeps what it once had: 20 MB more after a million events.
pa.set_memory_pool(pa.system_memory_pool())


class UnstorableError(ClampServerError):
    """A value that no column can hold, such as a size beyond 32 bits."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in the order of their `seq`.

    Attributes:
        rows: With the columns of `schema.EVENTS`, in their order.
    """

    seqs: Sequence[int]
    rows: pa.RecordBatch

    def after(self, seq: int) -> EventBatch:
        """Return the events whose `seq` is above."""
        first = bisect_right(self.seqs, seq)
        if not first:
            return self
        return EventBatch(self.seqs[first:], self.rows.slice(first))


def event_batch(events: Sequence[EnrichedEvent], seqs: Sequence[int]) -> EventBatch:
    """Return the events as columns.

    Raises:
        UnstorableError: A value does not fit its column.
    """
    columns = event_columns(events, seqs)
    try:
        arrays = [_ARRAYS[c.duckdb](columns[c.name]) for c in EVENTS]
    except (pa.ArrowException, UnicodeError, OverflowError, TypeError) as error:
        raise UnstorableError(str(error)) from error
    rows = pa.RecordBatch.from_arrays(arrays, names=[c.name for c in EVENTS])
    return EventBatch(seqs, rows)


def _plain(kind: pa.DataType) -> Callable[[Sequence[Any]], pa.Array]:
    def array(cells: Sequence[Any]) -> pa.Array:
        if _is_one_value(cells):
            return pa.repeat(pa.scalar(cells[0], kind), len(cells))
        return pa.array(cells, kind)

    return array


def _instants(cells: Sequence[datetime]) -> pa.Array:
    # As the time since 1970, which Arrow reads in a sixth of the time, because it asks
    # no instant for its zone.
    since = pa.array([cell - _EPOCH for cell in cells], pa.duration("us"))
    return since.view(pa.timestamp("us"))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _maps(kind: pa.DataType) -> Callable[[Sequence[Any]], pa.Array]:
    def array(cells: Sequence[dict[str, Any]]) -> pa.Array:
        # All keys and all values in a row, and where each map begins: five times
        # as fast as letting Arrow look into every map.
        if _is_one_value(cells) and not cells[0]:
            begins = pa.repeat(pa.scalar(0, pa.int32()), len(cells) + 1)
        else:
            lengths = map(len, cells)
            begins = pa.array(list(accumulate(lengths, initial=0)), pa.int32())
        return pa.MapArray.from_arrays(
            begins,
            pa.array(list(chain.from_iterable(cells)), pa.string()),
            pa.array(list(chain.from_iterable(map(dict.values, cells))), kind),
        )

    return array


def _is_one_value(cells: Sequence[Any]) -> bool:
    # Most columns of a server's events hold one: not to look at each cell takes a
    # third off the whole batch.
    return bool(cells) and cells[0] is cells[-1] and cells.count(cells[0]) == len(cells)


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
