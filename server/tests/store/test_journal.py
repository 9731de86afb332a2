from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.make import event
from tests.store.test_event_columns import EVERYTHING

from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.store.journal import VERSION, Group, Journal

DATA = Path(__file__).parents[1] / "data"
FIRST = Group(100, [EVERYTHING, event("second", id="id-2")])
SECOND = Group(500, [event("third")])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path)
    yield made
    made.close()


def test_groups_come_back_whole_and_in_order(journal: Journal, path: Path) -> None:
    second_bytes = journal.add(SECOND)
    first_bytes = journal.add(FIRST)

    again = Journal(path)
    groups = list(again.groups())
    again.close()

    assert groups == [(FIRST, first_bytes), (SECOND, second_bytes)]


def test_a_group_knows_its_seqs_and_ids() -> None:
    assert FIRST.seqs == range(100, 102)
    assert FIRST.ids() == {("proj_shop", "id-1"), ("proj_shop", "id-2")}
    assert SECOND.ids() == set()


def test_adding_tells_the_size_of_the_group(journal: Journal) -> None:
    assert journal.add(Group(1, [event(name="x" * 10_000)])) > 10_000


def test_removed_groups_are_forgotten_and_later_ones_stay(journal: Journal) -> None:
    journal.add(FIRST)
    journal.add(SECOND)

    journal.remove([FIRST])

    assert [group for group, _ in journal.groups()] == [SECOND]


def test_the_space_of_removed_groups_is_given_back(path: Path) -> None:
    journal = Journal(path)
    group = Group(1, [event(name="x" * 1_000_000)])
    journal.add(group)
    journal.remove([group])

    journal.close()

    assert path.stat().st_size < 100_000


def test_an_event_that_is_set_aside_is_kept_with_its_reason(
    journal: Journal, path: Path
) -> None:
    journal.set_aside(7, event("odd"), "too wide")
    journal.set_aside(7, event("odd"), "too wide")

    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT seq, json_extract(event, '$.name'), reason FROM set_aside"
        ).fetchall()
    connection.close()
    assert rows == [(7, "odd", "too wide")]


def test_only_the_servers_own_user_can_read_it(journal: Journal, path: Path) -> None:
    journal.add(FIRST)

    files = sorted(path.parent.iterdir())
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in files} == {
        "events.journal": "0o600",
        "events.journal-shm": "0o600",
        "events.journal-wal": "0o600",
    }


def test_a_journal_without_a_path_is_in_memory() -> None:
    journal = Journal(None)
    journal.add(FIRST)

    groups = [group for group, _ in journal.groups()]
    journal.close()

    assert groups == [FIRST]


def test_a_damaged_file_is_refused_with_what_to_do(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)

    with pytest.raises(ConfigError) as refusal:
        Journal(path)

    assert str(refusal.value) == (
        f"cannot open {path}: file is not a database. It may hold acknowledged events"
        " that are in no other file: restore it from a backup, or move it away to go"
        " on without them"
    )


def test_a_newer_releases_file_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()

    with pytest.raises(ConfigError, match="written by a newer release"):
        Journal(path)


def test_a_group_of_version_1_is_read(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE event_groups (first_seq INTEGER PRIMARY KEY, events BLOB)"
        )
        connection.execute(
            "INSERT INTO event_groups VALUES (100, ?)",
            ((DATA / "journal_group_v1.json").read_bytes(),),
        )
        connection.execute("PRAGMA user_version = 1")
    connection.close()

    journal = Journal(path)
    groups = [group for group, _ in journal.groups()]
    journal.close()

    assert groups == [Group(100, [EVERYTHING, event()])]


def test_a_group_that_cannot_be_read_is_named(journal: Journal, path: Path) -> None:
    journal.add(FIRST)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE event_groups SET events = '[{}]'")
    connection.close()

    with pytest.raises(ConfigError, match=rf"group 100 of {path} cannot be read"):
        list(journal.groups())


def test_a_failed_write_is_an_unavailable_store(journal: Journal, path: Path) -> None:
    journal.add(FIRST)

    with pytest.raises(StoreUnavailableError) as failure:
        journal.add(FIRST)

    assert str(failure.value) == (
        f"cannot write {path}: UNIQUE constraint failed: event_groups.first_seq"
    )
    assert [group for group, _ in journal.groups()] == [FIRST]
