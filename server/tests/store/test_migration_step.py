from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import clickhouse_connect
import duckdb
import pytest
from tests.make import NOON, view
from tests.questions.reference import id_key
from tests.store.clickhouse_server import ClickHouseServer

from clamp_server.errors import ConfigError
from clamp_server.store.migration_step import MIGRATIONS, Engine, steps_after
from clamp_server.store.on_clickhouse import ClickHouseStore
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.schema import EVENTS, KEYS
from clamp_server.store.sql import EventStore, Sql

# Of the files as they were released: a step that a database has had must not
# change under it. A new step gets a line of its own.
RELEASED: dict[Engine, list[str]] = {
    "duckdb": [
        "8c9e64534326e23534f655023445128695cb290fb2535b218777ce4257ef3832",
        "0a6893651336a13469d345e55e6ab56e309754464c0481170c7ea20f3e4fb0ef",
        "e02d7e54166e3c7e2da7a55640d11d461b8368c51226157ef18d7a2b83419e79",
        "2de260b964fc0ba8f1268bb51094a03e6b787277e0761b359cd6f8e362137999",
        "bd4c24a6a0464ab1bc64f2efeefd27a088176c0e2a76f7f347a04f0069ae818a",
        "3b66bf8553b6649dc5eda5fd9eed274716a36a0419d45034ed47df9dfbac51c6",
        "09cd8f0ff18fcbd130e79a62ae59820f56c008a09ae9dd56687b123097cb61f9",
        "48a8761114ea6868465f5b5edee9676817cc90270eb7410c45b52c4be496832b",
    ],
    "clickhouse": [
        "a23ec347c7e9cccf4d4bdf7a61d612537edcdfdfc73cd92b32335df24e8acd64",
        "0beecaf35bc291bc5c0312ac4353f0da8184ce735cef80ef89ec165517d3a13b",
        "8ad890db7c3384be149f82d6089382aa7f67ffb9e1797e42a04244fc9725afba",
        "12746b046d4a64b0a447bc96fa904143af95e4516532362b493e7e590d1b8234",
        "1047a391e4dc89a309130e39b7799cb163a4f9224bea2e04c22fbfb731f872e3",
    ],
}

# What DuckDB keeps beside the events.
KEPT: tuple[LiteralString, ...] = (
    "joined_pieces",
    "joined_path_pieces",
    "joined_served",
    "placed_events",
)
# An event as the tables of step 1 had it; every column that is not named here
# was filled with its type's empty value.
V1_EVENT = "proj_shop", 1773144000000000, "signup", "2026-03-10 12:00:00", "ann"
V1_COLUMNS = "project_id, seq, name, occurred_at, anonymous_id"
V1_ANSWER = {"project_id": "proj_shop", "seq": 1773144000000000, "name": "signup"}


@pytest.mark.parametrize("engine", ["duckdb", "clickhouse"])
def test_a_released_step_never_changes(engine: Engine) -> None:
    files = sorted((MIGRATIONS / engine).glob("*.sql"))

    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]

    assert digests == RELEASED[engine]


@pytest.mark.parametrize("engine", ["duckdb", "clickhouse"])
def test_steps_count_from_1_without_gaps(engine: Engine) -> None:
    steps = steps_after(0, engine, "a database")

    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.name and step.statements for step in steps)
    assert steps_after(1, engine, "a database") == steps[1:]
    assert steps_after(len(steps), engine, "a database") == []


def test_steps_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ConfigError) as refusal:
        steps_after(9, "duckdb", "a database")

    assert str(refusal.value) == (
        "a database was written by a newer release of clamp-server (its tables are at"
        " step 9, this release knows 8); install that one"
    )


def test_duckdb_has_the_columns_that_the_schema_says() -> None:
    store = DuckDBStore(None)

    rows = store.rows(Sql("SELECT column_name, column_type FROM (DESCRIBE events)"))
    store.close()

    assert [(row["column_name"], row["column_type"]) for row in rows] == [
        (column.name, column.duckdb.replace("38, 18", "38,18"))
        for column in (*EVENTS, *KEYS)
    ]


def test_clickhouse_has_the_columns_that_the_schema_says(
    clickhouse_server: ClickHouseServer,
) -> None:
    store = ClickHouseStore(clickhouse_server.empty_database())

    rows = store.rows(Sql("DESCRIBE TABLE events"))
    store.close()

    assert [(row["name"], row["type"]) for row in rows] == [
        *((column.name, column.clickhouse) for column in EVENTS),
        ("chance", "UInt64"),
        *((column.name, column.clickhouse) for column in KEYS),
        ("start_order", "Int64"),
        ("place", "Int64"),
    ]


@contextmanager
def duckdb_at(number: int, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Make a file that has had so many steps."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE migration_steps (number INTEGER, name TEXT)")
        for step in steps_after(0, "duckdb", path)[:number]:
            for statement in step.statements:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migration_steps VALUES (?, ?)", [step.number, step.name]
            )
        yield connection


def let_be_empty(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Let a row be inserted with some of its columns."""
    for column, kind in connection.execute(
        f"SELECT column_name, column_type FROM (DESCRIBE {table})"
    ).fetchall():
        empty = {"VARCHAR": "''", "TIMESTAMP": "'epoch'"}.get(
            kind, "map()" if kind.startswith("MAP") else "0"
        )
        connection.execute(f"ALTER TABLE {table} ALTER {column} SET DEFAULT {empty}")


def test_duckdb_brings_events_of_step_1_along(tmp_path: Path) -> None:
    path = tmp_path / "events.duckdb"
    with duckdb_at(1, path) as connection:
        let_be_empty(connection, "events")
        connection.execute(
            f"INSERT INTO events ({V1_COLUMNS}) VALUES (?, ?, ?, ?, ?)", list(V1_EVENT)
        )

    assert_has_the_event(DuckDBStore(path))


def test_duckdb_marks_the_pieces_of_step_2_that_are_further_ones(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.duckdb"
    pieces = [("one", 7), ("one", 8), ("one", 7), ("other", 7)]
    _, _, third, *_ = steps_after(0, "duckdb", path)
    with duckdb_at(2, path) as connection:
        let_be_empty(connection, "joined_pieces")
        connection.executemany(
            "INSERT INTO joined_pieces (project_id, session_key) VALUES (?, ?)", pieces
        )
        for statement in third.statements:
            connection.execute(statement)
        rows = connection.execute(
            "SELECT project_id, session_key, is_further FROM visit_pieces ORDER BY ALL"
        ).fetchall()

    assert rows == [
        ("one", 7, True),
        ("one", 7, True),
        ("one", 8, False),
        ("other", 7, False),
    ]


def test_duckdb_joins_the_events_of_step_3_once_more(tmp_path: Path) -> None:
    path = tmp_path / "events.duckdb"
    with duckdb_at(3, path) as connection:
        for table in ("events", "joined_pieces"):
            let_be_empty(connection, table)
        connection.execute(
            "INSERT INTO events (seq, sent_by, visitor_key, session_key) VALUES"
            " (1, 'browser', 7, 8), (2, 'server', 7, 0), (3, 'server', 9, 0)"
        )
        connection.execute("INSERT INTO joined_pieces (session_key) VALUES (8)")
        connection.execute("UPDATE joined_until SET seq = 3")

    store = DuckDBStore(path, join_at_events=1)
    store.append([view("s", NOON)])
    rows = store.rows(Sql("SELECT seq, visit_key FROM placed_events"))
    store.close()

    assert rows == [{"seq": 2, "visit_key": 8}]


@pytest.mark.parametrize(
    ("step", "kept"), [(4, ("joined_pieces", "placed_events")), (7, KEPT)]
)
def test_duckdb_joins_the_events_of_a_step_before_once_more(
    tmp_path: Path, step: int, kept: tuple[LiteralString, ...]
) -> None:
    path = tmp_path / "events.duckdb"
    with duckdb_at(step, path) as connection:
        for table in ("events", *kept):
            let_be_empty(connection, table)
        connection.execute(
            "INSERT INTO events (seq, sent_by, visitor_key, session_key) VALUES"
            " (1, 'browser', 7, 8), (2, 'server', 7, 0), (3, 'server', 0, 0)"
        )
        for table in kept:
            connection.execute(f"INSERT INTO {table} DEFAULT VALUES")
        connection.execute("UPDATE joined_until SET seq = 3")

    store = DuckDBStore(path, join_at_events=1)
    before = [len(store.rows(Sql(f"SELECT * FROM {name}"))) for name in KEPT]
    store.append([view("s", NOON)])
    after = [len(store.rows(Sql(f"SELECT * FROM {name}"))) for name in KEPT]
    store.close()

    assert (before, after) == ([0, 0, 0, 0], [2, 2, 2, 1])


def test_duckdb_gives_the_keys_and_orders_of_step_6(tmp_path: Path) -> None:
    path = tmp_path / "events.duckdb"
    asked = (
        "SELECT event.visitor_key, id_key(anonymous_id), event.start_order,"
        " event.entry_order, event.exit_order, piece.start_order, piece.entry_order,"
        " piece.exit_order, page_views"
        " FROM ordered_events AS event JOIN event_pieces AS piece USING (seq)"
        " ORDER BY seq"
    )
    with duckdb_at(6, path) as connection:
        let_be_empty(connection, "events")
        connection.executemany(
            "INSERT INTO events (seq, name, anonymous_id, pathname, visitor_key)"
            " VALUES (?, ?, ?, ?, id_key(?))",
            [
                (1, "$pageview", "", "", ""),
                (2, "$pageview", "ann", "/straße", "ann"),
                (3, "signup", "\u65e5\u672c\U0001f600", "/", "\u65e5\u672c\U0001f600"),
            ],
        )
        before = connection.execute(asked).fetchall()
        for step in steps_after(6, "duckdb", path):
            for statement in step.statements:
                connection.execute(statement)
        after = connection.execute(asked).fetchall()

    keys = [id_key(text) for text in ("", "ann", "\u65e5\u672c\U0001f600")]
    assert after == before
    assert [row[:2] for row in after] == [(key, key) for key in keys]


def test_clickhouse_brings_events_of_step_1_along(
    clickhouse_server: ClickHouseServer,
) -> None:
    url = clickhouse_server.empty_database()
    client = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
    (first, *_) = steps_after(0, "clickhouse", url)
    for statement in [
        *first.statements,
        "CREATE TABLE migration_steps (number Int32, name String)"
        " ENGINE = MergeTree ORDER BY number",
        "INSERT INTO migration_steps VALUES (1, 'events')",
        f"INSERT INTO events ({V1_COLUMNS}) VALUES {V1_EVENT}",
    ]:
        client.command(statement)
    client.close()

    assert_has_the_event(ClickHouseStore(url))


def assert_has_the_event(store: EventStore) -> None:
    rows = store.rows(Sql("SELECT project_id, seq, name FROM events"))
    columns = store.rows(Sql("SELECT * FROM events"))
    pieces = store.rows(
        Sql("SELECT visitor_key, session_key, events FROM visit_pieces")
    )
    store.close()
    keys = {"visitor_key": id_key("ann"), "session_key": 0}

    assert rows == [V1_ANSWER]
    # In ClickHouse `*` leaves out what is made of other columns.
    assert [set(row) - set(keys) for row in columns] == [{c.name for c in EVENTS}]
    assert pieces == [{**keys, "events": 1}]
