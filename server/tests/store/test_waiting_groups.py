from __future__ import annotations

from threading import Thread

from tests.make import PROJECT, event

from clamp_server.model.ids import ProjectId
from clamp_server.store.journal import Group
from clamp_server.store.waiting_groups import LOAD_AT_BYTES, WaitingGroups

FIRST = Group(1, [event(id="one"), event(id="two"), event()])
SECOND = Group(5, [event(id="three")])
ONE, TWO, THREE = ((PROJECT, name) for name in ("one", "two", "three"))


def test_groups_wait_in_order_with_their_ids_and_size() -> None:
    waiting = WaitingGroups()
    assert not waiting

    waiting.add(FIRST, 30)
    waiting.add(SECOND, 12)

    assert waiting
    assert waiting.next_load() == [FIRST, SECOND]
    assert waiting.ids({ONE, THREE, (ProjectId("proj_blog"), "two")}) == {ONE, THREE}
    assert waiting.size_bytes == 42


def test_what_is_removed_leaves_the_rest() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, 30)
    waiting.add(SECOND, 12)

    waiting.remove_first(1)

    assert waiting.next_load() == [SECOND]
    assert waiting.ids({ONE, TWO, THREE}) == {THREE}
    assert waiting.size_bytes == 12


def test_a_load_takes_no_more_than_makes_it_due() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, LOAD_AT_BYTES - 1)
    waiting.add(SECOND, 2)

    assert waiting.next_load() == [FIRST]


def test_a_group_larger_than_a_load_is_one() -> None:
    waiting = WaitingGroups()
    waiting.add(FIRST, LOAD_AT_BYTES + 1)
    waiting.add(SECOND, 2)

    assert waiting.next_load() == [FIRST]


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
