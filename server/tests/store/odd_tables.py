"""DuckDB tables that fail once, wait, or note what happens around a load."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from clamp_server.store.event_batch import EventBatch
from clamp_server.store.journal import Group
from clamp_server.store.on_duckdb import DuckDBFile


class OutOfFilesOnce(DuckDBFile):
    """A table whose first load meets what no database driver told of."""

    has_failed = False

    def load(self, batch: EventBatch) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise OSError(24, "Too many open files")
        super().load(batch)


class OutOfMemoryOnce(DuckDBFile):
    """A table that once finds no memory to prepare a load in."""

    has_failed = False

    def prepare(self, groups: Sequence[Group]) -> EventBatch:
        if not self.has_failed:
            self.has_failed = True
            raise MemoryError
        return super().prepare(groups)


class HeldTable(DuckDBFile):
    """A table whose first load is held until it may go on, or fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.prepared: list[list[int]] = []
        self.is_loading = Event()
        self.may_go_on = Event()
        self.failure: Exception | None = None

    def prepare(self, groups: Sequence[Group]) -> EventBatch:
        batch = super().prepare(groups)
        self.prepared.append(list(batch.seqs))
        return batch

    def load(self, batch: EventBatch) -> None:
        if not self.is_loading.is_set():
            self.is_loading.set()
            assert self.may_go_on.wait(30)
            if self.failure is not None:
                raise self.failure
        super().load(batch)


class TurnNotingTable(DuckDBFile):
    """A table that notes for how long a thread may keep others waiting in a load."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.turns_s: list[float] = []

    def load(self, batch: EventBatch) -> None:
        self.turns_s.append(sys.getswitchinterval())
        super().load(batch)
