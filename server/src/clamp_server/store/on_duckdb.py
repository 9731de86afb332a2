"""Events in one DuckDB file. The only user of the `duckdb` library."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Timer
from typing import Any

import duckdb

from clamp_server.clock import Clock, now
from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.store.duckdb_dialect import DuckDBDialect
from clamp_server.store.event_batch import EventBatch, UnstorableError, event_batch
from clamp_server.store.id_filter import EventId, IdPage
from clamp_server.store.journal import Group, Journal
from clamp_server.store.journaled_store import JournaledStore
from clamp_server.store.migration_step import steps_after
from clamp_server.store.placing_sql import (
    CHOOSE,
    DONE,
    FORGET,
    GIVE_UP,
    NOTE,
    PLACE,
)
from clamp_server.store.private_path import make_private_directory
from clamp_server.store.sql import QUESTION_TIMEOUT_S, Row, Sql, Value

DEFAULT_MEMORY_MB = 192
# Each needs memory of its own. With two, questions take three fifths of their time.
MOST_THREADS = 2
# What is in DuckDB's log is folded into the file at so many events, as one row
# group of over three quarters, because smaller ones are merged later at eight
# times the price; or at this size, which takes 0.7 s to read back after a crash.
# See docs/reasons/storage.md.
FOLD_AT_EVENTS = 95_000
FOLD_AT_BYTES = 64 * 1024 * 1024
# So many events are joined into pieces (see `piece_sql`) together: more make fewer
# pieces, and until then every question reads them one by one. After an update all of
# a file may have to be; it is joined this many at a time, because joining takes memory.
# More than a million would be cut by a LIMIT of migration 3.
JOIN_AT_EVENTS = 10_000
JOIN_AT_MOST = 100_000
# What questions that need more memory may put on disk.
SPILL_MB = 2048

# Events from a table or a view of that name.
INSERT = """
    INSERT INTO events BY NAME
    SELECT *, id_key(anonymous_id) AS visitor_key, id_key(session_id) AS session_key
    FROM incoming
"""
_NEXT_TO_JOIN = """
    SELECT joined_until.seq, (
        SELECT max(seq) FROM (
            SELECT seq FROM events WHERE seq > (SELECT seq FROM joined_until)
            ORDER BY seq LIMIT $most
        )
    ) FROM joined_until
"""
_JOIN = (
    "INSERT INTO joined_pieces BY NAME SELECT * FROM new_pieces($after, $until)",
    "INSERT INTO joined_path_pieces SELECT * FROM new_path_pieces($after, $until)",
)


class DuckDBStore(JournaledStore):
    """Every event of this server, in one DuckDB file and the journal beside it.

    Args:
        path: The file; made when it is missing. None keeps all in memory.
        memory_mb: What DuckDB may take for itself.
        timeout_s: A question that takes longer is stopped.
        join_at_events: Events that are joined into pieces together.

    Raises:
        ConfigError: A file cannot be opened, or another process has it.
    """

    def __init__(
        self,
        path: Path | None,
        memory_mb: int = DEFAULT_MEMORY_MB,
        clock: Clock = now,
        timeout_s: float = QUESTION_TIMEOUT_S,
        join_at_events: int = JOIN_AT_EVENTS,
    ) -> None:
        file = DuckDBFile(path, memory_mb, timeout_s, join_at_events=join_at_events)
        try:
            journal = Journal(path and path.with_suffix(".journal"))
        except ConfigError:
            file.close()
            raise
        super().__init__(file, journal, clock)


class DuckDBFile:
    """The DuckDB file alone: what it is asked and what is loaded into it."""

    dialect = DuckDBDialect()

    def __init__(
        self,
        path: Path | None,
        memory_mb: int = DEFAULT_MEMORY_MB,
        timeout_s: float = QUESTION_TIMEOUT_S,
        fold_at_events: int = FOLD_AT_EVENTS,
        join_at_events: int = JOIN_AT_EVENTS,
    ) -> None:
        self._path = path
        self._fold_at_events = fold_at_events
        self._join_at_events = join_at_events
        self._memory_mb = memory_mb
        self._timeout_s = timeout_s
        self._mending = Lock()
        self._is_broken = False
        # Of the newest event; None when it has to be asked.
        self._last_seq: int | None = None
        # Events that are in no piece yet; None when it has to be asked.
        self._unjoined_events: int | None = None
        self._unfolded_events = 0
        if path is not None:
            make_private_directory(path.parent)
            _check_log(path)
        try:
            self._connection = self._connect(is_first=True)
        except duckdb.Error as error:
            raise ConfigError(_cannot_open(path, error)) from error

    def rows(self, sql: Sql) -> list[Row]:
        """Run `sql` and return every row, keyed by column name."""
        values = {name: _inside(value) for name, value in sql.values.items()}
        with self._cursor() as cursor:
            stop = Timer(self._timeout_s, cursor.interrupt)
            stop.start()
            try:
                found = cursor.execute(sql.text, values).fetchall()
            finally:
                stop.cancel()
            names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, map(_outside, row), strict=True)) for row in found]

    def last_seq(self) -> int:
        """Return the newest event's `seq`; 0 without events."""
        (row,) = self._asked("SELECT coalesce(max(seq), 0) FROM events")
        return int(row[0])

    def prepare(self, groups: Sequence[Group]) -> EventBatch:
        """Make of groups what `load` takes, which needs no database.

        Raises:
            UnstorableError: A value fits no column.
        """
        return event_batch(
            [event for group in groups for event in group.events],
            [seq for group in groups for seq in group.seqs],
        )

    def load(self, batch: EventBatch) -> None:
        """Store the events after `last_seq` in one durable transaction.

        Raises:
            UnstorableError: A value fits no column; nothing was stored.
            StoreUnavailableError: Nothing was stored, or all of it.
        """
        # A commit that failed can have reached the disk all the same.
        last_seq = self.last_seq() if self._last_seq is None else self._last_seq
        batch = batch.after(last_seq)
        if not batch.seqs:
            return
        unjoined = self._count_unjoined() + len(batch.seqs)
        self._last_seq = self._unjoined_events = None
        with self._transaction() as connection:
            connection.register("incoming", batch.rows)
            connection.execute(INSERT)
            if unjoined >= self._join_at_events:
                join_pieces(connection)
                unjoined = max(0, unjoined - JOIN_AT_MOST)
        self._last_seq, self._unjoined_events = batch.seqs[-1], unjoined
        self._unfolded_events += len(batch.seqs)
        self._fold_if_due()

    def stored_ids(self, ids: Collection[EventId], since_seq: int) -> set[EventId]:
        """Return those of `ids` that an event has whose `seq` is not below."""
        rows = self._asked(
            "SELECT project_id, id FROM events WHERE seq >= $since AND id IN $ids",
            {"since": since_seq, "ids": [id_ for _, id_ in ids]},
        )
        return {(project_id, id_) for project_id, id_ in rows} & set(ids)

    def ids_after(self, seq: int) -> Iterator[tuple[EventId, int]]:
        """Return the ids of later events, each with its event's `seq`, in order."""
        with self._cursor() as cursor:
            cursor.execute(
                "SELECT project_id, id, seq FROM events"
                " WHERE seq > $seq AND id <> '' ORDER BY seq",
                {"seq": seq},
            )
            while rows := cursor.fetchmany(10_000):
                for project_id, id_, found in rows:
                    yield (project_id, id_), found

    def id_pages(self) -> list[IdPage]:
        """Return the pages of marks that were saved, oldest first."""
        rows = self._asked("SELECT marks, last_seq FROM id_pages ORDER BY last_seq")
        return [IdPage(marks, last_seq) for marks, last_seq in rows]

    def save_id_page(self, page: IdPage, forget_before_seq: int) -> None:
        """Keep a page of marks, and drop those that are over."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO id_pages VALUES (?, ?)", [page.last_seq, page.marks]
            )
            connection.execute(
                "DELETE FROM id_pages WHERE last_seq < ?", [forget_before_seq]
            )

    def close(self) -> None:
        """Fold the log into the file, and let it go."""
        # Of a file that can no longer be written the log is read at the next start.
        with suppress(duckdb.Error):
            self._connection.close()

    def _connect(self, *, is_first: bool = False) -> duckdb.DuckDBPyConnection:
        is_new = self._path is not None and not self._path.exists()
        connection = duckdb.connect(
            str(self._path or ":memory:"),
            config={
                "memory_limit": f"{self._memory_mb}MB",
                "threads": min(MOST_THREADS, os.cpu_count() or 1),
                # `_fold_if_due` chooses the moment.
                "checkpoint_threshold": "1TB",
                "max_vacuum_tasks": 1,
                # Nothing is ever fetched from the network. What is built in has to
                # load by itself: a log is read back before it is there.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": True,
            },
        )
        try:
            if is_first and self._path is not None:
                # What questions had put on disk when a process was killed. Nobody
                # uses it: the file is ours alone by now.
                left = self._path.with_name(self._path.name + ".tmp")
                shutil.rmtree(left, ignore_errors=True)
            if self._path is None:
                # It would be a directory of the caller's.
                connection.execute("SET GLOBAL temp_directory = ''")
            else:
                # Else it is what the disk has free now: nothing, when the file is
                # opened again because the disk was full. Too late as an option of
                # `connect`, which looks at the disk first.
                connection.execute(
                    f"SET GLOBAL max_temp_directory_size = '{SPILL_MB}MB'"
                )
            if is_new and self._path is not None:
                self._path.chmod(0o600)
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            # It would be drawn into the server's own output.
            connection.execute("SET enable_progress_bar = false")
            _migrate(connection, self._path)
        except (duckdb.Error, ConfigError):
            connection.close()
            raise
        return connection

    def _count_unjoined(self) -> int:
        if self._unjoined_events is not None:
            return self._unjoined_events
        (row,) = self._asked(
            "SELECT count(*) FROM events WHERE seq > (SELECT seq FROM joined_until)"
        )
        return int(row[0])

    def _fold_if_due(self) -> None:
        if self._path is None:
            return
        log = _log_of(self._path)
        log_bytes = log.stat().st_size if log.exists() else 0
        if self._unfolded_events < self._fold_at_events and log_bytes < FOLD_AT_BYTES:
            return
        with self._writing() as cursor:
            cursor.execute("CHECKPOINT")
        self._unfolded_events = 0

    def _asked(
        self, statement: str, values: dict[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            return cursor.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._writing() as cursor:
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except (duckdb.DataError, duckdb.IntegrityError) as error:
                cursor.rollback()
                raise UnstorableError(str(error)) from error

    @contextmanager
    def _writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        # A write that failed in the middle, as on a full disk, has left DuckDB
        # refusing everything, and has left it calling its own memory corrupt.
        # What is on disk is whole; so the file is opened again before its next use.
        try:
            with self._cursor() as cursor:
                yield cursor
        except StoreUnavailableError:
            self._is_broken = True
            raise

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        # Closing a cursor ends the transaction that it is in.
        try:
            with self._mended().cursor() as cursor:
                yield cursor
        except duckdb.InterruptException as error:
            raise StoreUnavailableError(
                f"the question took longer than {self._timeout_s:g} s and was stopped;"
                " ask for a shorter period"
            ) from error
        except duckdb.Error as error:
            self._is_broken |= isinstance(error, duckdb.FatalException)
            raise StoreUnavailableError(
                f"DuckDB cannot use {self._path}: {_first_line(error)}"
            ) from error

    def _mended(self) -> duckdb.DuckDBPyConnection:
        with self._mending:
            if self._is_broken:
                # What is in memory is not to be trusted, and not to be folded in.
                with suppress(duckdb.Error):
                    self._connection.execute("PRAGMA disable_checkpoint_on_shutdown")
                self.close()
                self._connection = self._connect()
                self._is_broken = False
            return self._connection


def join_pieces(connection: duckdb.DuckDBPyConnection) -> None:
    """Join the oldest events that are in no piece yet, at most `JOIN_AT_MOST`.

    Those of servers among them are placed, and those that may be placed otherwise now.
    """
    ((after, until),) = connection.execute(
        _NEXT_TO_JOIN, {"most": JOIN_AT_MOST}
    ).fetchall()
    between = {"after": after, "until": until}
    for statement in _JOIN:
        connection.execute(statement, between)
    connection.execute("UPDATE joined_until SET seq = ?", [until])
    connection.execute(NOTE, between)
    ((to_place,),) = connection.execute(CHOOSE, between).fetchall()
    if to_place:
        connection.execute(FORGET)
        for statement in GIVE_UP:
            connection.execute(statement)
        connection.execute(PLACE)
    connection.execute(DONE)


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path | None) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migration_steps"
        " (number INTEGER NOT NULL, name VARCHAR NOT NULL)"
    )
    ((done,),) = connection.execute(
        "SELECT coalesce(max(number), 0) FROM migration_steps"
    ).fetchall()
    for step in steps_after(done, "duckdb", path):
        connection.begin()
        for statement in step.statements:
            connection.execute(statement)
        connection.execute(
            "INSERT INTO migration_steps VALUES (?, ?)", [step.number, step.name]
        )
        connection.commit()


def _check_log(path: Path) -> None:
    # DuckDB deletes a log whose file is gone, and with it what only the log has.
    log = _log_of(path)
    if log.exists() and not path.exists():
        raise ConfigError(
            f"{log} is there but {path} is not: bring that file back, or move the"
            " log away to begin without it"
        )


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _cannot_open(path: Path | None, error: duckdb.Error) -> str:
    if "Could not set lock" in str(error):
        return (
            f"{path} is in use by another process: stop that one, or choose another"
            f" directory with --data ({_first_line(error)})"
        )
    return (
        f"cannot open {path}: {_first_line(error)}. Is there room on the disk, and may"
        " the file be written? One that is damaged is replaced from a backup"
    )


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]


def _inside(value: Value) -> Value:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _outside(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return value
