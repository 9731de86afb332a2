"""What every test may ask for: real stores and a real catalog."""

from __future__ import annotations

import itertools
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


ENGINES = ("duckdb", "clickhouse")


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


@pytest.fixture(scope="session")
def clickhouse_store(clickhouse_server: ClickHouseServer) -> Iterator[ClickHouseStore]:
    """One store for all tests: to make its tables takes longer than most of them."""
    made = ClickHouseStore(clickhouse_server.database("shared"))
    yield made
    made.close()


@contextmanager
def _empty_store(request: pytest.FixtureRequest) -> Iterator[FilledStore]:
    if request.param == "duckdb":
        # So few that some of a test's events are in pieces, and some are not.
        made = DuckDBStore(None, join_at_events=3)
        yield FilledStore(made)
        made.close()
    else:
        yield FilledStore(request.getfixturevalue("clickhouse_store"))
        server: ClickHouseServer = request.getfixturevalue("clickhouse_server")
        server.empty("shared", "events", "event_ids")


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest) -> Iterator[FilledStore]:
    """An empty store of each engine in turn."""
    with _empty_store(request) as made:
        yield made


@pytest.fixture(scope="module", params=ENGINES)
def module_store(request: pytest.FixtureRequest) -> Iterator[FilledStore]:
    """One for the tests of a module that only read; it has no use for `store` then."""
    with _empty_store(request) as made:
        yield made


@pytest.fixture(scope="session")
def new_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a catalog that nothing was put into: tests copy it."""
    path = tmp_path_factory.mktemp("new") / "catalog.sqlite"
    made = Catalog(f"sqlite:///{path}", clock=lambda: NOON, token=lambda: "")
    made.migrate()
    made.close()
    return path


@contextmanager
def _empty_catalog(directory: Path, new_catalog: Path) -> Iterator[Catalog]:
    numbers = itertools.count(1)
    path = directory / "data" / "catalog.sqlite"
    path.parent.mkdir(mode=0o700)
    shutil.copy(new_catalog, path)
    made = Catalog(
        f"sqlite:///{path}",
        clock=lambda: NOON,
        # As long as a real one, and never the same twice.
        token=lambda: f"{next(numbers):016d}{'a' * 27}",
    )
    yield made
    made.close()


@pytest.fixture
def catalog(tmp_path: Path, new_catalog: Path) -> Iterator[Catalog]:
    """An empty catalog in a real SQLite file; its clock stands at NOON."""
    with _empty_catalog(tmp_path, new_catalog) as made:
        yield made


@pytest.fixture(scope="module")
def module_catalog(
    tmp_path_factory: pytest.TempPathFactory, new_catalog: Path
) -> Iterator[Catalog]:
    """One for all tests of a module."""
    with _empty_catalog(tmp_path_factory.mktemp("catalog"), new_catalog) as made:
        yield made
