"""Groups of events on disk, from their acknowledgement until DuckDB has them.

One row of a SQLite file is one group, as JSON. SQLite in WAL mode syncs once a
commit and brings a torn last write back to the commit before, which is what an
acknowledgement needs and all that is asked of it here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import msgspec

from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.id_filter import EventId
from clamp_server.store.private_path import make_private_file

# Of the file's own layout. That of an event is JSON by attribute names: a new
# attribute needs a default, so that groups of the release before can be read.
VERSION = 1

_TABLES = (
    "CREATE TABLE IF NOT EXISTS event_groups"
    " (first_seq INTEGER PRIMARY KEY, events BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS set_aside"
    " (seq INTEGER PRIMARY KEY, event BLOB NOT NULL, reason TEXT NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Group:
    """Events that were acknowledged together, in the order of their `seq`.

    Attributes:
        first_seq: Of the first event; the others count on from there.
    """

    first_seq: int
    events: Sequence[EnrichedEvent]

    @property
    def seqs(self) -> range:
        """The `seq` of each event, in order."""
        return range(self.first_seq, self.first_seq + len(self.events))

    def ids(self) -> set[EventId]:
        """Return the ids of the events that have one."""
        return {(event.project_id, event.id) for event in self.events if event.id}


class Journal:
    """The journal in one file; several threads may use it at once.

    Args:
        path: None keeps it in memory, for stores that are in memory.

    Raises:
        ConfigError: The file is damaged, or a newer release has written it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = Lock()
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(list[EnrichedEvent])
        if path is not None:
            make_private_file(path)
        self._connection = sqlite3.connect(
            path or ":memory:",
            # Nobody else writes to it, but a person may be looking.
            timeout=1.0,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise ConfigError(
                f"cannot open {path}: {error}. It may hold acknowledged events that"
                " are in no other file: restore it from a backup, or move it away to"
                " go on without them"
            ) from error

    def _prepare(self) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            self._connection.close()
            raise ConfigError(
                f"{self._path} was written by a newer release of clamp-server;"
                " install that one"
            )
        # Of the sizes that SQLite has the one where a group of a thousand events is
        # cheapest; one event costs a twentieth of a millisecond more than with the
        # usual 4 KiB. A file that was there keeps its own.
        self._connection.execute("PRAGMA page_size = 16384")
        self._connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode the one level that syncs at every commit.
        self._connection.execute("PRAGMA synchronous = FULL")
        # Overwriting what is removed costs as much again; new groups soon do it.
        self._connection.execute("PRAGMA secure_delete = OFF")
        for statement in _TABLES:
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def add(self, group: Group) -> int:
        """Write a group; return its size in bytes once it is on disk.

        Raises:
            StoreUnavailableError: Nothing of it was written.
        """
        events = self._encoder.encode(group.events)
        with self._lock, self._translated():
            self._connection.execute(
                "INSERT INTO event_groups VALUES (?, ?)", (group.first_seq, events)
            )
        return len(events)

    def groups(self) -> Iterator[tuple[Group, int]]:
        """Read every group and its size in bytes, first one first.

        Raises:
            ConfigError: A group cannot be read back.
        """
        for first_seq, events in self._connection.execute(
            "SELECT first_seq, events FROM event_groups ORDER BY first_seq"
        ):
            try:
                yield Group(first_seq, self._decoder.decode(events)), len(events)
            except msgspec.MsgspecError as error:
                raise ConfigError(
                    f"group {first_seq} of {self._path} cannot be read: {error};"
                    " install the release of clamp-server that wrote it"
                ) from error

    def remove(self, groups: Sequence[Group]) -> None:
        """Forget these groups and those before them.

        Raises:
            StoreUnavailableError: They are still there.
        """
        with self._lock, self._translated():
            self._connection.execute(
                "DELETE FROM event_groups WHERE first_seq <= ?",
                (groups[-1].first_seq,),
            )

    def set_aside(self, seq: int, event: EnrichedEvent, reason: str) -> None:
        """Keep an event that the store cannot hold, for a person to look at.

        Raises:
            StoreUnavailableError: It was not kept.
        """
        with self._lock, self._translated():
            self._connection.execute(
                "INSERT OR REPLACE INTO set_aside VALUES (?, ?, ?)",
                (seq, self._encoder.encode(event), reason),
            )

    def close(self) -> None:
        """Let the file go, without the space of what was removed."""
        with self._lock:
            # It needs room itself, and can as well be done another time.
            with suppress(sqlite3.Error):
                self._connection.execute("VACUUM")
            self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreUnavailableError(
                f"cannot write {self._path}: {error}"
            ) from error
