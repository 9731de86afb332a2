from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import pytest
from tests.recorder import OK
from tests.rig import Rig

from clamp_analytics import Stats
from clamp_analytics._memory_queue import MemoryQueue


class Interrupted(MemoryQueue):
    """A signal's handler runs in the middle of the first `put`."""

    def __init__(self) -> None:
        super().__init__(10, 10_000)
        self.handle: Callable[[], object] | None = None
        self.takes_in_vain = 0

    def put(self, event: bytes) -> int:
        handle, self.handle = self.handle, None
        if handle is not None:
            handle()
        return super().put(event)

    def take(self, max_events: int, max_bytes: int) -> list[bytes]:
        taken = super().take(max_events, max_bytes)
        self.takes_in_vain += not taken
        return taken


@pytest.fixture
def queue() -> Interrupted:
    return Interrupted()


@pytest.fixture
def rig(queue: Interrupted) -> Rig:
    return Rig(OK, queue=queue)


def test_a_handler_may_track_in_the_middle_of_a_track(
    rig: Rig, queue: Interrupted
) -> None:
    is_handled = threading.Event()

    def handle(number: int, frame: object) -> None:
        rig.put("handler's")
        is_handled.set()

    def interrupt() -> None:
        signal.raise_signal(signal.SIGINT)
        assert is_handled.wait(timeout=30)

    queue.handle = interrupt
    usual = signal.signal(signal.SIGINT, handle)
    try:
        rig.put("a")
    finally:
        signal.signal(signal.SIGINT, usual)

    assert rig.delivery.close(30) is True
    assert rig.batches == [["a", "handler's"]]


def test_a_handler_may_flush_in_the_middle_of_a_track(
    rig: Rig, queue: Interrupted
) -> None:
    flushed = []

    def handle() -> None:
        rig.put("handler's")
        flushed.append((rig.delivery.flush(30), rig.delivery.stats().waiting))

    queue.handle = handle
    taken = rig.put("a")

    # What waits behind the call that is interrupted is not there yet.
    assert (taken, flushed) == ([True], [(False, 1)])
    assert rig.delivery.close(30) is True
    assert rig.batches == [["a", "handler's"]]


def test_a_handler_may_close_in_the_middle_of_a_track(
    rig: Rig, queue: Interrupted
) -> None:
    def handle() -> None:
        rig.put("handler's")
        rig.delivery.close(30)

    queue.handle = handle
    taken = rig.put("a")

    assert (taken, rig.batches, rig.told) == ([True], [["a", "handler's"]], [])
    assert rig.delivery.stats() == Stats(2, 0, {})


def test_a_handler_that_exits_in_the_middle_of_a_track_loses_no_event_of_its_own(
    rig: Rig, queue: Interrupted
) -> None:
    def handle() -> None:
        rig.put("handler's")
        rig.delivery.close(30)
        raise SystemExit

    queue.handle = handle
    with pytest.raises(SystemExit):
        rig.put("broken off")
    rig.delivery.end(time.monotonic())

    assert (rig.batches, rig.told) == ([["handler's"]], [])
    assert rig.delivery.stats() == Stats(1, 0, {})


def test_a_handler_that_raises_while_the_thread_starts_leaves_one_to_the_next_event(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        started(thread)
        began.append(thread)
        if len(began) == 1:
            raise KeyboardInterrupt

    started = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(KeyboardInterrupt):
        rig.put("a")
    rig.put("b")

    assert rig.delivery.close(30) is True
    for thread in began:
        thread.join(30)
    assert (len(began), rig.batches) == (2, [["a", "b"]])


def test_an_event_whose_call_was_broken_off_is_not_waited_for(
    rig: Rig, queue: Interrupted
) -> None:
    def handle() -> None:
        # Python 3.9 lets it raise between counting an event and taking it in.
        queue.entered += 1
        raise KeyboardInterrupt

    rig.put("a")
    queue.handle = handle
    with pytest.raises(KeyboardInterrupt):
        rig.put("broken off")

    assert rig.delivery.flush(30) is True
    assert rig.delivery.stats() == Stats(1, 0, {})
    rig.put("b")
    assert rig.delivery.close(30) is True
    assert rig.batches == [["a"], ["b"]]


def test_an_event_whose_call_goes_on_is_waited_for(
    rig: Rig, queue: Interrupted
) -> None:
    flushed: list[bool] = []

    def handle() -> None:
        queue.entered += 1
        # The sender looks for the event, and looks again a little later.
        while queue.takes_in_vain < 2 and not any(flushed):
            flushed.append(rig.delivery.flush(0.1))
        queue.entered -= 1

    rig.put("a")
    rig.delivery.flush(30)
    queue.handle = handle
    rig.put("b")

    assert set(flushed) == {False}
    assert rig.delivery.close(30) is True
    assert rig.batches == [["a"], ["b"]]
    assert rig.delivery.stats() == Stats(2, 0, {})


def test_a_call_on_a_stack_that_nobody_sees_is_waited_for(
    rig: Rig, queue: Interrupted
) -> None:
    rig.put("a")
    rig.delivery.flush(30)
    # As gevent's greenlets have it, whose identifiers are no thread's.
    rig.delivery._putting = -1
    queue.entered += 1
    flushed: list[bool] = []
    while queue.takes_in_vain < 2 and not any(flushed):
        flushed.append(rig.delivery.flush(0.1))
    waiting = rig.delivery.stats().waiting
    queue.entered -= 1
    rig.put("b")

    assert (set(flushed), waiting) == ({False}, 1)
    assert rig.delivery.close(30) is True
    assert rig.batches == [["a"], ["b"]]


def test_a_call_that_ended_without_saying_so_holds_up_no_other(rig: Rig) -> None:
    # As Python 3.9 leaves it when a handler raises at the start of a `finally`.
    rig.delivery._putting = threading.get_ident()
    rig.put("a")

    assert rig.delivery.close(30) is True
    assert rig.batches == [["a"]]
