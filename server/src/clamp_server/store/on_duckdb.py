"""Events in one DuckDB file. The only user of the `duckdb` library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import duckdb
import pyarrow as pa

from clamp_server.clock import Clock, now
from clamp_server.errors import StoreUnavailableError
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.event_row import event_row
from clamp_server.store.schema import EVENTS
from clamp_server.store.sql import Dialect, Row, Sql, Value

_ARROW_TYPES: Mapping[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "MAP(VARCHAR, VARCHAR)": pa.map_(pa.string(), pa.string()),
    "MAP(VARCHAR, DOUBLE)": pa.map_(pa.string(), pa.float64()),
    "MAP(VARCHAR, BOOLEAN)": pa.map_(pa.string(), pa.bool_()),
    "MAP(VARCHAR, DECIMAL(38, 18))": pa.map_(pa.string(), pa.decimal128(38, 18)),
}
_ARROW_SCHEMA = pa.schema([(c.name, _ARROW_TYPES[c.duckdb]) for c in EVENTS])


class _DuckDBDialect:
    """DuckDB's spellings."""

    def has_key(self, column: LiteralString, key: LiteralString) -> LiteralString:
        return f"map_contains({column}, {key})"

    def each_key(self, column: LiteralString) -> LiteralString:
        return f"unnest(map_keys({column}))"


class DuckDBStore:
    """One DuckDB file with every event of this server."""

    def __init__(
        self, path: Path | None, memory_mb: int = 192, clock: Clock = now
    ) -> None:
        self._clock = clock
        self._connection = duckdb.connect(
            ":memory:" if path is None else str(path),
            config={"memory_limit": f"{memory_mb}MB", "threads": 2},
        )
        columns = ", ".join(f"{c.name} {c.duckdb} NOT NULL" for c in EVENTS)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS events ({columns})")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS event_ids"
            " (project_id VARCHAR, id VARCHAR, PRIMARY KEY (project_id, id))"
        )
        newest = self._connection.execute("SELECT max(seq) FROM events").fetchone()
        self._seq: int = newest[0] or 0 if newest else 0

    @property
    def dialect(self) -> Dialect:
        """DuckDB's spellings."""
        return _DuckDBDialect()

    def rows(self, sql: Sql) -> list[Row]:
        """Run `sql` and return every row, keyed by column name."""
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(sql.text, {k: _inside(v) for k, v in sql.values.items()})
                names = [column[0] for column in cursor.description or ()]
                found = cursor.fetchall()
            except duckdb.Error as error:
                raise StoreUnavailableError(str(error)) from error
        return [dict(zip(names, map(_outside, row), strict=True)) for row in found]

    def append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        """Store `events` in one durable transaction; return when it is on disk."""
        self._connection.begin()
        try:
            stored = self._append(events)
            self._connection.commit()
        except duckdb.Error as error:
            self._connection.rollback()
            raise StoreUnavailableError(str(error)) from error
        return stored

    def _append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        stored: list[bool] = []
        fresh: list[EnrichedEvent] = []
        for event in events:
            is_new = not event.id or bool(
                self._connection.execute(
                    "INSERT INTO event_ids VALUES (?, ?) ON CONFLICT DO NOTHING"
                    " RETURNING 1",
                    [event.project_id, event.id],
                ).fetchone()
            )
            stored.append(is_new)
            if is_new:
                fresh.append(event)
        if fresh:
            first = max(self._seq + 1, int(self._clock().timestamp() * 1_000_000))
            self._seq = first + len(fresh) - 1
            cells = zip(*map(event_row, fresh, range(first, first + len(fresh))))
            table = pa.table(
                [
                    pa.array(
                        [list(v.items()) if isinstance(v, dict) else v for v in column],
                        type=field.type,
                    )
                    for column, field in zip(cells, _ARROW_SCHEMA, strict=True)
                ],
                schema=_ARROW_SCHEMA,
            )
            self._connection.register("incoming", table)
            self._connection.execute("INSERT INTO events SELECT * FROM incoming")
            self._connection.unregister("incoming")
        return stored

    def close(self) -> None:
        """Write everything out and let the files go."""
        self._connection.close()


def _inside(value: Value) -> Value:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _outside(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value
