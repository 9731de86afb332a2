"""Events in ClickHouse. The only user of `clickhouse_connect`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

import clickhouse_connect
from clickhouse_connect.driver.exceptions import Error

from clamp_server.clock import Clock, now
from clamp_server.errors import StoreUnavailableError
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.event_row import event_row
from clamp_server.store.schema import EVENTS
from clamp_server.store.sql import Dialect, Row, Sql, Value

_HOLE = re.compile(r"\$([a-z_][a-z0-9_]*)")
_SETTINGS = {
    "join_use_nulls": 1,
    "aggregate_functions_null_for_empty": 1,
    "prefer_column_name_to_alias": 1,
    "union_default_mode": "DISTINCT",
}


class _ClickHouseDialect:
    """ClickHouse's spellings."""

    def has_key(self, column: LiteralString, key: LiteralString) -> LiteralString:
        return f"mapContains({column}, {key})"

    def each_key(self, column: LiteralString) -> LiteralString:
        return f"arrayJoin(mapKeys({column}))"


class ClickHouseStore:
    """One ClickHouse database with every event of this server."""

    def __init__(self, url: str, clock: Clock = now) -> None:
        self._clock = clock
        self._client = clickhouse_connect.get_client(
            dsn=url, autogenerate_session_id=False
        )
        columns = ", ".join(f"{c.name} {c.clickhouse}" for c in EVENTS)
        self._client.command(
            f"CREATE TABLE IF NOT EXISTS events ({columns}) ENGINE = MergeTree"
            " ORDER BY (project_id, occurred_at)"
        )
        self._seq = 0

    @property
    def dialect(self) -> Dialect:
        """ClickHouse's spellings."""
        return _ClickHouseDialect()

    def rows(self, sql: Sql) -> list[Row]:
        """Run `sql` and return every row, keyed by column name."""
        text = _HOLE.sub(lambda hole: _typed(hole[1], sql.values), sql.text)
        try:
            answer = self._client.query(
                text,
                parameters=dict(sql.values),
                settings=_SETTINGS,
                tz_mode="aware",
            )
        except Error as error:
            raise StoreUnavailableError(str(error)) from error
        return list(answer.named_results())

    def append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        """Store `events`; repeats of an id are not noticed yet."""
        first = max(self._seq + 1, int(self._clock().timestamp() * 1_000_000))
        self._seq = first + len(events)
        self._client.insert(
            "events",
            [event_row(event, first + n) for n, event in enumerate(events)],
            column_names=[c.name for c in EVENTS],
        )
        return [True] * len(events)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


def _typed(name: str, values: Mapping[str, Value]) -> str:
    value = values[name]
    if isinstance(value, bool):
        kind = "Bool"
    elif isinstance(value, int):
        kind = "Int64"
    elif isinstance(value, float):
        kind = "Float64"
    elif isinstance(value, datetime):
        kind = "DateTime64(6, 'UTC')"
    elif isinstance(value, str):
        kind = "String"
    elif value is None:
        kind = "Nullable(String)"
    else:
        kind = "Array(String)"
    return f"{{{name}:{kind}}}"
