from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.batch_sink import LONGEST_WAIT_S, BatchSink, Counts, hang, take
from tests.program import Program, run

JUST_ENDING = """
import sys
from tests.app import start, track_many

start(sys.argv[1], sys.argv[2])
assert track_many("event", 100) == 100
"""

NOTHING_LOST = {"waiting": 0, "dropped": {}, "reported": {}}


@pytest.mark.parametrize("has_outbox", [False, True])
def test_a_hundred_events_arrive_though_the_process_just_ends(
    tmp_path: Path, has_outbox: bool
) -> None:
    outbox = str(tmp_path) if has_outbox else ""
    with BatchSink() as sink:
        run(JUST_ENDING, sink.endpoint, outbox, options="-X dev -W error")

    assert (sink.counts, sink.repeats) == (Counts(stored=100), 0)
    assert list(tmp_path.iterdir()) == []


FAILING = """
import sys
from tests.app import start, track_many

start(sys.argv[1])
assert track_many("event", 100) == 100
raise SystemExit(3)
"""


def test_a_process_that_ends_by_an_exception_delivers_too() -> None:
    with BatchSink() as sink, Program(FAILING, sink.endpoint) as program:
        ended = program.end()

    assert (ended, sink.counts) == ((3, ""), Counts(stored=100))


# Handlers run in reverse: this one when the client is done.
ENDING_UNHEARD = """
import atexit, sys
from tests.app import start, tell, track_many

atexit.register(tell)
start(sys.argv[1], sys.argv[2])
assert track_many("event", 100) == 100
"""


@pytest.mark.parametrize("has_batches", [True, False])
def test_an_exit_does_not_wait_for_a_server_that_hangs(has_batches: bool) -> None:
    sink = BatchSink(*[hang] * 200, has_batches=has_batches)
    with sink, Program(ENDING_UNHEARD, sink.endpoint, "") as program:
        sink.wait_for(lambda sink: len(sink.arrivals) > 0)
        began_s = time.monotonic()
        at_the_end = program.hear()
        ended = program.end()
        took_s = time.monotonic() - began_s

    # 2 s are promised; waiting for each request would take over a minute.
    assert took_s < 10
    assert ended == (0, "")
    assert at_the_end == {
        "sent": 0,
        "waiting": 0,
        "dropped": {"closed": 100},
        "reported": {"ClampError": 100},
    }
    assert sink.counts == Counts(stored=0)


def test_what_a_given_up_exit_had_sent_is_not_told_as_lost() -> None:
    sink = BatchSink(*[take] * 60, *[hang] * 200, has_batches=False)
    with sink, Program(ENDING_UNHEARD, sink.endpoint, "") as program:
        at_the_end = program.hear()
        ended = program.end()

    assert ended == (0, "")
    assert at_the_end == {
        "sent": 60,
        "waiting": 0,
        "dropped": {"closed": 40},
        "reported": {"ClampError": 40},
    }
    assert sink.counts == Counts(stored=60)


def test_what_an_exit_left_in_an_outbox_goes_out_with_the_next_process(
    tmp_path: Path,
) -> None:
    with BatchSink(hang) as sink:
        with Program(ENDING_UNHEARD, sink.endpoint, str(tmp_path)) as program:
            at_the_end = program.hear()
            ended = program.end()
        run(JUST_ENDING.replace("event", "later"), sink.endpoint, str(tmp_path))

    assert ended == (0, "")
    assert at_the_end == {"sent": 0, "waiting": 100, "dropped": {}, "reported": {}}
    assert sink.counts == Counts(stored=200)
    assert list(tmp_path.iterdir()) == []


# The application's handler runs before the client's: it came later.
ENDING_WHILE_SENDING = """
import atexit, sys
from tests.app import start, tell, track_many

atexit.register(tell)
start(sys.argv[1])
atexit.register(print, "ending", flush=True)
assert track_many("event", 3000) == 3000
sys.stdin.readline()
"""


def test_an_interpreter_that_is_shut_down_while_it_sends_sends_the_rest() -> None:
    with BatchSink() as sink, Program(ENDING_WHILE_SENDING, sink.endpoint) as program:
        sink.may_answer.clear()
        sink.wait_for(lambda sink: len(sink.arrivals) > 0)
        program.tell("end")
        assert program.hear() == "ending"
        sink.may_answer.set()
        at_the_end = program.hear()
        ended = program.end()

    assert at_the_end == {"sent": 3000, **NOTHING_LOST}
    assert (ended, sink.counts, sink.repeats) == ((0, ""), Counts(stored=3000), 0)


# No thread was started before, and from Python 3.12 on none can be by then.
FIRST_AT_EXIT = """
import atexit, sys
from tests.app import start, tell, track_many

atexit.register(tell)
start(sys.argv[1], sys.argv[2])
atexit.register(track_many, "at_exit", 3)
"""


@pytest.mark.parametrize("has_outbox", [False, True])
@pytest.mark.parametrize("has_batches", [True, False])
def test_events_that_an_exit_handler_is_the_first_to_track_arrive(
    tmp_path: Path, has_outbox: bool, has_batches: bool
) -> None:
    outbox = str(tmp_path) if has_outbox else ""
    with BatchSink(has_batches=has_batches) as sink:
        (at_the_end,) = run(FIRST_AT_EXIT, sink.endpoint, outbox)

    assert at_the_end == {"sent": 3, **NOTHING_LOST}
    assert (sink.counts, sink.repeats) == (Counts(stored=3), 0)


def test_an_exit_that_has_no_thread_waits_no_longer_for_a_server_that_hangs() -> None:
    sink = BatchSink(*[hang] * 20)
    with sink, Program(FIRST_AT_EXIT, sink.endpoint, "") as program:
        began_s = time.monotonic()
        at_the_end = program.hear()
        code, _ = program.end()
        took_s = time.monotonic() - began_s

    # A request waits 5 s for its answer.
    assert took_s < LONGEST_WAIT_S / 3
    assert code == 0
    assert at_the_end == {
        "sent": 0,
        "waiting": 0,
        "dropped": {"closed": 3},
        "reported": {"ClampError": 3},
    }


# Registered before the client exists, so it runs after the client has ended.
AFTER_THE_END = """
import atexit, sys
from tests.app import start, tell, track_many

def stopped():
    assert track_many("stopped", 2) == 2
    tell()

atexit.register(stopped)
start(sys.argv[1], sys.argv[2])
assert track_many("event", 100) == 100
"""


def test_an_exit_handler_may_track_when_the_client_has_ended() -> None:
    with BatchSink() as sink:
        (at_the_end,) = run(AFTER_THE_END, sink.endpoint, "")

    assert at_the_end == {"sent": 102, **NOTHING_LOST}
    assert (sink.counts, sink.repeats) == (Counts(stored=102), 0)


def test_an_outbox_keeps_what_is_tracked_when_the_client_has_ended(
    tmp_path: Path,
) -> None:
    with BatchSink() as sink:
        (at_the_end,) = run(AFTER_THE_END, sink.endpoint, str(tmp_path))
        before = sink.counts
        run(JUST_ENDING.replace("event", "later"), sink.endpoint, str(tmp_path))

    assert at_the_end == {"sent": 100, **NOTHING_LOST, "waiting": 2}
    assert (before, sink.counts) == (Counts(stored=100), Counts(stored=202))
    assert (sink.repeats, list(tmp_path.iterdir())) == (0, [])


UNHEARD_AFTER_THE_END = """
import atexit, sys
from clamp_analytics import track
from tests.app import start, tell, track_many

def stopped():
    tell(took=track("stopped"))

atexit.register(stopped)
start(sys.argv[1], exit_timeout=0)
assert track_many("event", 100) == 100
"""


def test_an_event_that_comes_after_a_given_up_end_is_told_at_once() -> None:
    sink = BatchSink(*[hang] * 20)
    with sink:
        (at_the_end,) = run(UNHEARD_AFTER_THE_END, sink.endpoint)

    assert at_the_end == {
        "took": False,
        "sent": 0,
        "waiting": 0,
        "dropped": {"closed": 101},
        "reported": {"ClampError": 101},
    }
    assert sink.counts == Counts(stored=0)
