from __future__ import annotations

import json
import re
import threading

import pytest

from clamp_analytics import QueueFullError
from clamp_analytics._memory_queue import MemoryQueue
from clamp_analytics._waiting import encode_unstamped


def filled(
    *events: bytes, max_events: int = 100, max_bytes: int = 1_000
) -> MemoryQueue:
    queue = MemoryQueue(max_events, max_bytes)
    for event in events:
        queue.put(event)
    return queue


def drained(queue: MemoryQueue) -> list[bytes]:
    events = []
    while batch := queue.take(2, 100):
        events += batch
        queue.settle()
    return events


def test_what_came_first_leaves_first() -> None:
    queue = filled(b"1", b"2", b"3", b"4", b"5")

    assert drained(queue) == [b"1", b"2", b"3", b"4", b"5"]
    assert (queue.entered, queue.left) == (5, 5)


def test_the_same_events_are_taken_until_they_are_settled() -> None:
    queue = filled(b"1", b"2", b"3")
    taken = [queue.take(2, 100), queue.take(1, 1), queue.take(100, 100)]
    queue.settle()

    assert taken == [[b"1", b"2"]] * 3
    assert queue.take(100, 100) == [b"3"]
    assert (queue.entered, queue.left) == (3, 2)


def test_events_without_a_stamp_share_a_drawn_id_and_are_numbered() -> None:
    unstamped = [encode_unstamped(name, {}, None, None) for name in "abc"]
    queue = filled(unstamped[0], b'{"id":"own"}', *unstamped[1:])
    taken = queue.take(3, 10_000)
    again = queue.take(3, 10_000)
    queue.settle()
    rest = queue.take(3, 10_000)

    assert taken is again
    ids = [str(json.loads(event)["id"]) for event in [*taken, *rest]]
    first, other = ids[0].partition(".")[0], ids[3].partition(".")[0]
    assert ids == [f"{first}.0", "own", f"{first}.2", f"{other}.0"]
    assert first != other
    assert [
        one for one in (first, other) if not re.fullmatch("[0-9a-f]{32}", one)
    ] == []


def test_what_waits_is_counted_as_it_came_also_when_it_has_left() -> None:
    event = encode_unstamped("signup", {}, None, None)
    queue = MemoryQueue(100, 2 * len(event))
    for _ in range(3):
        queue.put(event)
        queue.put(event)
        with pytest.raises(QueueFullError, match=rf"\({2 * len(event)} bytes\)"):
            queue.put(event)
        queue.take(1, 10_000)
        queue.settle()
        queue.take(1, 10_000)
        queue.settle()

    assert (queue.entered, queue.left) == (6, 6)


def test_what_came_without_a_stamp_fills_a_batch_as_it_is_sent() -> None:
    event = encode_unstamped("signup", {}, None, None)
    (sent,) = filled(event).take(9, 10_000)

    one_too_few = 2 * (len(sent) + 1) - 1
    assert len(filled(event, event).take(9, one_too_few)) == 1
    assert len(filled(event, event).take(9, one_too_few + 1)) == 2


def test_settling_nothing_is_nothing() -> None:
    queue = filled(b"1")
    queue.settle()

    assert (queue.entered, queue.left, queue.take(9, 9)) == (1, 0, [b"1"])


@pytest.mark.parametrize(
    ("max_bytes", "taken"),
    [
        (8, [b"123", b"456"]),
        (7, [b"123"]),
        (4, [b"123"]),
        (1, [b"123"]),
    ],
)
def test_a_batch_counts_a_byte_more_for_each_and_takes_the_first_in_any_case(
    max_bytes: int, taken: list[bytes]
) -> None:
    assert filled(b"123", b"456", b"789").take(9, max_bytes) == taken


def test_who_puts_an_event_hears_how_many_wait() -> None:
    queue = MemoryQueue(10, 1_000)
    waiting = [queue.put(b"1"), queue.put(b"2")]
    queue.take(1, 100)
    waiting.append(queue.put(b"3"))
    queue.settle()
    waiting.append(queue.put(b"4"))

    assert waiting == [1, 2, 3, 3]


def test_beyond_so_many_events_there_is_no_room() -> None:
    queue = filled(b"1", b"2", max_events=2)

    with pytest.raises(QueueFullError) as caught:
        queue.put(b"3")

    assert (caught.value.reason, str(caught.value)) == (
        "queue_full",
        "2 events (2 bytes) wait already, which is all that"
        " BackgroundDelivery(max_events=, max_bytes=) allows; is the server reachable?",
    )
    assert (queue.entered, drained(queue)) == (2, [b"1", b"2"])


def test_beyond_so_many_bytes_there_is_no_room() -> None:
    queue = filled(b"1234", max_bytes=8)

    with pytest.raises(QueueFullError, match=r"^1 events \(4 bytes\) wait already"):
        queue.put(b"56789")
    queue.put(b"5678")

    assert drained(queue) == [b"1234", b"5678"]


def test_an_event_that_comes_alone_always_fits() -> None:
    queue = filled(b"123456", max_bytes=5)

    assert queue.take(1, 1) == [b"123456"]


def test_what_is_under_way_takes_room_until_it_is_settled() -> None:
    queue = filled(b"1", max_events=1)
    queue.take(1, 100)
    with pytest.raises(QueueFullError):
        queue.put(b"2")
    queue.settle()
    queue.put(b"2")

    assert queue.take(1, 100) == [b"2"]


def test_a_forked_child_begins_empty_and_with_all_the_room() -> None:
    queue = filled(b"1", b"2", max_events=2)
    queue.take(1, 100)
    queue.forked()
    was_left = (queue.entered, queue.left, queue.take(9, 9))
    queue.put(b"3")
    queue.put(b"4")

    assert was_left == (0, 0, [])
    assert drained(queue) == [b"3", b"4"]


def test_closing_gives_back_what_was_never_settled() -> None:
    queue = filled(b"1", b"2", b"3")
    queue.take(1, 100)

    assert queue.close() == [b"1", b"2", b"3"]
    assert (queue.entered, queue.left, queue.take(9, 9)) == (3, 3, [])


def test_the_end_of_what_was_under_way_at_the_close_changes_nothing() -> None:
    queue = filled(b"1", b"2")
    queue.take(1, 100)
    queue.close()
    queue.settle()

    assert (queue.entered, queue.left) == (2, 2)


def test_events_come_in_while_others_leave() -> None:
    queue = MemoryQueue(10_000, 1_000_000)
    events = [b"%d" % number for number in range(5_000)]
    received: list[bytes] = []

    def receive() -> None:
        while len(received) < len(events):
            received.extend(queue.take(7, 1_000))
            queue.settle()

    receiver = threading.Thread(target=receive)
    receiver.start()
    for event in events:
        queue.put(event)
    receiver.join(timeout=30)

    assert received == events
    assert (queue.entered, queue.left) == (5_000, 5_000)


def test_an_event_that_was_counted_and_never_came_in_is_forgotten() -> None:
    queue = filled(b"1", b"2", b"3", max_bytes=5)
    queue.take(1, 100)
    # As where a signal's handler raises in the middle of `put` on Python 3.9.
    queue.entered += 1
    queue.recount()
    again = queue.take(1, 100)

    assert (queue.entered, queue.left, again) == (3, 0, [b"1"])
    assert [queue.put(event) for event in (b"4", b"5")] == [4, 5]
    with pytest.raises(QueueFullError, match=re.escape("5 events (5 bytes)")):
        queue.put(b"6")
