"""The catalog's database: opened, migrated, read and changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from clamp_server.clock import Clock
from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.store.catalog_migration import migrate_catalog
from clamp_server.store.private_path import make_private_directory, make_private_file

# Of the random part of an id: 96 bits.
ID_CHARACTERS = 16
# How long a statement waits for another process to finish its change.
BUSY_TIMEOUT_S = 10.0


class CatalogDatabase:
    """One database URL; several processes may use it at once.

    Args:
        url: SQLAlchemy URL; a SQLite file is made when it is missing.
        token: Draws a fresh secret: 43 URL-safe characters, 256 random bits.
    """

    def __init__(self, url: str, clock: Clock, token: Callable[[], str]) -> None:
        self._clock = clock
        self._token = token
        self._engine = _engine(url)
        self._writing = self._engine.execution_options(clamp_writes=True)

    def migrate(self) -> None:
        """Bring the tables up to this release; does nothing when they are.

        Raises:
            ConfigError: A newer release has written this catalog, or the
                database cannot be opened.
        """
        name = self._engine.url.render_as_string(hide_password=True)
        try:
            with self._writing.begin() as connection:
                migrate_catalog(connection, name)
        except DBAPIError as error:
            raise ConfigError(
                f"cannot open the catalog {name}: {error.orig}. Restore it from a"
                " backup, or move it away to begin with an empty one"
            ) from error

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    @contextmanager
    def _reads(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _changes(self) -> Iterator[Connection]:
        with _translated(), self._writing.begin() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    # What a constraint refuses is for the caller to explain.
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise StoreUnavailableError(
            f"the catalog cannot be used now: {error.orig}"
        ) from error


def _engine(url: str) -> Engine:
    # Its errors would tell the parameters of a statement: hashes of secrets.
    engine = create_engine(url, hide_parameters=True)
    path = engine.url.database
    if engine.dialect.name == "sqlite" and path:
        make_private_directory(Path(path).parent)
        make_private_file(Path(path))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Python's own driver would begin transactions by itself, and only before
    # some statements; `_begin_sqlite` does it for all.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads before it writes cannot wait for another writer:
    # SQLite ends it with "database is locked" at once. So a writer says so
    # first, and waits there.
    writes = connection.get_execution_options().get("clamp_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
