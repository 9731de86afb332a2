"""What every test may ask for: real stores and a real catalog."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.make import NOON

from clamp_server.model.event import EnrichedEvent
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_clickhouse import ClickHouseStore
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Dialect, EventStore, Row, Sql

if TYPE_CHECKING:
    from tests.store.clickhouse_server import ClickHouseServer

# A shell starts what it runs in the background deaf to Ctrl-C, and all that this
# starts in turn; some of it is ended so.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class FilledStore:
    """An event store with a short way to put events into it."""

    def __init__(self, store: EventStore) -> None:
        self._store = store

    @property
    def dialect(self) -> Dialect:
        return self._store.dialect

    def rows(self, sql: Sql) -> list[Row]:
        return self._store.rows(sql)

    def append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        return self._store.append(events)

    def add(self, *events: EnrichedEvent) -> None:
        self._store.append(events)

    def close(self) -> None:
        self._store.close()


@pytest.fixture(scope="session")
def clickhouse_server() -> Iterator[ClickHouseServer]:
    """ClickHouse itself, in this process, behind its HTTP interface."""
    from tests.store.clickhouse_server import ClickHouseServer

    server = ClickHouseServer()
    yield server
    server.close()


@pytest.fixture(params=["duckdb", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Iterator[FilledStore]:
    """An empty store of each engine in turn."""
    if request.param == "duckdb":
        made: EventStore = DuckDBStore(None)
    else:
        server: ClickHouseServer = request.getfixturevalue("clickhouse_server")
        made = ClickHouseStore(server.empty_database())
    yield FilledStore(made)
    made.close()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """An empty catalog in a real SQLite file; its clock stands at NOON."""
    numbers = itertools.count(1)
    made = Catalog(
        f"sqlite:///{tmp_path / 'data' / 'catalog.sqlite'}",
        clock=lambda: NOON,
        # As long as a real one, and never the same twice.
        token=lambda: f"{next(numbers):016d}{'a' * 27}",
    )
    made.migrate()
    yield made
    made.close()
