"""Several processes at one directory: killed, interrupted and forked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.outbox.numbered import NOON, Dropped, OpenOutbox, drain, files, leave

from clamp_analytics._segment import encode_line, encode_time

BEGIN = """
import os, sys
from clamp_analytics._outbox import Outbox

def event(number):
    return b'{"id":"%032x"}' % number

def opened():
    def dropped(*what):
        raise AssertionError(what)
    return Outbox(sys.argv[1], "proj_test", 2**28, dropped, lambda: 1_773_144_000.0)

def drain(outbox):
    found = []
    while taken := outbox.take(100, 10**6):
        found += [int(each[7:39], 16) for each in taken]
        outbox.settle()
    return found
"""


def start(script: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


TAKING_OVER = """
print("ready", flush=True)
sys.stdin.readline()
print(*drain(opened()))
"""


def test_each_event_is_taken_over_by_one_process(
    open_outbox: OpenOutbox, path: Path
) -> None:
    leave(open_outbox, *([10 * first + n for n in range(10)] for first in range(30)))

    with start(TAKING_OVER, path) as one, start(TAKING_OVER, path) as other:
        assert (line_of(one), line_of(other)) == ("ready\n", "ready\n")
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found = [*map(int, line_of(one).split()), *map(int, line_of(other).split())]

    assert sorted(found) == list(range(300))
    assert files(path) == []


HOLDING = """
outbox = opened()
print(len(outbox.take(2, 10**6)), flush=True)
outbox.settle()
print(len(outbox.take(5, 10**6)), flush=True)
sys.stdin.read()
"""


def test_a_process_that_is_killed_gives_back_what_it_took(
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
) -> None:
    leave(open_outbox, range(10))

    with start(HOLDING, path) as holder:
        assert (line_of(holder), line_of(holder)) == ("2\n", "5\n")
        assert drain(open_outbox()) == []
        holder.kill()

    assert drain(open_outbox()) == list(range(2, 10))
    assert dropped.reports == []


# Each number is printed when its `put` has returned, and not before.
PUTTING = """
outbox = opened()
for number in range(10**9):
    outbox.put(event(number))
    os.write(1, b"%d\\n" % number)
"""


@pytest.mark.parametrize("killed_after", [1, 100, 2_000])
def test_a_process_killed_in_the_middle_of_puts_loses_none_that_returned(
    open_outbox: OpenOutbox, path: Path, dropped: Dropped, killed_after: int
) -> None:
    with start(PUTTING, path) as process:
        for _ in range(killed_after):
            line_of(process)
        process.kill()
        assert process.stdout is not None
        returned = killed_after + process.stdout.read().count("\n")

    found = drain(open_outbox())

    # The next one may be whole and not yet printed, or torn: a write that goes over
    # a page of memory is cut there by the kill. That one is reported, and only it.
    assert found == list(range(len(found)))
    assert returned <= len(found) + len(dropped.reports) <= returned + 1
    assert returned <= len(found)
    unfinished = encode_line(b'{"id":"%032x"}' % returned, encode_time(NOON))
    for reason, _, (torn,) in dropped.reports:
        assert (reason, torn) == ("outbox_corrupt", unfinished[: len(torn)])


# A time limit that hits anywhere, as Celery's soft one does.
INTERRUPTED = """
import signal
class Late(Exception):
    pass
def late(*_):
    raise Late
signal.signal(signal.SIGALRM, late)
outbox = opened()
returned = []
interrupted = number = 0
while interrupted < 200:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        while True:
            number += 1
            outbox.put(event(number))
            returned.append(number)
    except Late:
        interrupted += 1
found = drain(outbox)
print(len(set(returned) - set(found)), found == sorted(set(found)), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_an_event_that_is_interrupted_takes_no_other_with_it(path: Path) -> None:
    assert run_by_the_clock(INTERRUPTED, path) == "0 True\n"


# Signals come at any time, and their handlers track as well.
NESTED = """
import signal
def late(*_):
    global late_ones
    late_ones += 1
    outbox.put(event(10**9 + late_ones))
    signal.setitimer(signal.ITIMER_REAL, 0.0003)
signal.signal(signal.SIGALRM, late)
outbox = opened()
late_ones = number = 0
signal.setitimer(signal.ITIMER_REAL, 0.0003)
while late_ones < 500:
    number += 1
    outbox.put(event(number))
signal.setitimer(signal.ITIMER_REAL, 0)
outbox.put(event(number + 1))
expected = [*range(1, number + 2), *range(10**9 + 1, 10**9 + 1 + late_ones)]
print(set(expected) ^ set(drain(outbox)), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_signal_handler_may_put_an_event_in_the_middle_of_a_put(path: Path) -> None:
    assert run_by_the_clock(NESTED, path) == "set()\n"


def run_by_the_clock(script: str, path: Path) -> str:
    # Not under coverage, which takes locks of its own for every line.
    environment = {
        key: value for key, value in os.environ.items() if "COVERAGE" not in key
    }
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script, str(path)],
        check=True,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    return done.stdout


FORKING = """
outbox = opened()
outbox.put(event(1))
outbox.take(1, 10**6)
child = os.fork()
if child == 0:
    outbox.forked()
    print("child", outbox.entered, drain(outbox), flush=True)
    outbox.put(event(2))
    print("child", drain(outbox), flush=True)
    outbox.put(event(3))
    os._exit(0)
os.waitpid(child, 0)
print("other", drain(opened()), flush=True)
outbox.put(event(4))
print("parent", drain(outbox), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_files_of_its_own_and_leaves_the_parents(
    path: Path,
) -> None:
    with start(FORKING, path) as process:
        output, _ = process.communicate()

    assert output.splitlines() == [
        "child 0 []",
        "child [2]",
        "other [3]",
        "parent [1, 4]",
    ]


# The child lives on and the parent is gone: nothing in the child may keep its lock.
LEAVING_A_CHILD = """
outbox = opened()
outbox.put(event(1))
if os.fork() == 0:
    outbox.forked()
    print("child", flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.readline()
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_does_not_keep_what_its_parent_left(
    open_outbox: OpenOutbox, path: Path
) -> None:
    with start(LEAVING_A_CHILD, path) as parent:
        assert line_of(parent) == "child\n"
        before = drain(open_outbox())
        parent.kill()
        parent.wait()
        after = drain(open_outbox())

    assert (before, after) == ([], [1])
