from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.batch_sink import BatchSink, Counts
from tests.program import run

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timer that signals"
)


@pytest.fixture(autouse=True)
def _without_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    # It has a lock of its own around the first run of a function. A handler that
    # raises there leaves it locked, and one that tracks there waits for the thread
    # that sends, while that waits for this lock.
    for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        monkeypatch.delenv(name, raising=False)


# The handler interrupts whatever the main thread is just doing in its own track().
INTERRUPTED = """
import itertools, signal, sys
from clamp_analytics import flush, stats, track
from tests.app import start, tell

numbers = itertools.count()
# Appending is one step, which a count of one's own is not.
taken, handled = [], []

def handle(number, frame):
    handled.append(track(f"handled_{next(numbers)}"))

start(sys.argv[1], sys.argv[2])
signal.signal(signal.SIGALRM, handle)
while len(handled) < 1000:
    # Each after the one before: a slow machine would do nothing but handle.
    done = len(handled)
    signal.setitimer(signal.ITIMER_REAL, 0.0002)
    while len(handled) == done:
        taken.append(track(f"tracked_{next(numbers)}"))
    if done % 100 == 0:
        # Or a slow machine would fill the queue.
        flush(50)
tell(is_whole=flush(50))
print(sum(taken) + sum(handled))
"""


@pytest.mark.parametrize("has_outbox", [False, True])
def test_a_signal_handler_may_track_while_the_same_thread_does(
    tmp_path: Path, has_outbox: bool
) -> None:
    outbox = str(tmp_path) if has_outbox else ""
    with BatchSink() as sink:
        said, tracked = run(INTERRUPTED, sink.endpoint, outbox)

    assert said == {
        "is_whole": True,
        "sent": int(tracked),
        "waiting": 0,
        "dropped": {},
        "reported": {},
    }
    assert (sink.counts, sink.repeats) == (Counts(stored=int(tracked)), 0)


# As Celery's soft time limit does, at whatever place it hits. The thread starts
# before: Python's own start of one may not be broken off.
BROKEN_OFF = """
import signal, sys
from clamp_analytics import flush, track
from tests.app import start, tell

class TimeIsUp(Exception):
    pass

def handle(number, frame):
    raise TimeIsUp

start(sys.argv[1], sys.argv[2])
track("first")
signal.signal(signal.SIGALRM, handle)
taken, broken = 1, 0
while broken < 1000:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002)
        while True:
            track(f"event_{taken}_{broken}")
            taken += 1
    except TimeIsUp:
        broken += 1
    if broken % 100 == 0:
        # Or a slow machine would fill the queue.
        flush(50)
tell(is_whole=flush(5))
print(taken)
"""


@pytest.mark.parametrize("has_outbox", [False, True])
def test_a_signal_handler_that_raises_costs_one_call_at_most(
    tmp_path: Path, has_outbox: bool
) -> None:
    outbox = str(tmp_path) if has_outbox else ""
    with BatchSink() as sink:
        said, taken = run(BROKEN_OFF, sink.endpoint, outbox)

    # An event whose call was broken off may have been taken, or not.
    assert int(taken) <= sink.counts.stored <= int(taken) + 1000
    assert (sink.counts.doubled, sink.repeats) == (0, 0)
    assert (said["dropped"], said["reported"]) == ({}, {})
    assert (said["is_whole"], said["waiting"]) == (True, 0)
    assert said["sent"] == sink.counts.stored
