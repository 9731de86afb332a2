from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clamp_analytics._outbox import MAX_AGE_S, MAX_CLAIMED_FILES, Outbox
from clamp_analytics._segment import SEGMENT_BYTES
from clamp_analytics.errors import ClampError, QueueFullError

MANY = 1_000_000
NOON = 1_773_144_000.0
# So much more than the event does its line take.
OVERHEAD = 24


class Dropped:
    """What an outbox has reported: reason, error, events."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, str, list[bytes]]] = []

    def __call__(self, reason: str, why: Exception, events: Sequence[bytes]) -> None:
        assert isinstance(why, ClampError)
        self.reports.append((reason, str(why), list(events)))


class Clock:
    def __init__(self) -> None:
        self.now_s = NOON

    def __call__(self) -> float:
        self.now_s += 0.01
        return self.now_s


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def dropped() -> Dropped:
    return Dropped()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_outbox(path: Path, dropped: Dropped, clock: Clock) -> Iterator[Any]:
    """Open one after the other as processes would: closed, they leave what waits."""
    opened: list[Outbox] = []

    def open_one(project_id: str = "proj_test", max_bytes: int = 2**28) -> Outbox:
        outbox = Outbox(path, project_id, max_bytes, dropped, clock)
        opened.append(outbox)
        return outbox

    yield open_one
    for outbox in opened:
        outbox.close()


def event(number: int, padding: str = "") -> bytes:
    return f'{{"id":"{number:032x}","name":"signup{padding}"}}'.encode()


def fill(outbox: Outbox, numbers: Sequence[int], padding: str = "") -> None:
    for number in numbers:
        outbox.put(event(number, padding))


def numbers_of(events: Sequence[bytes]) -> list[int]:
    return [int(json.loads(each)["id"], 16) for each in events]


def drain(outbox: Outbox) -> list[int]:
    """The numbers of all that waits, in order."""
    found = []
    while taken := outbox.take(1_000, MANY):
        found += numbers_of(taken)
        outbox.settle()
    return found


def files(path: Path) -> list[Path]:
    return sorted(path.iterdir())


@contextmanager
def no_file_beyond(max_bytes: int) -> Iterator[None]:
    """As on a full disk, a write that makes a file larger fails in the middle."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def no_more_open_files() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# A queue like any other


def test_events_leave_in_the_order_in_which_they_came(open_outbox: Any) -> None:
    outbox = open_outbox()
    fill(outbox, range(5))

    first = outbox.take(3, MANY)
    again = outbox.take(5, MANY)
    outbox.settle()
    rest = outbox.take(5, MANY)
    outbox.settle()

    assert (numbers_of(first), again, numbers_of(rest)) == ([0, 1, 2], first, [3, 4])
    assert (outbox.take(5, MANY), outbox.entered, outbox.left) == ([], 5, 5)


def test_to_settle_nothing_is_nothing(open_outbox: Any) -> None:
    outbox = open_outbox()
    fill(outbox, [1])
    outbox.settle()

    assert (outbox.entered, outbox.left, drain(outbox)) == (1, 0, [1])


def test_a_take_counts_bytes_and_gives_one_event_at_least(open_outbox: Any) -> None:
    outbox = open_outbox()
    fill(outbox, range(3), padding="x" * 1000)
    size = len(event(0, "x" * 1000)) + 1

    one = outbox.take(100, 10)
    outbox.settle()
    two = outbox.take(100, 2 * size)

    assert (numbers_of(one), numbers_of(two)) == ([0], [1, 2])


def test_events_put_while_others_are_taken_all_arrive(open_outbox: Any) -> None:
    outbox = open_outbox()
    sender = threading.Thread(target=fill, args=(outbox, range(20_000)))
    sender.start()

    found: list[int] = []
    while len(found) < 20_000:
        found += drain(outbox)
    sender.join()

    assert found == list(range(20_000))
    assert (outbox.entered, outbox.left) == (20_000, 20_000)


# On disk


def test_nothing_is_written_before_the_first_event(
    open_outbox: Any, path: Path
) -> None:
    open_outbox()

    assert files(path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_user_may_look_inside(open_outbox: Any, path: Path) -> None:
    fill(open_outbox(), [1])
    (file,) = files(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_says_its_project_and_what_is_settled(
    open_outbox: Any, path: Path
) -> None:
    outbox = open_outbox("proj_a1b2c3")
    fill(outbox, [1, 2])
    (file,) = files(path)
    header = b'clamp-outbox 1 000000000041 "proj_a1b2c3"\n'
    before = file.read_bytes()
    outbox.take(1, MANY)
    outbox.settle()

    settled = len(header) + len(event(1)) + OVERHEAD
    after = file.read_bytes()
    assert before[: len(header)] == header.replace(b"41", b"%d" % len(header))
    assert after == before.replace(b"%012d" % len(header), b"%012d" % settled)


def test_a_directory_made_relative_stays_where_it_was(
    tmp_path: Path, dropped: Dropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outbox = Outbox("queue", "proj_test", MANY, dropped)
    monkeypatch.chdir("/")
    fill(outbox, [1])

    assert len(files(tmp_path / "queue")) == 1
    assert outbox.close() == []


def test_files_that_are_settled_are_deleted(open_outbox: Any, path: Path) -> None:
    outbox = open_outbox()
    padding = "x" * (SEGMENT_BYTES // 4)
    fill(outbox, range(10), padding)
    assert len(files(path)) == 3

    taken = numbers_of(outbox.take(4, SEGMENT_BYTES * 2))
    outbox.settle()
    rest = drain(outbox)

    assert taken + rest == list(range(10))
    assert len(files(path)) == 1
    outbox.close()
    assert files(path) == []


def test_a_closed_outbox_gives_nothing_and_keeps_everything(open_outbox: Any) -> None:
    outbox = open_outbox()
    fill(outbox, range(3))
    outbox.take(2, MANY)

    assert outbox.close() == []
    outbox.settle()
    assert outbox.take(2, MANY) == []
    assert drain(open_outbox()) == [0, 1, 2]


# What processes before this one left


def leave(open_outbox: Any, *groups: Sequence[int]) -> None:
    """As processes do that ran at the same time and ended with events waiting."""
    outboxes = [open_outbox() for _ in groups]
    for outbox, numbers in zip(outboxes, groups):
        fill(outbox, numbers)
    for outbox in outboxes:
        outbox.close()


def test_what_was_left_comes_first_the_oldest_file_before_the_others(
    open_outbox: Any, path: Path
) -> None:
    leave(open_outbox, [1, 2], [3], [4, 5])

    outbox = open_outbox()
    waiting = outbox.entered - outbox.left
    fill(outbox, [6])

    assert (waiting, drain(outbox)) == (5, [1, 2, 3, 4, 5, 6])
    assert (outbox.entered, outbox.left, len(files(path))) == (6, 6, 1)


def test_what_was_settled_does_not_come_back(open_outbox: Any) -> None:
    outbox = open_outbox()
    fill(outbox, range(5))
    outbox.take(2, MANY)
    outbox.settle()
    outbox.take(2, MANY)
    outbox.close()

    assert drain(open_outbox()) == [2, 3, 4]


def test_a_process_that_lives_keeps_its_events(open_outbox: Any) -> None:
    living, other = open_outbox(), open_outbox()
    fill(living, [1, 2])

    assert drain(other) == []
    assert drain(living) == [1, 2]


def test_what_a_process_leaves_later_is_taken_over_when_all_else_is_settled(
    open_outbox: Any,
) -> None:
    ending, outbox = open_outbox(), open_outbox()
    fill(ending, [1, 2])
    fill(outbox, [3])
    ending.close()

    assert drain(outbox) == [3, 1, 2]
    assert (outbox.entered, outbox.left) == (3, 3)


def test_what_is_taken_over_later_comes_before_what_is_put_after_that(
    open_outbox: Any,
) -> None:
    ending, outbox = open_outbox(), open_outbox()
    fill(outbox, [1])
    drain(outbox)
    fill(ending, [2, 3])
    ending.close()

    first = numbers_of(outbox.take(1, MANY))
    fill(outbox, [4])
    outbox.settle()

    assert (first, drain(outbox)) == ([2], [3, 4])


def test_files_are_taken_over_so_many_at_a_time(open_outbox: Any, path: Path) -> None:
    numbers = range(MAX_CLAIMED_FILES + 2)
    leave(open_outbox, *([number] for number in numbers))

    outbox = open_outbox()

    assert outbox.entered == MAX_CLAIMED_FILES
    assert drain(outbox) == list(numbers)
    assert files(path) == []


def test_no_more_is_taken_over_than_may_wait(open_outbox: Any) -> None:
    leave(open_outbox, [1], [2], [3])

    outbox = open_outbox(max_bytes=len(event(1)) + OVERHEAD + 1)

    assert outbox.entered == 2
    assert drain(outbox) == [1, 2, 3]


def test_other_projects_are_left_alone(open_outbox: Any) -> None:
    other = open_outbox("proj_other")
    fill(other, [1])
    other.close()

    assert drain(open_outbox("proj_test")) == []
    assert drain(open_outbox("proj_other")) == [1]


FOREIGN = {
    "a": b'clamp-outbox 2 000000000041 "proj_test"\nwhatever comes later\n',
    "b": b"",
}


def test_a_later_format_and_a_file_without_a_header_are_left_alone(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    path.mkdir()
    for name, content in FOREIGN.items():
        (path / name).with_suffix(".events").write_bytes(content)
    (path / ".DS_Store").write_bytes(b"not ours at all")
    outbox = open_outbox()

    assert outbox.take(1, MANY) == []
    assert [file.name for file in files(path)] == [".DS_Store", "a.events", "b.events"]
    assert dropped.reports == []


# What is damaged


def test_a_damaged_line_is_reported_once_and_the_others_arrive(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    leave(open_outbox, [1, 2, 3])
    (file,) = files(path)
    file.write_bytes(file.read_bytes().replace(event(2), event(8)))

    outbox = open_outbox()
    first = numbers_of(outbox.take(10, MANY))
    outbox.close()
    rest = drain(open_outbox())

    assert (first, rest, files(path)) == ([1], [1, 3], [])
    ((reason, why, (line,)),) = dropped.reports
    assert reason == "outbox_corrupt"
    assert why == f"lines in {file} are torn, or do not match their checksums"
    assert line.endswith(event(8))


def test_a_torn_last_line_is_reported_once_and_the_others_arrive(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    leave(open_outbox, [1, 2, 3])
    (file,) = files(path)
    content = file.read_bytes()
    file.write_bytes(content[:-10])

    outbox = open_outbox()
    found = drain(outbox)

    assert (outbox.entered, outbox.left, found) == (3, 3, [1, 2])
    torn = content[-len(event(3)) - OVERHEAD : -10]
    why = f"lines in {file} are torn, or do not match their checksums"
    assert dropped.reports == [("outbox_corrupt", why, [torn])]


def test_lines_of_zeros_as_a_power_cut_leaves_them_are_reported(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    leave(open_outbox, [1])
    (file,) = files(path)
    file.write_bytes(file.read_bytes() + bytes(100_000))

    outbox = open_outbox()
    found = [outbox.take(10, 100)]
    outbox.settle()
    found.append(outbox.take(10, 100))

    assert [numbers_of(events) for events in found] == [[1], []]
    assert [(reason, lost) for reason, _, lost in dropped.reports] == [
        ("outbox_corrupt", [bytes(100_000)])
    ]


def test_a_file_that_claims_to_be_settled_beyond_its_end_is_empty(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    leave(open_outbox, [1])
    (file,) = files(path)
    header, _ = file.read_bytes().split(b"\n", 1)
    file.write_bytes(header.replace(header[15:27], b"9" * 12) + b"\n")

    assert drain(open_outbox()) == []
    assert (files(path), dropped.reports) == ([], [])


def test_a_file_that_is_none_of_an_outbox_is_set_aside_and_reported_once(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    (path / "b.events").mkdir(parents=True)
    (path / "a.events").write_bytes(b"garbage")
    leave(open_outbox, [1])

    found = drain(open_outbox())

    assert (found, [file.name for file in files(path)]) == (
        [1],
        ["a.broken", "b.broken"],
    )
    begin = f"cannot read {path}{os.sep}"
    directory = os.strerror(errno.EISDIR)
    assert dropped.reports == [
        (
            "outbox_corrupt",
            f"{begin}a.events of the outbox: it does not begin like a file of an"
            " outbox",
            [],
        ),
        (
            "outbox_corrupt",
            f"{begin}b.events of the outbox: [Errno {errno.EISDIR}] {directory}:"
            f" '{path}{os.sep}b.events'",
            [],
        ),
    ]


def test_a_file_that_cannot_be_opened_stays_and_is_reported_once(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    path.mkdir()
    # Links to itself and to nothing: also for the superuser.
    (path / "a.events").symlink_to("a.events")
    (path / "b.events").symlink_to("nothing")

    outbox = open_outbox()
    outbox.take(1, MANY)

    assert len(files(path)) == 2
    ((reason, why, events),) = dropped.reports
    assert (reason, events) == ("outbox_corrupt", [])
    assert os.strerror(errno.ELOOP) in why


def test_a_file_that_somebody_cuts_is_set_aside_and_the_others_arrive(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    leave(open_outbox, [1, 2], [3])
    cut, _ = files(path)
    outbox = open_outbox()
    os.truncate(cut, 0)

    assert drain(outbox) == [3]
    assert (outbox.entered, outbox.left) == (3, 3)
    assert files(path) == [cut.with_suffix(".broken")]
    why = f"cannot read {cut} of the outbox: the file is shorter than it was"
    assert dropped.reports == [("outbox_corrupt", why, [])]


def test_a_file_that_somebody_cuts_while_it_is_written_is_left_for_another(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    outbox = open_outbox()
    fill(outbox, [1, 2])
    (cut,) = files(path)
    os.truncate(cut, 0)

    assert drain(outbox) == []
    fill(outbox, [3])
    assert drain(outbox) == [3]
    assert (outbox.entered, outbox.left) == (3, 3)
    assert [reason for reason, _, _ in dropped.reports] == ["outbox_corrupt"]


def test_a_file_that_somebody_cuts_when_all_is_settled_is_reported(
    open_outbox: Any, path: Path, dropped: Dropped
) -> None:
    outbox = open_outbox()
    fill(outbox, [1, 2])
    drain(outbox)
    os.truncate(files(path)[0], 0)
    fill(outbox, [3])

    assert drain(outbox) == []
    fill(outbox, [4])
    assert drain(outbox) == [4]
    assert (outbox.entered, outbox.left) == (4, 4)
    assert [reason for reason, _, _ in dropped.reports] == ["outbox_corrupt"]


def test_a_directory_that_is_deleted_breaks_nothing(
    open_outbox: Any, path: Path
) -> None:
    outbox = open_outbox()
    fill(outbox, [1])
    shutil.rmtree(path)

    assert drain(outbox) == [1]
    outbox.close()


def test_who_is_told_of_a_loss_may_close_the_outbox(path: Path) -> None:
    closed = []

    def close(reason: str, why: Exception, events: Sequence[bytes]) -> None:
        closed.append(reason)
        outbox.close()

    outbox = Outbox(path, "proj_test", MANY, close, lambda: NOON)
    outbox.put(b"an event")
    (file,) = files(path)
    file.write_bytes(file.read_bytes().replace(b"event", b"error"))

    assert (outbox.take(1, MANY), closed) == ([], ["outbox_corrupt"])


# Limits


def test_an_event_that_waited_for_too_long_is_dropped(
    open_outbox: Any, clock: Clock, dropped: Dropped, path: Path
) -> None:
    outbox = open_outbox()
    fill(outbox, [1, 2])
    clock.now_s += MAX_AGE_S - 1.0
    fill(outbox, [3])
    clock.now_s += 2.0

    assert drain(outbox) == [3]
    assert (outbox.entered, outbox.left) == (3, 3)
    (file,) = files(path)
    why = f"events in {file} waited for over 518400 s"
    assert dropped.reports == [("too_old", why, [event(1), event(2)])]


def test_a_full_outbox_refuses_what_is_new_until_something_has_left(
    open_outbox: Any, path: Path
) -> None:
    size = len(event(1)) + OVERHEAD
    outbox = open_outbox(max_bytes=2 * size)
    fill(outbox, [1, 2])

    with pytest.raises(QueueFullError) as caught:
        outbox.put(event(3))
    outbox.take(1, MANY)
    outbox.settle()
    outbox.put(event(4))

    assert caught.value.reason == "outbox_full"
    assert str(caught.value) == (
        f"{2 * size} bytes of events wait in {path}, which is all that"
        " BackgroundDelivery(outbox_max_bytes=) allows; is the server reachable?"
    )
    assert drain(outbox) == [2, 4]


def test_a_full_disk_refuses_events_and_loses_none(
    open_outbox: Any, dropped: Dropped, path: Path
) -> None:
    outbox = open_outbox()
    fill(outbox, [1])
    (file,) = files(path)
    with no_file_beyond(file.stat().st_size + 10):
        for _ in range(2):
            with pytest.raises(QueueFullError) as caught:
                outbox.put(event(2))
    fill(outbox, [3])

    assert caught.value.reason == "outbox_unwritable"
    assert str(caught.value) == (
        f"cannot write to the outbox {path}: File too large; is the disk full?"
    )
    assert isinstance(caught.value.__cause__, OSError)
    assert (drain(outbox), outbox.entered, dropped.reports) == ([1, 3], 2, [])


def test_a_disk_that_is_full_before_the_first_event_leaves_no_file(
    open_outbox: Any, path: Path
) -> None:
    outbox = open_outbox()
    with no_file_beyond(10), pytest.raises(QueueFullError, match="File too large"):
        outbox.put(event(1))
    before = files(path)
    fill(outbox, [2])

    assert (before, drain(outbox)) == ([], [2])


def test_a_full_disk_does_not_keep_events_from_being_settled(
    open_outbox: Any,
) -> None:
    outbox = open_outbox()
    fill(outbox, [1, 2])
    with no_file_beyond(0):
        assert drain(outbox) == [1, 2]


# A path that does not work


def test_a_path_below_a_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "outbox"

    with pytest.raises(ClampError) as caught:
        Outbox(path, "proj_test", MANY, Dropped())

    assert str(caught.value) == (
        f"the outbox {path} cannot be used: Not a directory; give the path of a"
        " directory on this machine's disk that this process may write to"
    )
    assert isinstance(caught.value.__cause__, NotADirectoryError)


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ClampError, match="file cannot be used: File exists; give"):
        Outbox(tmp_path / "file", "proj_test", MANY, Dropped())


def test_a_directory_that_takes_no_file_is_refused(path: Path) -> None:
    path.mkdir()

    with (
        no_more_open_files(),
        pytest.raises(ClampError, match="cannot be used: Too many open files; give"),
    ):
        Outbox(path, "proj_test", MANY, Dropped())


# Several processes

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


def test_each_event_is_taken_over_by_one_process(open_outbox: Any, path: Path) -> None:
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
    open_outbox: Any, path: Path, dropped: Dropped
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
    open_outbox: Any, path: Path, dropped: Dropped, killed_after: int
) -> None:
    with start(PUTTING, path) as process:
        for _ in range(killed_after):
            line_of(process)
        process.kill()
        assert process.stdout is not None
        returned = killed_after + process.stdout.read().count("\n")

    found = drain(open_outbox())

    # One more may have been written, and killed before it was printed.
    assert found == list(range(len(found)))
    assert returned <= len(found) <= returned + 1
    assert dropped.reports == []


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
    open_outbox: Any, path: Path
) -> None:
    with start(LEAVING_A_CHILD, path) as parent:
        assert line_of(parent) == "child\n"
        before = drain(open_outbox())
        parent.kill()
        parent.wait()
        after = drain(open_outbox())

    assert (before, after) == ([], [1])
