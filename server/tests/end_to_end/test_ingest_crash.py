"""What was acknowledged is there exactly once, however the server ends."""

import os
import signal
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tests.end_to_end.serving import Client, Ledger, Place, made_place, serving

# Ten are the proof; three keep a normal run short.
ROUNDS = int(os.environ.get("CLAMP_TEST_KILLS", "3"))
CLIENTS = [("one", 1), ("two", 1), ("three", 1), ("four", 1), ("ten", 10), ("many", 50)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return made_place(tmp_path / "data")


def test_kill_9_under_load_loses_and_doubles_nothing(place: Place) -> None:
    dice = Random(9)
    ledger = Ledger()
    clients = [Client(name, batch, ledger) for name, batch in CLIENTS]

    for _ in range(ROUNDS):
        with serving(place) as server:
            threads = [client.sending(server) for client in clients]
            ledger.wait_for(len(ledger.acknowledged) + dice.randint(50, 1500))
            server.end(signal.SIGKILL)
            for thread in threads:
                thread.join()

    stored = place.stored()
    assert ledger.other_answers == Counter()
    assert ledger.acknowledged - stored.keys() == set()
    assert stored.keys() - ledger.sent == set()
    assert {one: times for one, times in stored.items() if times != 1} == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_finishes_what_was_accepted(
    place: Place, number: signal.Signals
) -> None:
    ledger = Ledger()
    with serving(place) as server:
        threads = [
            Client(name, batch, ledger).sending(server) for name, batch in CLIENTS
        ]
        ledger.wait_for(500)
        code, err = server.end(number)
        for thread in threads:
            thread.join()

    stored = place.stored()
    assert (code, ledger.other_answers) == (0, Counter())
    assert '"event": "stopped"' in err
    assert ledger.acknowledged - stored.keys() == set()
    assert {one: times for one, times in stored.items() if times != 1} == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_id_is_known_after_a_restart(place: Place, number: signal.Signals) -> None:
    batch = {"events": [{"name": "a", "id": f"batch-{n}"} for n in range(3)]}
    bodies = []
    for _ in range(3):
        with serving(place) as server:
            single = server.post("/e/s", {"name": "a"}, idempotency_key="single")
            assert (single.status, single.body) == (200, {"ok": True})
            bodies.append(server.post("/e/s/batch", batch).body)
            server.end(number)

    first, second, third = bodies
    assert first == {"ok": True, "accepted": 3, "duplicates": 0, "rejected": []}
    assert second == third
    assert third == {"ok": True, "accepted": 0, "duplicates": 3, "rejected": []}
    assert place.stored() == {"single": 1, "batch-0": 1, "batch-1": 1, "batch-2": 1}
