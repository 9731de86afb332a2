from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.batch_sink import BatchSink, Counts
from tests.program import Program, run

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system does not fork"
)

NOTHING_LOST = {"waiting": 0, "dropped": {}, "reported": {}}


def sent(said: list[Any]) -> list[int]:
    """How many events each process sent, if none of them lost one."""
    assert [{**line, "sent": 0} for line in said] == [{"sent": 0, **NOTHING_LOST}] * (
        len(said)
    )
    return sorted(line["sent"] for line in said)


# When it forks, events wait: the second batch, while the first is under way. The
# child ends as the parent does, by itself.
FORKING = """
import atexit, os, sys
from tests.app import start, tell, track_many

atexit.register(tell)
start(sys.argv[1], sys.argv[2])
assert track_many("before", 50) == 50
print("tracked", flush=True)
sys.stdin.readline()
assert track_many("waiting", 50) == 50
child = os.fork()
if child == 0:
    assert track_many("child", 50) == 50
    sys.exit()
assert track_many("parent", 50) == 50
print("forked", flush=True)
_, status = os.waitpid(child, 0)
sys.exit(status)
"""


@pytest.mark.parametrize("has_outbox", [False, True])
def test_a_fork_while_events_wait_and_are_sent_doubles_and_loses_none(
    tmp_path: Path, has_outbox: bool
) -> None:
    outbox = str(tmp_path) if has_outbox else ""
    with (
        BatchSink() as sink,
        Program(FORKING, sink.endpoint, outbox, options="-W ignore") as program,
    ):
        sink.may_answer.clear()
        assert program.hear() == "tracked"
        sink.wait_for(lambda sink: len(sink.arrivals) > 0)
        program.tell("fork")
        assert program.hear() == "forked"
        sink.may_answer.set()
        said = [program.hear(), program.hear()]
        ended = program.end()

    assert (ended, sent(said)) == ((0, ""), [50, 150])
    assert (sink.counts, sink.repeats) == (Counts(stored=200), 0)
    assert list(tmp_path.iterdir()) == []


# Nobody calls flush in a child.
WORKING = """
import multiprocessing, sys
from tests.app import start, tell, track_many

def work(who, endpoint):
    if endpoint:
        start(endpoint)
    assert track_many(who, 50) == 50

if __name__ == "__main__":
    method, endpoint = sys.argv[1:]
    context = multiprocessing.get_context(method)
    start(endpoint)
    assert track_many("before", 50) == 50
    again = "" if method == "fork" else endpoint
    workers = [
        context.Process(target=work, args=(f"worker_{n}", again)) for n in range(2)
    ]
    for worker in workers:
        worker.start()
    assert track_many("parent", 50) == 50
    for worker in workers:
        worker.join()
    sys.exit(sum(worker.exitcode for worker in workers))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_events_of_multiprocessing_arrive_without_a_flush(
    tmp_path: Path, method: str
) -> None:
    # A module that those can import which do not fork.
    (tmp_path / "working.py").write_text(WORKING)
    launch = "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); "
    launch += "runpy.run_module('working', run_name='__main__', alter_sys=True)"
    with BatchSink() as sink:
        run(launch, str(tmp_path), method, sink.endpoint)

    assert (sink.counts, sink.repeats) == (Counts(stored=200), 0)


# A pool ends its workers by a signal, which runs nothing at their exit; what they
# tracked is under way by then, for each waits until it is.
POOL = """
import concurrent.futures, multiprocessing, sys
from clamp_analytics import flush
from tests.app import start, track_many

def work(number):
    return track_many(f"worker_{number}", 10)

start(sys.argv[1])
assert track_many("before", 50) == 50
context = multiprocessing.get_context("fork")
with concurrent.futures.ProcessPoolExecutor(3, mp_context=context) as pool:
    assert sum(pool.map(work, range(20))) == 200
"""


def test_events_of_a_pool_arrive_without_a_flush() -> None:
    with BatchSink() as sink:
        run(POOL, sink.endpoint, options="-W ignore")

    assert (sink.counts, sink.repeats) == (Counts(stored=250), 0)


# Two forks at once, again and again: each thread's are held up by the other's.
FORKING_AT_ONCE = """
import os, sys, threading
from clamp_analytics import Clamp
from tests.app import start, tell, track_many

start(sys.argv[1])
others = [Clamp("proj_test", "sk_proj_test", sys.argv[1], background=True)
          for _ in range(5)]
failed = []
# Threads take turns all the time, also in the middle of a fork's preparations.
sys.setswitchinterval(1e-6)

def fork(who):
    for number in range(20):
        child = os.fork()
        if child == 0:
            tracked = track_many(f"{who}_{number}", 1)
            from clamp_analytics import flush
            os._exit(not (tracked == 1 and flush(30)))
        failed.append(os.waitpid(child, 0)[1])
        assert track_many(f"parent_{who}_{number}", 1) == 1

threads = [threading.Thread(target=fork, args=(f"thread_{n}",)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(any(failed))
"""


def test_threads_that_fork_at_once_hang_neither_each_other_nor_a_child() -> None:
    with BatchSink() as sink:
        run(FORKING_AT_ONCE, sink.endpoint, options="-W ignore")

    assert (sink.counts, sink.repeats) == (Counts(stored=160), 0)


# As uWSGI forks: in C. Until Python 3.13 made it do more, it told only the child.
FORKING_IN_C = """
import ctypes, os, sys
from tests.app import start, track_many

tells_all = sys.version_info >= (3, 13)
start(sys.argv[1])
assert track_many("before", 50) == 50
if tells_all:
    ctypes.pythonapi.PyOS_BeforeFork()
child = ctypes.PyDLL(None).fork()
if child == 0:
    ctypes.pythonapi.PyOS_AfterFork_Child()
    assert track_many("child", 50) == 50
    sys.exit()
if tells_all:
    ctypes.pythonapi.PyOS_AfterFork_Parent()
assert track_many("parent", 50) == 50
_, status = os.waitpid(child, 0)
sys.exit(status)
"""


def test_a_fork_in_c_doubles_and_loses_none() -> None:
    with BatchSink() as sink:
        run(FORKING_IN_C, sink.endpoint, options="-W ignore")

    assert (sink.counts, sink.repeats) == (Counts(stored=150), 0)
