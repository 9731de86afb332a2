"""What is damaged is reported once, and all else arrives."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from tests.outbox.numbered import (
    MANY,
    NOON,
    OVERHEAD,
    Dropped,
    OpenOutbox,
    drain,
    event,
    files,
    fill,
    leave,
    numbers_of,
)

from clamp_analytics._outbox import Outbox


def test_a_damaged_line_is_reported_once_and_the_others_arrive(
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
) -> None:
    leave(open_outbox, [1])
    (file,) = files(path)
    header, _ = file.read_bytes().split(b"\n", 1)
    file.write_bytes(header.replace(header[15:27], b"9" * 12) + b"\n")

    assert drain(open_outbox()) == []
    assert (files(path), dropped.reports) == ([], [])


def test_a_file_that_is_none_of_an_outbox_is_set_aside_and_reported_once(
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
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
