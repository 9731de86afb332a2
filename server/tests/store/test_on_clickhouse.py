from __future__ import annotations

import logging
from datetime import timedelta

import clickhouse_connect
import pytest
from tests.make import NOON, HandClock, event
from tests.store.clickhouse_server import ClickHouseServer

from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.store.on_clickhouse import WRITER_BITS, ClickHouseStore
from clamp_server.store.sql import REMEMBER_IDS, Sql, seq_at

SEQS = Sql("SELECT seq FROM events ORDER BY seq")


@pytest.fixture
def url(clickhouse_server: ClickHouseServer) -> str:
    return clickhouse_server.empty_database()


def test_events_ids_and_seqs_are_there_after_a_restart(url: str) -> None:
    clock = HandClock()
    store = ClickHouseStore(url, clock)
    store.append([event(id="a"), event(id="b")])
    store.close()
    clock.advance(timedelta(days=-1))

    again = ClickHouseStore(url, clock)
    stored = again.append([event(id="b"), event(id="c")])
    rows = again.rows(SEQS)
    again.close()

    first = seq_at(NOON)
    assert stored == [False, True]
    # Behind them is who wrote: another one after the restart.
    assert [row["seq"] >> WRITER_BITS for row in rows] == [first, first + 1, first + 2]


def test_each_event_has_a_seq_of_its_own_whoever_writes(url: str) -> None:
    clock = HandClock()
    stores = [ClickHouseStore(url, clock, writer=writer) for writer in (0, 2047)]
    for store in stores:
        store.append([event() for _ in range(100)])
    rows = stores[0].rows(Sql("SELECT count(DISTINCT seq) AS seqs FROM events"))
    for store in stores:
        store.close()

    assert rows == [{"seqs": 200}]


def test_an_id_is_forgotten_after_seven_days_and_not_before(url: str) -> None:
    clock = HandClock()
    store = ClickHouseStore(url, clock)
    store.append([event(id="a")])

    clock.advance(REMEMBER_IDS)
    on_time = store.append([event(id="a")])
    clock.advance(timedelta(seconds=1))
    late = store.append([event(id="a")])
    store.close()

    assert (on_time, late) == ([False], [True])


def test_an_event_that_two_servers_stored_at_once_is_one(url: str) -> None:
    store = ClickHouseStore(url)
    store.append([event(id="a"), event(id="b"), event(), event()])
    client = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
    # As another server inserts what it did not find when it looked.
    client.command(
        "INSERT INTO events SELECT * REPLACE (seq + 1 AS seq) FROM events"
        " WHERE id != 'b'"
    )
    client.close()

    rows = store.rows(Sql("SELECT id, count(*) AS times FROM events GROUP BY id"))
    store.close()

    assert {row["id"]: row["times"] for row in rows} == {"a": 1, "b": 1, "": 4}


def test_nothing_to_store_is_stored(url: str) -> None:
    store = ClickHouseStore(url)

    stored = store.append([])
    store.close()

    assert stored == []


def test_a_server_that_does_not_answer_is_named_without_its_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError) as refusal:
        ClickHouseStore("http://clamp:secret@127.0.0.1:1/events")

    told = str(refusal.value) + "".join(r.getMessage() for r in caplog.records)
    assert told.startswith("cannot use ClickHouse at 127.0.0.1: ")
    assert "secret" not in told


def test_a_server_that_went_away_is_an_unavailable_store() -> None:
    server = ClickHouseServer()
    store = ClickHouseStore(server.empty_database())
    server.close()

    with pytest.raises(StoreUnavailableError, match=r"^ClickHouse at 127\.0\.0\.1: "):
        store.rows(SEQS)
    with pytest.raises(StoreUnavailableError):
        store.append([event()])

    store.close()


def test_a_wrong_statement_is_told_with_clickhouses_words(url: str) -> None:
    store = ClickHouseStore(url)

    with pytest.raises(StoreUnavailableError, match="UNKNOWN_IDENTIFIER"):
        store.rows(Sql("SELECT nothing FROM events"))

    store.close()


def test_a_question_that_takes_too_long_is_stopped(url: str) -> None:
    store = ClickHouseStore(url, timeout_s=0.1)

    with pytest.raises(StoreUnavailableError, match="TIMEOUT_EXCEEDED"):
        store.rows(Sql("SELECT count(*) AS n FROM numbers(1e12) WHERE number % 7 = 8"))

    store.close()


def test_a_newer_releases_database_is_refused(url: str) -> None:
    ClickHouseStore(url).close()
    client = clickhouse_connect.get_client(dsn=url, autogenerate_session_id=False)
    client.insert("migration_steps", [[99, "future"]])
    client.close()

    with pytest.raises(ConfigError, match="was written by a newer release"):
        ClickHouseStore(url)
