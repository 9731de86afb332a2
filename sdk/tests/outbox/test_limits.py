"""How long, how much, and what a full disk does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.outbox.numbered import (
    MANY,
    OVERHEAD,
    Clock,
    Dropped,
    OpenOutbox,
    drain,
    event,
    files,
    fill,
)

from clamp_analytics._outbox import MAX_AGE_S
from clamp_analytics.errors import QueueFullError


def test_an_event_that_waited_for_too_long_is_dropped(
    open_outbox: OpenOutbox, clock: Clock, dropped: Dropped, path: Path
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
    open_outbox: OpenOutbox, path: Path
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


def test_a_full_disk_refuses_events_and_loses_none(
    open_outbox: OpenOutbox, dropped: Dropped, path: Path
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
    open_outbox: OpenOutbox, path: Path
) -> None:
    outbox = open_outbox()
    with no_file_beyond(10), pytest.raises(QueueFullError, match="File too large"):
        outbox.put(event(1))
    before = files(path)
    fill(outbox, [2])

    assert (before, drain(outbox)) == ([], [2])


def test_a_full_disk_does_not_keep_events_from_being_settled(
    open_outbox: OpenOutbox,
) -> None:
    outbox = open_outbox()
    fill(outbox, [1, 2])
    with no_file_beyond(0):
        assert drain(outbox) == [1, 2]
