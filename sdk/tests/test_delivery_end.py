"""Waiting for what was put, and the end of the thread, of a client, of a process."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tests.recorder import OK, Post
from tests.rig import FOR_EVER_S, SILENT, NewThreads, Start
from tests.threadless import no_new_threads

from clamp_analytics import ClampError, Stats
from clamp_analytics._exchange import Answer
from clamp_analytics._outbox import Outbox


def test_where_no_thread_can_start_a_flush_delivers_itself(
    start: Start, new_threads: NewThreads
) -> None:
    rig = start(SILENT, OK, linger_s=FOR_EVER_S)
    with no_new_threads():
        rig.put("a", "b")
        is_whole = rig.delivery.flush(30)
    by_itself = (rig.batches, new_threads())
    rig.put("c")

    assert (is_whole, by_itself) == (True, ([["a", "b"], ["a", "b"]], set()))
    assert rig.delivery.flush(30) is True
    assert (rig.batches[2:], len(new_threads())) == ([["c"]], 1)
    assert rig.delivery.stats() == Stats(3, 0, {})


def test_a_flush_that_delivers_itself_gives_up_in_time_and_loses_nothing(
    start: Start,
) -> None:
    rig = start(SILENT, OK)
    with no_new_threads():
        rig.put("a")
        at_once = [rig.delivery.flush(0), rig.delivery.flush(-1)]
        tried = list(rig.batches)
    one_more = rig.delivery.flush(30)

    assert (at_once, tried, one_more) == ([False, False], [], True)
    assert rig.delivery.stats() == Stats(1, 0, {})


def test_a_close_that_delivers_itself_gives_up_on_silence(start: Start) -> None:
    rig = start(SILENT)
    with no_new_threads():
        rig.put("a")
        is_whole = rig.delivery.close(FOR_EVER_S, silence_s=0.05)

    assert is_whole is False
    assert set(map(tuple, rig.batches)) == {("a",)}
    assert rig.delivery.stats() == Stats(0, 0, {"closed": 1})


def test_a_flush_tells_of_losses_since_the_flush_before(start: Start) -> None:
    rig = start(Answer(200, '{"rejected":[{"index":0}]}'), OK)
    rig.put("bad")
    rig.transport.wait_for_posts(1)

    assert [rig.delivery.flush(30), rig.delivery.flush(30)] == [False, True]


def test_a_flush_of_nothing_is_whole_at_once(
    start: Start, new_threads: NewThreads
) -> None:
    rig = start()

    assert [rig.delivery.flush(timeout) for timeout in (30, 0, -1)] == [True] * 3
    assert new_threads() == set()


def test_a_flush_says_when_its_time_was_over_first(start: Start) -> None:
    rig = start()
    rig.transport.may_reply.clear()
    rig.put("a")
    over = [rig.delivery.flush(timeout) for timeout in (-1, 0, 0.01)]
    rig.transport.may_reply.set()

    assert over == [False] * 3
    assert rig.delivery.flush(30) is True


@pytest.mark.parametrize("timeout", [1e12, float("inf")])
def test_a_flush_and_a_close_may_wait_for_ever(start: Start, timeout: float) -> None:
    rig = start()
    rig.put("a")

    assert rig.delivery.flush(timeout) is True
    rig.put("b")
    assert rig.delivery.close(timeout) is True


def test_a_flush_waits_for_what_was_put_before_it_alone(start: Start) -> None:
    is_over = threading.Event()

    def reply(post: Post) -> Answer:
        if post.names == ["after"]:
            assert is_over.wait(timeout=30)
        return OK

    # Nothing goes out before the flush has begun.
    rig = start(reply, linger_s=FOR_EVER_S)
    rig.transport.may_reply.clear()
    rig.put("before")
    answers: list[bool] = []
    flush = threading.Thread(target=lambda: answers.append(rig.delivery.flush(30)))
    flush.start()
    rig.transport.wait_for_posts(1)
    rig.put("after")
    rig.transport.may_reply.set()
    flush.join(timeout=30)
    waiting_still = rig.delivery.stats().waiting
    is_over.set()

    assert (answers, waiting_still) == ([True], 1)


def test_closing_delivers_and_ends_the_thread(
    start: Start, new_threads: NewThreads
) -> None:
    rig = start(linger_s=FOR_EVER_S)
    rig.put("a")

    assert rig.delivery.close() is True
    assert new_threads() == set()
    assert (rig.batches, rig.told) == ([["a"]], [])
    with pytest.raises(ClampError, match="this Clamp was closed"):
        rig.put("b")
    assert (rig.delivery.close(), rig.delivery.flush(30)) == (True, True)
    assert rig.delivery.stats() == Stats(1, 0, {})


def test_what_a_close_leaves_behind_is_told(start: Start) -> None:
    rig = start(exit_timeout=0)
    rig.transport.may_reply.clear()
    rig.put("under way")
    rig.transport.wait_for_posts(1)
    rig.put("behind")

    assert rig.delivery.close() is False
    assert rig.told == [
        ("not delivered when this Clamp was closed: 2", ["under way", "behind"])
    ]
    assert rig.delivery.stats() == Stats(0, 0, {"closed": 2})
    assert (rig.delivery.close(), rig.delivery.flush(0)) == (False, False)


def test_a_close_tells_of_losses_since_the_last_flush(start: Start) -> None:
    rig = start(Answer(400, "why"), OK)
    rig.put("a")

    assert (rig.delivery.close(30), rig.delivery.close()) == (False, False)


def test_a_close_gives_up_on_silence_before_its_time_is_over(start: Start) -> None:
    rig = start(SILENT)
    rig.put("a")

    assert rig.delivery.close(FOR_EVER_S, silence_s=0.05) is False
    assert rig.delivery.stats() == Stats(0, 0, {"closed": 1})


def test_a_server_that_says_anything_is_waited_for(start: Start) -> None:
    rig = start(Answer(500, ""), OK)
    rig.transport.may_reply.clear()
    rig.put("a")
    rig.transport.wait_for_posts(1)
    rig.transport.may_reply.set()

    assert rig.delivery.close(30, silence_s=30) is True
    assert rig.batches == [["a"], ["a"]]


def test_the_end_of_the_process_is_a_close(start: Start) -> None:
    rig = start()
    rig.put("a")
    rig.delivery.end(time.monotonic())

    assert rig.delivery.stats() == Stats(1, 0, {})


def test_an_end_that_began_long_ago_has_no_time_left(start: Start) -> None:
    rig = start()
    rig.transport.may_reply.clear()
    rig.put("a")
    rig.delivery.end(time.monotonic() - FOR_EVER_S)

    assert rig.delivery.stats() == Stats(0, 0, {"closed": 1})


def test_what_comes_after_the_end_is_sent_at_once_or_told(start: Start) -> None:
    rig = start(OK, Answer(400, "why"), SILENT)
    rig.delivery.end(time.monotonic())

    assert rig.put("sent", "refused", "silent") == [True, True, False]
    assert rig.told == [
        ("the server answered 400: why", ["refused"]),
        ("not delivered when this Clamp was closed: 1", ["silent"]),
    ]
    assert rig.delivery.stats() == Stats(1, 0, {"http_400": 1, "closed": 1})


def test_what_comes_after_an_end_that_gave_up_is_told_without_a_try(
    start: Start,
) -> None:
    rig = start()
    rig.transport.may_reply.clear()
    rig.put("a")
    rig.transport.wait_for_posts(1)
    rig.delivery.end(time.monotonic() - FOR_EVER_S)

    assert rig.put("late") == [False]
    assert [names for _, names in rig.told] == [["a"], ["late"]]
    assert rig.batches == [["a"]]


def test_an_outbox_takes_what_comes_after_the_end_while_there_is_room(
    start: Start, tmp_path: Path
) -> None:
    # Room for one: with its line's own bytes an event is over half of this.
    outbox = Outbox(tmp_path, "proj_x", 200, lambda *lost: None)
    rig = start(queue=outbox, outbox=tmp_path)
    rig.delivery.end(time.monotonic())

    assert rig.put("kept", "beyond") == [True, False]
    assert [names for _, names in rig.told] == [["beyond"]]
    assert rig.reporter.dropped == {"outbox_full": 1}
    assert rig.batches == []


def test_a_retired_thread_ends_when_all_is_delivered(
    start: Start, new_threads: NewThreads
) -> None:
    rig = start(linger_s=FOR_EVER_S)
    rig.put("a", "b")
    (thread,) = new_threads()
    rig.delivery.retire()
    thread.join(timeout=30)

    assert not thread.is_alive()
    assert rig.batches == [["a", "b"]]


def test_what_comes_after_that_starts_another(start: Start) -> None:
    rig = start(linger_s=FOR_EVER_S)
    rig.put("a")
    rig.delivery.retire()
    rig.transport.wait_for_posts(1)
    rig.put("b")
    rig.transport.wait_for_posts(2)

    assert rig.batches == [["a"], ["b"]]


def test_a_thread_that_sleeps_ends_when_it_is_retired(
    start: Start, new_threads: NewThreads
) -> None:
    rig = start()
    rig.put("a")
    rig.delivery.flush(30)
    (thread,) = new_threads()
    rig.delivery.retire()
    thread.join(timeout=30)

    assert not thread.is_alive()
