"""What processes before this one left, and what those that live keep."""

from __future__ import annotations

from pathlib import Path

from tests.outbox.numbered import (
    MANY,
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

from clamp_analytics._outbox import MAX_CLAIMED_FILES


def test_what_was_left_comes_first_the_oldest_file_before_the_others(
    open_outbox: OpenOutbox, path: Path
) -> None:
    leave(open_outbox, [1, 2], [3], [4, 5])

    outbox = open_outbox()
    waiting = outbox.entered - outbox.left
    fill(outbox, [6])

    assert (waiting, drain(outbox)) == (5, [1, 2, 3, 4, 5, 6])
    assert (outbox.entered, outbox.left, len(files(path))) == (6, 6, 1)


def test_what_was_settled_does_not_come_back(open_outbox: OpenOutbox) -> None:
    outbox = open_outbox()
    fill(outbox, range(5))
    outbox.take(2, MANY)
    outbox.settle()
    outbox.take(2, MANY)
    outbox.close()

    assert drain(open_outbox()) == [2, 3, 4]


def test_a_process_that_lives_keeps_its_events(open_outbox: OpenOutbox) -> None:
    living, other = open_outbox(), open_outbox()
    fill(living, [1, 2])

    assert drain(other) == []
    assert drain(living) == [1, 2]


def test_what_a_process_leaves_later_is_taken_over_when_all_else_is_settled(
    open_outbox: OpenOutbox,
) -> None:
    ending, outbox = open_outbox(), open_outbox()
    fill(ending, [1, 2])
    fill(outbox, [3])
    ending.close()

    assert drain(outbox) == [3, 1, 2]
    assert (outbox.entered, outbox.left) == (3, 3)


def test_what_is_taken_over_later_comes_before_what_is_put_after_that(
    open_outbox: OpenOutbox,
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


def test_files_are_taken_over_so_many_at_a_time(
    open_outbox: OpenOutbox, path: Path
) -> None:
    numbers = range(MAX_CLAIMED_FILES + 2)
    leave(open_outbox, *([number] for number in numbers))

    outbox = open_outbox()

    assert outbox.entered == MAX_CLAIMED_FILES
    assert drain(outbox) == list(numbers)
    assert files(path) == []


def test_no_more_is_taken_over_than_may_wait(open_outbox: OpenOutbox) -> None:
    leave(open_outbox, [1], [2], [3])

    outbox = open_outbox(max_bytes=len(event(1)) + OVERHEAD + 1)

    assert outbox.entered == 2
    assert drain(outbox) == [1, 2, 3]


def test_other_projects_are_left_alone(open_outbox: OpenOutbox) -> None:
    other = open_outbox("proj_other")
    fill(other, [1])
    other.close()

    assert drain(open_outbox("proj_test")) == []
    assert drain(open_outbox("proj_other")) == [1]


def test_a_later_format_and_a_file_without_a_header_are_left_alone(
    open_outbox: OpenOutbox, path: Path, dropped: Dropped
) -> None:
    path.mkdir()
    later = b'clamp-outbox 2 000000000041 "proj_test"\nwhatever comes later\n'
    (path / "a.events").write_bytes(later)
    (path / "b.events").touch()
    (path / ".DS_Store").write_bytes(b"not ours at all")
    outbox = open_outbox()

    assert outbox.take(1, MANY) == []
    assert [file.name for file in files(path)] == [".DS_Store", "a.events", "b.events"]
    assert dropped.reports == []
