"""Several `clamp serve` at once on one ClickHouse database."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
from tests.end_to_end.serving import (
    Client,
    Ledger,
    Place,
    Server,
    asked,
    made_place,
    serving,
    started,
)
from tests.store.clickhouse_server import ClickHouseServer

from clamp_server.store.on_clickhouse import ClickHouseStore
from clamp_server.store.sql import Sql

# What an SDK gives each event, so that a repeat is the same one.
AT = "2026-03-10T12:00:00Z"
PERIOD = "2026-03-10:2026-03-10"


@pytest.fixture
def url(clickhouse_server: ClickHouseServer) -> str:
    return clickhouse_server.empty_database()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return made_place(tmp_path / "data")


def stored(url: str) -> Counter[str]:
    store = ClickHouseStore(url)
    rows = store.rows(Sql("SELECT id, count(*) AS times FROM events GROUP BY id"))
    store.close()
    return Counter({row["id"]: row["times"] for row in rows})


def counted(server: Server) -> object:
    """What `GET /events` answers to the project's key."""
    path = f"/analytics/{server.place.project_id}/events?period={PERIOD}"
    connection = server.connection()
    try:
        return asked(
            connection, "GET", path, headers={"x-clamp-key": server.place.api_key}
        ).body
    finally:
        connection.close()


def test_what_one_server_stores_the_other_answers(url: str, place: Place) -> None:
    events = {"events": [{"name": "signup", "id": "id-1", "timestamp": AT}]}
    with (
        serving(place, "--store", url) as one,
        serving(place, "--store", url) as two,
    ):
        taken = [server.post("/e/s/batch", events).body for server in (one, two)]
        answers = [counted(server) for server in (one, two)]
        ended = [server.end() for server in (one, two)]

    assert [(body["accepted"], body["duplicates"]) for body in taken] == [
        (1, 0),
        (0, 1),
    ]
    assert answers == [[{"name": "signup", "count": 1, "visitors": 0}]] * 2
    assert [status for status, _ in ended] == [0, 0]
    assert list(place.data.glob("events.duckdb*")) == []


def test_clients_of_a_killed_server_lose_and_double_nothing_at_another(
    url: str, place: Place
) -> None:
    ledger = Ledger()
    clients = [Client(f"c{n}", 20, ledger, timestamp=AT) for n in range(4)]
    with (
        serving(place, "--store", url) as one,
        serving(place, "--store", url) as two,
    ):
        at_one = [client.sending(one) for client in clients[:2]]
        at_two = [client.sending(two) for client in clients[2:]]
        ledger.wait_for(200)
        one.end(signal.SIGKILL)
        for thread in at_one:
            thread.join()
        at_two += [client.sending(two) for client in clients[:2]]
        ledger.wait_for(len(ledger.acknowledged) + 200)
        two.end()
        for thread in at_two:
            thread.join()

    found = stored(url)
    assert ledger.acknowledged <= set(found) <= ledger.sent
    assert set(found.values()) == {1}


def test_a_database_that_is_away_is_said_without_the_password(
    place: Place,
) -> None:
    url = "clickhouse://clamp:secret@127.0.0.1:1/events"
    with started("--data", str(place.data), "--port", "0", "--store", url) as process:
        _, said = process.communicate(timeout=60)

    assert process.returncode == 1
    assert said.splitlines()[-1].startswith(
        "clamp: cannot use ClickHouse at 127.0.0.1: "
    )
    assert "secret" not in said
