from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.batch_sink import BatchSink, Counts
from tests.program import Program, run

# The last thing that it does is to be told that its last event is taken.
KILLED_AFTER_TRACK = """
import os, signal, sys
from tests.app import start, track_many

start(sys.argv[1], sys.argv[2])
assert track_many("event", 100) == 100
os.kill(os.getpid(), signal.SIGKILL)
"""

NEXT = """
import sys
from clamp_analytics import flush
from tests.app import start, tell

start(sys.argv[1], sys.argv[2])
tell(is_whole=flush(30))
"""


@pytest.mark.parametrize("is_down", [True, False])
def test_a_process_killed_right_after_track_loses_nothing_of_its_outbox(
    tmp_path: Path, is_down: bool
) -> None:
    with BatchSink() as sink:
        if is_down:
            sink.shut()
        with Program(KILLED_AFTER_TRACK, sink.endpoint, str(tmp_path)) as killed:
            ended = killed.end()
        if is_down:
            sink.open()
        (after,) = run(NEXT, sink.endpoint, str(tmp_path))

    assert ended == (-signal.SIGKILL, "")
    assert after["is_whole"]
    assert (after["waiting"], after["dropped"], after["reported"]) == (0, {}, {})
    assert sink.counts == Counts(stored=100)
    assert list(tmp_path.iterdir()) == []


KILLED_WHILE_SENDING = """
import sys
from tests.app import start, tell, track_many

start(sys.argv[1], sys.argv[2])
tell(tracked=track_many("event", 100))
sys.stdin.read()
"""


def test_what_a_killed_process_was_sending_is_sent_again_and_counts_once(
    tmp_path: Path,
) -> None:
    with BatchSink() as sink:
        sink.may_answer.clear()
        with Program(KILLED_WHILE_SENDING, sink.endpoint, str(tmp_path)) as killed:
            assert killed.hear()["tracked"] == 100
            # Before that, what the killed process was sending may not have been sent.
            sink.wait_for(lambda sink: sink.read == 1)
        # The server gets to it only when nobody waits for the answer any more.
        sink.may_answer.set()
        sink.wait_for(lambda sink: sink.counts.stored > 0)
        # On a slow machine the first batch goes before the last event is tracked.
        first = sink.counts.stored
        (after,) = run(NEXT, sink.endpoint, str(tmp_path))

    assert after == {
        "is_whole": True,
        "sent": 100,
        "waiting": 0,
        "dropped": {},
        "reported": {},
    }
    assert (sink.counts, sink.repeats) == (Counts(stored=100), first)


# Each waits until the others have their outbox open, too.
SHARING = """
import sys
from clamp_analytics import flush
from tests.app import start, tell, track_many

start(sys.argv[1], sys.argv[2])
tell()
sys.stdin.readline()
track_many(sys.argv[3], 200)
tell(is_whole=flush(30))
"""


def test_processes_that_share_an_outbox_deliver_what_a_killed_one_left_once(
    tmp_path: Path,
) -> None:
    with BatchSink() as sink:
        sink.shut()
        with Program(KILLED_AFTER_TRACK, sink.endpoint, str(tmp_path)) as killed:
            killed.end()
        arguments = (sink.endpoint, str(tmp_path))
        with (
            Program(SHARING, *arguments, "one") as one,
            Program(SHARING, *arguments, "two") as two,
        ):
            opened = [program.hear()["waiting"] for program in (one, two)]
            sink.open()
            one.tell("go")
            two.tell("go")
            done = [program.hear() for program in (one, two)]
            ended = [program.end() for program in (one, two)]

    assert sorted(opened) == [0, 100]
    assert [(one["is_whole"], one["waiting"], one["dropped"]) for one in done] == [
        (True, 0, {})
    ] * 2
    # While the sink was shut, one may have said so on its standard error.
    assert [status for status, _ in ended] == [0, 0]
    assert sum(one["sent"] for one in done) == 500
    assert (sink.counts, sink.repeats) == (Counts(stored=500), 0)
    assert list(tmp_path.iterdir()) == []
