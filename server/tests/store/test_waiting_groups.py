from __future__ import annotations

from threading import Thread

from tests.make import PROJECT, event

from clamp_server.model.ids import ProjectId
from clamp_server.store.journal import Group
from clamp_server.store.waiting_groups import (
    LOAD_AFTER_S,
    LOAD_AT_BYTES,
    WaitingGroups,
)

FIRST = Group(1, [event(id="one"), event(id="two"), event()])
SECOND = Group(5, [event(id="three")])
ONE, TWO, THREE = ((PROJECT, name) for name in ("one", "two", "three"))


def test_groups_wait_in_order_with_their_ids_and_size() -> None:
    waiting = WaitingGroups()
    assert not waiting

    waiting.add(FIRST, 30)
    waiting.add(SECOND, 12)

    assert waiting
    assert waiting.take(only_due=False) == [FIRST, SECOND]
    assert waiting.ids({ONE, THREE, (ProjectId("proj_blog"), "two")}) == {ONE, THREE}
    assert waiting.size_bytes == 42


def test_what_is_removed_leaves_the_rest() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, 30)
    waiting.take(only_due=False)
    waiting.add(SECOND, 12)

    waiting.remove_first(1)

    assert waiting.take(only_due=False) == [SECOND]
    assert waiting.ids({ONE, TWO, THREE}) == {THREE}
    assert waiting.size_bytes == 12


def test_a_load_takes_no_more_than_makes_it_due() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, LOAD_AT_BYTES - 1)
    waiting.add(SECOND, 2)

    assert waiting.take(only_due=False) == [FIRST]


def test_a_group_larger_than_a_load_is_one() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, LOAD_AT_BYTES + 1)
    waiting.add(SECOND, 2)

    assert waiting.take(only_due=False) == [FIRST]


def test_what_is_taken_waits_until_it_is_removed_and_is_not_taken_again() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, 30)
    first = waiting.take(only_due=False)
    waiting.add(SECOND, 12)
    second = waiting.take(only_due=False)

    assert (first, second) == ([FIRST], [SECOND])
    assert waiting.take(only_due=False) == []
    assert (waiting.size_bytes, waiting.ids({ONE, THREE})) == (42, {ONE, THREE})
    assert [waiting.begins_with(one) for one in (first, second)] == [True, False]
    waiting.remove_first(1)
    assert waiting.begins_with(second)


def test_what_is_given_back_is_taken_again_in_its_order() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, 30)
    first = waiting.take(only_due=False)
    waiting.add(SECOND, 12)
    second = waiting.take(only_due=False)

    waiting.give_back()

    assert [waiting.begins_with(one) for one in (first, second)] == [False, False]
    assert waiting.take(only_due=False) == [FIRST, SECOND]


def test_what_came_a_moment_ago_is_not_due() -> None:
    now_s = 100.0
    waiting = WaitingGroups(lambda: now_s)
    waiting.add(FIRST, 30)
    at_once = waiting.take(only_due=True)
    now_s += LOAD_AFTER_S
    later = waiting.take(only_due=True)
    waiting.add(SECOND, 12)

    assert (at_once, later) == ([], [FIRST])
    assert waiting.take(only_due=True) == []


def test_what_makes_a_load_full_is_due_and_the_rest_is_not() -> None:
    now_s = 100.0
    waiting = WaitingGroups(lambda: now_s)
    waiting.add(FIRST, LOAD_AT_BYTES)
    waiting.add(SECOND, 12)

    assert waiting.take(only_due=True) == [FIRST]
    assert waiting.take(only_due=True) == []


def test_what_waits_begins_and_ends_with_a_seq() -> None:
    waiting = WaitingGroups()
    assert (waiting.starts_by(9), waiting.last_seq()) == (False, 0)

    waiting.add(FIRST, 30)
    waiting.add(SECOND, 12)

    assert [waiting.starts_by(seq) for seq in (0, 1, 9)] == [False, True, True]
    assert waiting.last_seq() == 5


def test_a_load_is_due_at_once_when_much_waits() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, LOAD_AT_BYTES)

    assert waiting.until_due()


def test_a_load_is_due_after_a_while_when_little_waits() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, 1)

    assert waiting.until_due()


def test_closing_wakes_who_waits_for_work() -> None:
    waiting = WaitingGroups()
    answers: list[bool] = []
    sleeper = Thread(target=lambda: answers.append(waiting.until_due()))
    sleeper.start()

    waiting.close()
    sleeper.join(10)

    assert answers == [False]


def test_closing_ends_a_pause() -> None:
    waiting = WaitingGroups()
    sleeper = Thread(target=waiting.pause, args=(3600,))
    sleeper.start()

    waiting.close()
    sleeper.join(10)

    assert not sleeper.is_alive()
