"""Events in ClickHouse. The only user of `clickhouse_connect`."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from clamp_server.clock import Clock, now
from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.clickhouse_dialect import ClickHouseDialect
from clamp_server.store.event_columns import event_columns
from clamp_server.store.id_filter import EventId
from clamp_server.store.migration_step import steps_after
from clamp_server.store.sql import (
    QUESTION_TIMEOUT_S,
    REMEMBER_IDS,
    Row,
    Sql,
    Value,
    seq_at,
)

# A `seq` has the microseconds, and behind them who wrote: several processes do at
# once, and each event's is its own. An Int64 holds that until the year 2112.
WRITER_BITS = 11
WRITERS = 1 << WRITER_BITS
_HOLE = re.compile(r"\$([a-z_][a-z0-9_]*)")
# Where the two engines mean different things by the same text, ClickHouse is
# told to mean what DuckDB (and standard SQL) does.
_SETTINGS = {
    # An event that two processes have stored is one.
    "final": 1,
    "do_not_merge_across_partitions_select_final": 1,
    "aggregate_functions_null_for_empty": 1,
    "join_use_nulls": 1,
    "prefer_column_name_to_alias": 1,
    "union_default_mode": "DISTINCT",
}
_TYPES: Mapping[type, str] = {
    bool: "Bool",
    int: "Int64",
    float: "Float64",
    datetime: "DateTime64(6, 'UTC')",
    str: "String",
    type(None): "Nullable(String)",
}
_LARGEST_INT64 = 2**63 - 1


class ClickHouseStore:
    """Every event, in one ClickHouse database that several servers may write to.

    An id is looked up before its event is inserted. Two servers that are sent the
    same event within the same moment both insert it, and the table holds it once.

    Args:
        url: `clickhouse://user:password@host:port/database`; `clickhouses` for TLS.
        writer: Below `WRITERS`, another one for each process that writes at the
            same time; None leaves it to chance.

    Raises:
        ConfigError: It cannot be reached, or a newer release has written it.
    """

    dialect = ClickHouseDialect()

    def __init__(
        self,
        url: str,
        clock: Clock = now,
        timeout_s: float = QUESTION_TIMEOUT_S,
        writer: int | None = None,
    ) -> None:
        self._clock = clock
        parts = urlsplit(url)
        # Without the password.
        self._name = f"ClickHouse at {parts.hostname}"
        self._writer = secrets.randbelow(WRITERS) if writer is None else writer
        try:
            with self._translated(), ExitStack() as until_open:
                self._client = clickhouse_connect.get_client(
                    dsn=url,
                    # It does not look at the scheme itself.
                    interface="https" if parts.scheme == "clickhouses" else "http",
                    # A session would let one statement run at a time.
                    autogenerate_session_id=False,
                    settings={**_SETTINGS, "max_execution_time": timeout_s},
                )
                until_open.callback(self._client.close)
                self._migrate()
                (newest,) = self.rows(Sql("SELECT max(seq) AS seq FROM events"))
                until_open.pop_all()
        except StoreUnavailableError as error:
            raise ConfigError(f"cannot use {error}") from error
        self._last_at: int = (newest["seq"] or 0) >> WRITER_BITS

    def rows(self, sql: Sql) -> list[Row]:
        """Run `sql` and return every row, keyed by column name.

        Raises:
            StoreUnavailableError: The database cannot answer now.
        """
        text = _HOLE.sub(lambda hole: _typed_hole(hole[1], sql.values), sql.text)
        with self._translated():
            answer = self._client.query(
                text, parameters=dict(sql.values), tz_mode="aware"
            )
            return list(answer.named_results())

    def append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        """Insert `events`, those whose id is new, in one insert.

        Raises:
            StoreUnavailableError: Perhaps nothing of `events` was stored, or all.
        """
        stored = self._stored({(e.project_id, e.id) for e in events if e.id})
        is_first = []
        for event in events:
            one = (event.project_id, event.id)
            is_first.append(not event.id or one not in stored)
            stored.add(one)
        fresh = [e for e, first in zip(events, is_first, strict=True) if first]
        if fresh:
            self._insert(fresh)
        return is_first

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _migrate(self) -> None:
        self._client.command(
            "CREATE TABLE IF NOT EXISTS migration_steps (number Int32, name String)"
            " ENGINE = MergeTree ORDER BY number"
        )
        (row,) = self.rows(Sql("SELECT max(number) AS number FROM migration_steps"))
        for step in steps_after(row["number"] or 0, "clickhouse", self._name):
            for statement in step.statements:
                self._client.command(statement)
            self._client.insert("migration_steps", [[step.number, step.name]])

    def _stored(self, ids: Collection[EventId]) -> set[EventId]:
        if not ids:
            return set()
        found = self.rows(
            Sql(
                """
                SELECT DISTINCT project_id, id FROM event_ids
                WHERE project_id IN $projects AND id IN $ids AND seq >= $since
                """,
                {
                    "projects": list({project_id for project_id, _ in ids}),
                    "ids": [id_ for _, id_ in ids],
                    "since": seq_at(self._clock() - REMEMBER_IDS) << WRITER_BITS,
                },
            )
        )
        return {(row["project_id"], row["id"]) for row in found}

    def _insert(self, events: Sequence[EnrichedEvent]) -> None:
        first_at = max(self._last_at + 1, seq_at(self._clock()))
        self._last_at = first_at + len(events) - 1
        seqs = [
            at << WRITER_BITS | self._writer
            for at in range(first_at, self._last_at + 1)
        ]
        columns = event_columns(events, seqs)
        with self._translated():
            self._client.insert(
                "events",
                list(columns.values()),
                column_names=list(columns),
                column_oriented=True,
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ClickHouseError as error:
            raise StoreUnavailableError(f"{self._name}: {error}") from error


def _typed_hole(name: str, values: Mapping[str, Value]) -> str:
    value = values[name]
    if type(value) is int and value > _LARGEST_INT64:
        return f"{{{name}:UInt64}}"
    return f"{{{name}:{_TYPES.get(type(value), 'Array(String)')}}}"
