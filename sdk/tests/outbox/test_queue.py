"""A queue like any other: what is put leaves once, and in order."""

from __future__ import annotations

import json
import re
import threading

from tests.outbox.numbered import MANY, OpenOutbox, drain, event, fill, numbers_of

from clamp_analytics._waiting import encode_unstamped


def test_events_leave_in_the_order_in_which_they_came(open_outbox: OpenOutbox) -> None:
    outbox = open_outbox()
    fill(outbox, range(5))

    first = outbox.take(3, MANY)
    again = outbox.take(5, MANY)
    outbox.settle()
    rest = outbox.take(5, MANY)
    outbox.settle()

    assert (numbers_of(first), again, numbers_of(rest)) == ([0, 1, 2], first, [3, 4])
    assert (outbox.take(5, MANY), outbox.entered, outbox.left) == ([], 5, 5)


def test_who_puts_an_event_hears_how_many_wait(open_outbox: OpenOutbox) -> None:
    outbox = open_outbox()
    waiting = [outbox.put(event(1)), outbox.put(event(2))]
    outbox.take(1, MANY)
    outbox.settle()

    assert [*waiting, outbox.put(event(3))] == [1, 2, 2]


def test_an_event_without_a_stamp_is_on_disk_with_its_id(
    open_outbox: OpenOutbox,
) -> None:
    unstamped = encode_unstamped("signup", {}, None, None)
    dying = open_outbox()
    dying.put(unstamped)
    dying.put(unstamped)
    dying.close()
    events = open_outbox().take(2, MANY)

    ids = {json.loads(each)["id"] for each in events}
    assert [one for one in ids if not re.fullmatch("[0-9a-f]{32}", one)] == []
    assert len(ids) == 2


def test_to_settle_nothing_is_nothing(open_outbox: OpenOutbox) -> None:
    outbox = open_outbox()
    fill(outbox, [1])
    outbox.settle()

    assert (outbox.entered, outbox.left, drain(outbox)) == (1, 0, [1])


def test_an_event_that_was_counted_and_never_came_in_is_forgotten(
    open_outbox: OpenOutbox,
) -> None:
    outbox = open_outbox()
    fill(outbox, [1, 2])
    # As where a signal's handler raises in the middle of `put` on Python 3.9.
    outbox._put += 1
    outbox.recount()
    while_some_wait = outbox.entered
    drained = drain(outbox)
    outbox.recount()

    assert (while_some_wait, drained) == (3, [1, 2])
    assert (outbox.entered, outbox.left) == (2, 2)


def test_what_a_closed_outbox_has_left_still_waits(open_outbox: OpenOutbox) -> None:
    outbox = open_outbox()
    fill(outbox, [1, 2])
    outbox.close()
    outbox.recount()

    assert (outbox.entered, outbox.left, drain(open_outbox())) == (2, 0, [1, 2])


def test_a_take_counts_bytes_and_gives_one_event_at_least(
    open_outbox: OpenOutbox,
) -> None:
    outbox = open_outbox()
    fill(outbox, range(3), padding="x" * 1000)
    size = len(event(0, "x" * 1000)) + 1

    one = outbox.take(100, 10)
    outbox.settle()
    two = outbox.take(100, 2 * size)

    assert (numbers_of(one), numbers_of(two)) == ([0], [1, 2])


def test_events_put_while_others_are_taken_all_arrive(open_outbox: OpenOutbox) -> None:
    outbox = open_outbox()
    sender = threading.Thread(target=fill, args=(outbox, range(20_000)))
    sender.start()

    found: list[int] = []
    while len(found) < 20_000:
        found += drain(outbox)
    sender.join()

    assert found == list(range(20_000))
    assert (outbox.entered, outbox.left) == (20_000, 20_000)


def test_a_closed_outbox_gives_nothing_and_keeps_everything(
    open_outbox: OpenOutbox,
) -> None:
    outbox = open_outbox()
    fill(outbox, range(3))
    outbox.take(2, MANY)

    assert outbox.close() == []
    outbox.settle()
    assert outbox.take(2, MANY) == []
    assert drain(open_outbox()) == [0, 1, 2]
