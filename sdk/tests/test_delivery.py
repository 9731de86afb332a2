from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.recorder import OK, Post, Reply
from tests.rig import (
    FOR_EVER_S,
    SILENT,
    NewThreads,
    Rig,
    Start,
    delivery_threads,
    waiting,
)
from tests.sink import Sink
from tests.threadless import no_new_threads

from clamp_analytics import Event, Stats
from clamp_analytics._exchange import Answer
from clamp_analytics._memory_queue import MemoryQueue
from clamp_analytics._outbox import Outbox


def test_what_is_put_is_delivered(start: Start) -> None:
    rig = start()

    assert rig.put("a", "b") == [True, True]
    assert rig.delivery.flush(30) is True
    assert [name for names in rig.batches for name in names] == ["a", "b"]
    assert rig.delivery.stats() == Stats(sent=2, waiting=0, dropped={})


def test_a_burst_becomes_one_batch(start: Start) -> None:
    rig = start(linger_s=FOR_EVER_S)
    rig.put("a", "b", "c")
    rig.delivery.flush(30)

    assert rig.batches == [["a", "b", "c"]]


def test_a_full_batch_waits_for_nobody(start: Start) -> None:
    rig = start(linger_s=FOR_EVER_S)
    names = [str(number) for number in range(1_000)]
    rig.put(*names)
    rig.transport.wait_for_posts(1)

    assert rig.batches == [names]


def test_more_than_a_batch_becomes_several_in_order(start: Start) -> None:
    rig = start(linger_s=FOR_EVER_S)
    rig.transport.may_reply.clear()
    names = [str(number) for number in range(2_500)]
    rig.put(*names)
    rig.transport.wait_for_posts(1)
    rig.transport.may_reply.set()
    rig.delivery.flush(30)

    assert rig.batches == [names[:1_000], names[1_000:2_000], names[2_000:]]


def test_one_batch_is_under_way_at_a_time(start: Start) -> None:
    rig = start()
    rig.transport.may_reply.clear()
    rig.put("a")
    rig.transport.wait_for_posts(1)
    rig.put("b", "c")
    meanwhile = (rig.batches, rig.delivery.stats())
    rig.transport.may_reply.set()
    rig.delivery.flush(30)

    assert meanwhile == ([["a"]], Stats(0, 3, {}))
    assert rig.batches == [["a"], ["b", "c"]]


def test_a_sleeping_thread_wakes_for_the_next_event(start: Start) -> None:
    rig = start()
    rig.put("a")
    rig.delivery.flush(30)
    rig.put("b")
    rig.transport.wait_for_posts(2)

    assert rig.batches == [["a"], ["b"]]


def test_the_thread_begins_with_the_first_event_and_is_one(
    start: Start, new_threads: NewThreads
) -> None:
    rig = start()
    at_first = new_threads()
    callers = [
        threading.Thread(target=rig.put, args=[f"{caller}.{n}" for n in range(100)])
        for caller in range(20)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=30)

    assert at_first == set()
    assert rig.delivery.flush(30) is True
    assert len(new_threads()) == 1
    assert [thread.daemon for thread in new_threads()] == [True]
    assert sorted(name for names in rig.batches for name in names) == sorted(
        f"{caller}.{n}" for caller in range(20) for n in range(100)
    )


def test_what_waits_already_goes_out_without_a_new_event(start: Start) -> None:
    queue = MemoryQueue(10, 1_000)
    queue.put(waiting("left by another"))
    rig = start(queue=queue)
    rig.transport.wait_for_posts(1)

    assert rig.batches == [["left by another"]]


def test_where_no_thread_can_start_events_wait_for_one_that_can(start: Start) -> None:
    rig = start()
    with no_new_threads():
        taken = rig.put("a")
    rig.put("b")

    assert taken == [True]
    assert rig.delivery.flush(30) is True
    assert rig.batches == [["a", "b"]]


@pytest.mark.parametrize(
    "trouble",
    [
        SILENT,
        Answer(408, ""),
        Answer(429, "", retry_after="0"),
        Answer(500, ""),
        Answer(503, "", retry_after="nonsense"),
    ],
    ids=["silence", "408", "429", "500", "503"],
)
def test_what_may_work_later_is_sent_again_as_it_was(
    start: Start, trouble: Reply
) -> None:
    rig = start(trouble, trouble, OK)
    rig.put("a")

    assert rig.delivery.flush(30) is True
    first, *others = rig.transport.posts
    assert others == [first, first]
    assert (rig.told, rig.delivery.stats()) == ([], Stats(1, 0, {}))


def test_nobody_has_to_flush_for_another_attempt(start: Start) -> None:
    rig = start(Answer(500, ""), OK)
    rig.put("a")
    rig.transport.wait_for_posts(2)

    assert rig.batches == [["a"], ["a"]]


def test_a_flush_does_not_cut_short_what_the_server_ordered(start: Start) -> None:
    rig = start(Answer(429, "", retry_after="3600"), OK)
    rig.put("a")
    rig.transport.wait_for_posts(1)

    # Longer than the back-off to which a flush cuts any other wait.
    assert rig.delivery.flush(0.8) is False
    assert rig.batches == [["a"]]
    assert rig.delivery.stats() == Stats(0, 1, {})


def test_a_close_does_cut_it_short_and_gives_up(
    start: Start, new_threads: NewThreads
) -> None:
    rig = start(Answer(429, "", retry_after="3600"), OK)
    rig.put("a")
    rig.transport.wait_for_posts(1)
    (thread,) = new_threads()

    assert rig.delivery.close(0) is False
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert rig.batches == [["a"]]


def test_of_a_batch_that_half_arrived_the_other_half_is_sent_again(
    start: Start,
) -> None:
    was_silent = threading.Event()

    def reply(post: Post) -> Answer | Exception:
        if len(post.names) > 2:
            return Answer(413, "too large")
        if "c" in post.names and not was_silent.is_set():
            was_silent.set()
            return SILENT
        return OK

    rig = start(reply, linger_s=FOR_EVER_S)
    rig.put(*"abcd")

    assert rig.delivery.flush(30) is True
    assert rig.batches == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c", "d"]]
    assert rig.delivery.stats() == Stats(4, 0, {})


@pytest.mark.parametrize("status", [400, 401])
def test_what_is_refused_is_told_once_and_does_not_stop_the_rest(
    start: Start, status: int
) -> None:
    rig = start(Answer(status, "why"), OK)
    rig.put("bad")
    rig.transport.wait_for_posts(1)
    rig.put("good")

    assert rig.delivery.flush(30) is False
    assert rig.told == [(f"the server answered {status}: why", ["bad"])]
    assert rig.batches == [["bad"], ["good"]]
    assert rig.delivery.stats() == Stats(1, 0, {f"http_{status}": 1})


def test_a_full_queue_refuses_at_once_and_tells(start: Start) -> None:
    rig = start(max_events=2)
    rig.transport.may_reply.clear()

    assert rig.put("a", "b", "c") == [True, True, False]
    ((message, lost),) = rig.told
    assert message.startswith("2 events (")
    assert lost == ["c"]
    rig.transport.may_reply.set()
    assert rig.delivery.flush(30) is False
    assert rig.delivery.stats() == Stats(2, 0, {"queue_full": 1})


def test_what_nobody_has_thought_of_costs_a_batch_and_not_the_thread(
    start: Start,
) -> None:
    rig = start(LookupError("a bug of the transport"), OK)
    rig.put("a")
    rig.transport.wait_for_posts(1)
    rig.put("b")

    assert rig.delivery.flush(30) is False
    assert rig.told == [("a bug of the transport", ["a"])]
    assert rig.delivery.stats() == Stats(1, 0, {"internal_error": 1})


def test_an_on_error_that_raises_does_not_end_delivery(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Raising(Rig):
        def on_error(self, error: Exception, lost: Sequence[Event]) -> None:
            raise LookupError("broken hook")

    rig = Raising(Answer(400, "why"), OK)
    rig.put("a")
    rig.transport.wait_for_posts(1)
    rig.put("b")

    assert rig.delivery.close(30) is False
    assert rig.delivery.stats() == Stats(1, 0, {"http_400": 1})
    assert [record.getMessage() for record in caplog.records] == ["on_error raised"]


def test_while_events_wait_the_log_says_why_once_a_minute(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    rig = start(SILENT, Answer(500, "busy"), OK)
    rig.put("a")
    rig.delivery.flush(30)

    assert [record.getMessage() for record in caplog.records] == [
        "events wait, and are tried again: no answer"
    ]


def test_an_on_error_may_close_on_the_thread_that_delivers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torn = Outbox(tmp_path, "proj_x", 10_000, lambda *lost: None)
    torn.put(waiting("a"))
    torn.close()
    (file,) = tmp_path.glob("*.events")
    file.write_bytes(file.read_bytes().replace(b'"name":"a"', b'"name":"b"'))
    closed: list[bool] = []
    is_closed, is_made = threading.Event(), threading.Event()

    def dropped(reason: str, why: Exception, lost: Sequence[bytes]) -> None:
        assert is_made.wait(timeout=30)
        rig.reporter.drop(reason, why, lost)

    class Closing(Rig):
        def on_error(self, error: Exception, lost: Sequence[Event]) -> None:
            closed.append(self.delivery.close(30))
            is_closed.set()

    rig = Closing(queue=Outbox(tmp_path, "proj_x", 10_000, dropped))
    is_made.set()

    assert is_closed.wait(timeout=30)
    assert (closed, caplog.records) == ([False], [])


def test_a_fork_holds_the_lock_and_gives_it_back(start: Start) -> None:
    rig = start()
    answers: list[list[bool]] = []
    rig.delivery.before_fork()
    other = threading.Thread(target=lambda: answers.append(rig.put("a")))
    other.start()
    # An event that is held is held however long one looks.
    other.join(timeout=0.05)
    is_held = other.is_alive()
    rig.delivery.after_fork_in_parent()
    other.join(timeout=30)

    assert (is_held, answers) == (True, [[True]])
    assert rig.delivery.flush(30) is True


# The parent's two events wait behind a lock that only it opens, so that the child
# would send them too if it had kept them.
FORKING = """
import os, sys
from clamp_analytics import BackgroundDelivery, Clamp

how = BackgroundDelivery(linger_s=3600)
clamp = Clamp("proj_test", "sk_proj_test", sys.argv[1], background=how)
clamp.track("parent")
clamp.track("parent too")
child = os.fork()
if child == 0:
    began = clamp.stats()
    clamp.track("child")
    print(began.waiting, clamp.flush(30), clamp.stats().sent, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(clamp.stats().waiting, clamp.flush(30), clamp.stats().sent)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system does not fork")
def test_a_forked_child_begins_with_nothing_and_the_parent_keeps_all(
    sink: Sink,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, sink.endpoint],
        capture_output=True,
        check=True,
        text=True,
    )

    # Python 3.12 warns there of any fork that has a thread.
    assert done.stdout == "0 True 1\n2 True 2\n"
    assert [[event["name"] for event in body["events"]] for body in sink.bodies] == [
        ["child"],
        ["parent", "parent too"],
    ]


# pytest tells of it; Python itself says nothing of a thread that exits so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_on_error_that_ends_its_thread_costs_no_later_event() -> None:
    class Leaving(Rig):
        def on_error(self, error: Exception, lost: Sequence[Event]) -> None:
            raise SystemExit

    rig = Leaving(Answer(400, "why"), OK)
    rig.put("a")
    rig.transport.wait_for_posts(1)
    rig.put("b")
    rig.delivery.close(30)
    # pytest would tell of it in the middle of another test.
    for thread in delivery_threads():
        thread.join(30)

    assert rig.batches[-1][-1] == "b"


class Unreadable(MemoryQueue):
    """Has events, and cannot give them the first time."""

    def __init__(self) -> None:
        super().__init__(10, 10_000)
        self.takes = 0

    def take(self, max_events: int, max_bytes: int) -> list[bytes]:
        self.takes += 1
        return super().take(max_events, max_bytes) if self.takes > 1 else []


def test_events_that_cannot_be_read_just_now_are_read_a_little_later() -> None:
    queue = Unreadable()
    rig = Rig(OK, queue=queue)
    rig.put("a")

    assert rig.delivery.close(30) is True
    assert (rig.batches, queue.takes) == ([["a"]], 2)
