"""A store that is slow, a disk that is full: 503, flat memory, and recovery."""

import resource
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from tests.end_to_end.serving import (
    MANY_TRIES,
    TRY_S,
    Answer,
    Place,
    Server,
    made_place,
    serving,
)

from clamp_server.config import Settings

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc and sets another process's limits"
)
# What the server may grow by while it refuses: a queue of 16 MiB as Python sees
# it, and as many bodies on their way.
MAX_GROWTH_MB = 150


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return made_place(tmp_path / "data")


@contextmanager
def slow_disk(place: Place) -> Iterator[None]:
    """Let no commit end, as a disk that hangs does."""
    journal = Settings(data=place.data).events_path.with_suffix(".journal")
    blocker = sqlite3.connect(journal, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()


def full_disk(server: Server, *, is_full: bool) -> None:
    """Let no file of the server grow, or let them grow again."""
    soft = 4096 if is_full else resource.RLIM_INFINITY
    resource.prlimit(
        server.process.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY)
    )


def large_batch(name: str) -> dict[str, object]:
    """A thousand events that fill the megabyte that a batch may have."""
    padding = {"padding": "x" * 500, "more": "y" * 300}
    return {
        "events": [
            {"name": "a", "id": f"{name}-{n}", "properties": padding}
            for n in range(1000)
        ]
    }


def eventually(server: Server, status: int) -> tuple[list[str], Answer]:
    """Send until an answer has `status`; return the ids before, and it."""
    stored = []
    for n in range(MANY_TRIES):
        one = f"{status}-{n}"
        answer = server.post("/e/s", {"name": "a"}, idempotency_key=one)
        if answer.status == 200:
            stored.append(one)
        if answer.status == status:
            return stored, answer
        Event().wait(TRY_S)
    raise AssertionError(f"no answer had status {status}")


def test_a_slow_store_is_met_with_503_and_flat_memory(place: Place) -> None:
    with serving(place) as server, ThreadPoolExecutor(60) as threads:
        assert server.post("/e/s/batch", large_batch("warm")).status == 200
        before_mb = server.resident_mb()
        with slow_disk(place):
            first = [
                threads.submit(server.post, "/e/s/batch", large_batch(f"first{n}"))
                for n in range(60)
            ]
            while not any(one.done() for one in first):
                Event().wait(TRY_S)
            refused = server.post("/e/s/batch", large_batch("refused"))
            grown_mb = server.resident_mb() - before_mb
        answers = [one.result() for one in first]
        accepted, _ = eventually(server, 200)
        server.end()

    good = [n for n, answer in enumerate(answers) if answer.status == 200]
    bad = [answer for answer in answers if answer.status != 200]
    assert {(answer.status, answer.body["error"]) for answer in bad} == {
        (503, "store_unavailable")
    }
    assert {answer.retry_after for answer in bad} <= {"1", "5"}
    assert refused.status == 503
    assert grown_mb < MAX_GROWTH_MB
    stored = place.stored()
    wanted = {f"first{n}-{i}" for n in good for i in range(1000)}
    wanted |= {f"warm-{i}" for i in range(1000)} | set(accepted)
    assert wanted - stored.keys() == set()
    assert set(stored.values()) == {1}


def test_a_full_disk_is_met_with_503_and_recovers(place: Place) -> None:
    with serving(place) as server:
        before, first = eventually(server, 200)
        full_disk(server, is_full=True)
        meanwhile, refused = eventually(server, 503)
        health = server.ask("GET", "/healthz")
        full_disk(server, is_full=False)
        after, last = eventually(server, 200)
        batch = server.post("/e/s/batch", {"events": [{"name": "a", "id": "batch"}]})
        code, err = server.end()

    assert (first, last) == (Answer(200, {"ok": True}),) * 2
    assert refused == Answer(
        503,
        {
            "error": "store_unavailable",
            "message": "the store cannot take it; nothing of this request was stored,"
            " send the same again after the time in Retry-After",
        },
        retry_after="5",
    )
    assert (health.status, health.body["error"]) == (503, "store_unavailable")
    assert batch.status == 200
    assert (code, err.count("the store refused a commit")) == (0, 1)
    assert place.stored() == dict.fromkeys(["batch", *before, *meanwhile, *after], 1)
