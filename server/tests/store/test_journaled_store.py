from __future__ import annotations

import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.make import NOON, HandClock, event
from tests.store.odd_tables import (
    HeldTable,
    OutOfFilesOnce,
    OutOfMemoryOnce,
    TurnNotingTable,
)

from clamp_server.errors import StoreUnavailableError
from clamp_server.model.event import EnrichedEvent
from clamp_server.model.ids import ProjectId
from clamp_server.store.journal import Group, Journal
from clamp_server.store.journaled_store import (
    HURRIED_SWITCH_S,
    MAX_WAITING_BYTES,
    USUAL_SWITCH_S,
    JournaledStore,
)
from clamp_server.store.on_duckdb import DuckDBFile
from clamp_server.store.sql import REMEMBER_IDS, EventStore, Sql, seq_at

NAMES = Sql("SELECT name FROM events ORDER BY seq")
SEQS = Sql("SELECT seq FROM events ORDER BY seq")

Open = Callable[..., JournaledStore]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def opened(data: Path, clock: HandClock) -> Iterator[Open]:
    """Opens the store of one directory; the last one is closed by itself."""
    stores: list[JournaledStore] = []

    def open_store(**settings: int) -> JournaledStore:
        for store in stores:
            store.close()
        table = DuckDBFile(data / "events.duckdb")
        journal = Journal(data / "events.journal")
        stores[:] = [JournaledStore(table, journal, clock, **settings)]
        return stores[0]

    yield open_store
    for store in stores:
        store.close()


def names(store: EventStore) -> list[str]:
    return [row["name"] for row in store.rows(NAMES)]


def seqs(store: EventStore) -> list[int]:
    return [row["seq"] for row in store.rows(SEQS)]


def waiting(data: Path) -> list[Group]:
    journal = Journal(data / "events.journal")
    groups = [group for group, _ in journal.groups()]
    journal.close()
    return groups


def saved(store: JournaledStore) -> list[int]:
    rows = store.rows(Sql("SELECT last_seq FROM id_pages ORDER BY last_seq"))
    return [row["last_seq"] for row in rows]


def until(is_so: Callable[[], bool]) -> bool:
    for _ in range(1000):
        if is_so():
            return True
        Event().wait(0.01)
    return False


def numbered(*ids: str) -> list[EnrichedEvent]:
    return [event(f"event {one}", id=one) for one in ids]


def test_what_was_acknowledged_is_seen_at_once(opened: Open) -> None:
    store = opened()

    for number in range(20):
        store.append([event(f"event {number}")])
        assert len(names(store)) == number + 1


def test_nothing_to_store_is_stored(opened: Open) -> None:
    store = opened()

    assert store.append([]) == []
    assert names(store) == []


def test_an_acknowledged_event_is_in_the_journal_until_it_is_loaded(
    opened: Open, data: Path
) -> None:
    store = opened()
    store.append([event("one")])
    assert [group.events for group in waiting(data)] == [[event("one")]]

    store.rows(NAMES)

    assert waiting(data) == []


def test_what_waits_is_loaded_without_being_asked_for(opened: Open, data: Path) -> None:
    opened().append([event("one")])

    assert until(lambda: waiting(data) == [])


@pytest.mark.parametrize("kind", [OutOfFilesOnce, OutOfMemoryOnce])
def test_whatever_stops_a_load_it_is_tried_again(
    data: Path,
    clock: HandClock,
    caplog: pytest.LogCaptureFixture,
    kind: type[OutOfFilesOnce | OutOfMemoryOnce],
) -> None:
    table = kind(data / "events.duckdb")
    store = JournaledStore(table, Journal(data / "events.journal"), clock)
    with caplog.at_level(logging.ERROR):
        store.append([event("one")])
        is_loaded = until(lambda: waiting(data) == [])
    store.close()

    assert (is_loaded, table.has_failed) == (True, True)
    assert [record.message for record in caplog.records] == [
        "events wait in the journal"
    ]


@pytest.fixture
def held(data: Path, clock: HandClock) -> Iterator[tuple[JournaledStore, HeldTable]]:
    """A store that is loading its first event, with a second one prepared."""
    table = HeldTable(data / "events.duckdb")
    store = JournaledStore(table, Journal(data / "events.journal"), clock)
    store.append([event("one")])
    assert table.is_loading.wait(30)
    store.append([event("two")])
    assert until(lambda: len(table.prepared) == 2)
    yield store, table
    table.may_go_on.set()
    store.close()


def test_a_load_is_prepared_while_the_one_before_is_written(
    held: tuple[JournaledStore, HeldTable], data: Path
) -> None:
    store, table = held
    prepared = list(table.prepared)
    table.may_go_on.set()

    assert names(store) == ["one", "two"]
    assert [seq for seqs in prepared for seq in seqs] == seqs(store)
    assert waiting(data) == []


@pytest.mark.parametrize(
    "failure", [StoreUnavailableError("the disk is full"), OSError(24, "files")]
)
def test_a_load_that_fails_comes_before_the_one_that_was_prepared_behind_it(
    held: tuple[JournaledStore, HeldTable], data: Path, failure: Exception
) -> None:
    store, table = held
    table.failure = failure
    table.may_go_on.set()
    is_loaded = until(lambda: waiting(data) == [])

    assert (is_loaded, names(store)) == (True, ["one", "two"])


def test_who_asks_waits_for_the_loads_that_are_under_way(
    held: tuple[JournaledStore, HeldTable],
) -> None:
    store, table = held
    answers: list[list[str]] = []
    asker = Thread(target=lambda: answers.append(names(store)))
    asker.start()
    table.may_go_on.set()
    asker.join(30)

    assert answers == [["one", "two"]]


def test_more_than_may_wait_is_loaded_before_the_next_acknowledgement(
    opened: Open, data: Path
) -> None:
    store = opened(max_waiting_bytes=1)
    store.append([event("one")])

    store.append([event("two")])

    left = [one.name for group in waiting(data) for one in group.events]
    assert "one" not in left
    assert names(store) == ["one", "two"]


@pytest.mark.parametrize(
    ("max_waiting_bytes", "turn_s"),
    [(1, HURRIED_SWITCH_S), (MAX_WAITING_BYTES, USUAL_SWITCH_S)],
)
def test_threads_change_more_often_in_a_load_that_much_waits_for(
    data: Path, clock: HandClock, max_waiting_bytes: int, turn_s: float
) -> None:
    table = TurnNotingTable(data / "events.duckdb")
    journal = Journal(data / "events.journal")
    store = JournaledStore(table, journal, clock, max_waiting_bytes)
    store.append([event("one")])
    store.rows(NAMES)
    store.close()

    assert table.turns_s == [pytest.approx(turn_s)]
    assert sys.getswitchinterval() == USUAL_SWITCH_S


def test_a_repeated_id_is_stored_once(opened: Open) -> None:
    store = opened()

    assert store.append(numbered("a", "b", "a")) == [True, True, False]
    assert store.append(numbered("b", "c")) == [False, True]
    assert names(store) == ["event a", "event b", "event c"]


def test_an_id_that_is_loaded_is_remembered_as_well(opened: Open) -> None:
    store = opened()
    store.append(numbered("a"))
    store.rows(NAMES)

    assert store.append(numbered("b", "a")) == [True, False]


def test_events_without_an_id_are_never_repeats(opened: Open) -> None:
    assert opened().append([event(), event(), event()]) == [True, True, True]


def test_another_projects_id_is_another_id(opened: Open) -> None:
    store = opened()
    other = event(id="a", project_id=ProjectId("proj_blog"))

    assert store.append([*numbered("a"), other]) == [True, True]
    store.rows(NAMES)
    assert store.append([other, *numbered("a")]) == [False, False]


def test_an_id_is_remembered_across_restarts(opened: Open) -> None:
    opened().append(numbered("a", "b"))

    assert opened().append(numbered("b", "c")) == [False, True]
    assert opened().append(numbered("a", "c", "d")) == [False, False, True]


def test_an_id_is_forgotten_after_seven_days_and_not_before(
    opened: Open, clock: HandClock
) -> None:
    store = opened()
    store.append(numbered("a"))
    store.rows(NAMES)

    clock.advance(REMEMBER_IDS)
    assert store.append(numbered("a")) == [False]
    clock.advance(timedelta(seconds=1))
    assert store.append(numbered("a")) == [True]


def test_seqs_follow_the_clock_and_never_repeat(opened: Open, clock: HandClock) -> None:
    store = opened()
    store.append([event(), event()])
    clock.advance(timedelta(hours=-1))
    store.append([event()])
    clock.advance(timedelta(hours=2))
    store.append([event()])

    first, second, third, fourth = seqs(store)
    assert first == seq_at(NOON)
    assert first < second < third < seq_at(NOON + timedelta(minutes=1))
    assert fourth == seq_at(NOON + timedelta(hours=1))


def test_seqs_go_on_after_a_restart_with_a_clock_that_went_back(
    opened: Open, clock: HandClock
) -> None:
    opened().append([event()])
    clock.advance(timedelta(days=-1))

    store = opened()
    store.append([event()])

    first, second = seqs(store)
    assert first < second


def test_what_a_crash_left_in_the_journal_is_stored_once(
    opened: Open, data: Path, clock: HandClock
) -> None:
    store = opened()
    store.append(numbered("a"))
    store.close()
    journal = Journal(data / "events.journal")
    # As if the process had ended between the load and the journal's tidying,
    # and once more after an acknowledgement.
    journal.add(Group(seq_at(NOON), numbered("a")))
    journal.add(Group(seq_at(NOON) + 10, numbered("b", "c")))
    journal.close()

    again = opened()

    assert names(again) == ["event a", "event b", "event c"]
    assert again.append(numbered("a", "b", "c")) == [False, False, False]
    assert waiting(data) == []


def test_an_event_that_no_column_holds_is_set_aside_and_the_others_are_stored(
    opened: Open, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    odd = event("odd", screen_width=2**40)
    store.append([event("one"), odd, event("two")])

    with caplog.at_level(logging.ERROR):
        assert names(store) == ["one", "two"]

    assert [record.getMessage() for record in caplog.records] == [
        "an event is set aside in the journal: screen_width: signed integer is greater"
        " than maximum"
    ]
    assert waiting(data) == []


def test_what_a_constraint_refuses_is_set_aside_too(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    store.append([event("one"), event("odd", user_id=None)])

    with caplog.at_level(logging.ERROR):
        assert names(store) == ["one"]

    assert [record.getMessage() for record in caplog.records] == [
        "an event is set aside in the journal: Constraint Error: NOT NULL constraint"
        " failed: events.user_id"
    ]


def test_a_journal_that_cannot_be_tidied_is_tidied_later(
    opened: Open, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened()
    store.append([event("one")])
    locked = sqlite3.connect(data / "events.journal", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")

    with caplog.at_level(logging.WARNING):
        assert names(store) == ["one"]
    locked.close()
    assert [record.getMessage() for record in caplog.records] == [
        f"the journal could not be tidied: cannot write {data / 'events.journal'}:"
        " database is locked"
    ]
    assert len(waiting(data)) == 1

    store.append([event("two")])
    assert names(store) == ["one", "two"]
    assert waiting(data) == []


def test_what_cannot_be_loaded_at_the_end_is_loaded_at_the_next_start(
    data: Path, clock: HandClock, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    table = DuckDBFile(data / "events.duckdb")
    store = JournaledStore(table, Journal(data / "events.journal"), clock)
    table.close()
    store.append([event("one")])

    with caplog.at_level(logging.ERROR):
        store.close()

    assert "acknowledged events wait in the journal" in caplog.text
    assert names(opened()) == ["one"]


def test_full_pages_of_ids_are_saved_and_old_ones_dropped(
    opened: Open, data: Path, clock: HandClock
) -> None:
    store = opened(page_slots=16)
    store.append(numbered(*"abcdefgh"))
    store.append(numbered("i"))
    store.rows(NAMES)
    (first,) = saved(store)

    clock.advance(REMEMBER_IDS + timedelta(seconds=1))
    store.append(numbered(*"ABCDEFGH"))
    store.append(numbered("I"))
    store.rows(NAMES)

    (second,) = saved(store)
    assert first < seq_at(NOON + timedelta(minutes=1)) < second


def test_ids_are_remembered_through_saved_pages(opened: Open) -> None:
    store = opened(page_slots=16)
    letters = "abcdefghijklmnopqrstuvwxyz"
    for letter in letters:
        store.append(numbered(letter))
        store.rows(NAMES)
    assert len(saved(store)) == 3

    again = opened(page_slots=16)

    assert again.append(numbered(*letters)) == [False] * 26


def test_events_come_in_while_others_ask(opened: Open) -> None:
    store = opened()
    counts: list[int] = []

    def ask() -> None:
        for _ in range(30):
            counts.append(len(names(store)))

    asker = Thread(target=ask)
    asker.start()
    for number in range(100):
        store.append([event(f"event {number}")])
    asker.join()

    assert counts == sorted(counts)
    assert len(names(store)) == 100
