from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from tests.make import NOON, event

from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.model.event import EnrichedEvent, Properties
from clamp_server.store.journal import Group
from clamp_server.store.on_duckdb import DuckDBFile, DuckDBStore
from clamp_server.store.sql import Sql

COUNT = Sql("SELECT count(*) AS events FROM events")
# Sixty-four billion pairs, which no index and no shortcut makes fewer.
ENDLESS = Sql(
    "SELECT count(*) AS pairs FROM range(8000000) a, range(8000) b"
    " WHERE (a.range * b.range) % 7 = 8"
)
SERVER = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "events.duckdb"


def appending(*arguments: object) -> subprocess.Popen[str]:
    """Start a process that appends; see `appending_process.py`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.appending_process", *map(str, arguments)],
        cwd=SERVER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def lines(process: subprocess.Popen[str], count: int) -> list[int]:
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(count)]


def test_events_are_there_after_a_restart(path: Path) -> None:
    store = DuckDBStore(path)
    store.append([event("kept")])
    store.close()

    again = DuckDBStore(path)
    rows = again.rows(Sql("SELECT name, occurred_at FROM events"))
    again.close()

    assert rows == [{"name": "kept", "occurred_at": NOON}]


def test_every_acknowledged_event_is_there_once_after_kill_9(path: Path) -> None:
    acknowledged: list[int] = []
    for count in (1, 40, 300):
        first = max(acknowledged, default=-1) + 1
        process = appending(path.parent, first)
        acknowledged += lines(process, count)
        process.kill()
        assert process.stdout is not None
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
        process.stdout.close()
        process.wait()

    store = DuckDBStore(path)
    stored = Counter(
        int(row["session_id"])
        for row in store.rows(Sql("SELECT session_id FROM events"))
    )
    repeated = store.append([event(id=f"id-{number}") for number in acknowledged])
    store.close()

    # At most one more a process: stored, and not yet acknowledged when it ended.
    assert set(stored.values()) == {1}
    assert set(acknowledged) <= set(stored)
    assert len(stored) <= len(acknowledged) + 3
    assert not any(repeated)


@contextmanager
def no_file_beyond(max_bytes: int) -> Iterator[None]:
    """As on a full disk, a write that makes a file larger fails in the middle."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(store: DuckDBStore) -> tuple[int, str]:
    """Append until the store refuses: how often it did not, and what it says."""
    for number in range(5000):
        try:
            store.append([event("x" * 32_000, id=f"id-{number}")])
        except StoreUnavailableError as error:
            return number, error.message
    return 5000, "nothing"


@pytest.mark.parametrize(
    ("max_bytes", "full"),
    [
        pytest.param(3_000_000, "events.journal: disk I/O error", id="journal"),
        # More than the journal ever holds.
        pytest.param(30_000_000, 'events.duckdb.wal": File too large', id="duckdb"),
    ],
)
def test_a_full_disk_refuses_and_later_takes_again_without_a_restart(
    path: Path, max_bytes: int, full: str
) -> None:
    store = DuckDBStore(path)
    with no_file_beyond(max_bytes):
        acknowledged, refusal = fill(store)

    store.append([event("after", id="after")])
    rows = store.rows(
        Sql("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM events")
    )
    store.close()

    assert acknowledged > 30
    assert full in refusal
    assert rows == [{"n": acknowledged + 1, "ids": acknowledged + 1}]


def load(file: DuckDBFile, *groups: Group) -> None:
    file.load(file.prepare(groups))


def test_of_a_batch_only_what_is_new_is_stored(path: Path) -> None:
    def told(number: int) -> EnrichedEvent:
        return event(
            f"{number}",
            properties=Properties(
                strings={"plan": f"plan {number}"}, numbers={"n": number}
            ),
        )

    file = DuckDBFile(path)
    load(file, Group(1, [told(1), told(2)]))

    load(file, Group(1, [told(1), told(2)]), Group(7, [told(7), told(8)]))

    rows = file.rows(
        Sql("SELECT seq, name, strings['plan'] AS plan, numbers['n'] AS n FROM events")
    )
    file.close()
    assert rows == [
        {"seq": number, "name": f"{number}", "plan": f"plan {number}", "n": number}
        for number in (1, 2, 7, 8)
    ]


def test_a_checkpoint_that_fails_is_made_again_when_there_is_room(path: Path) -> None:
    file = DuckDBFile(path, fold_at_events=150)
    load(file, Group(1, [event(f"{number}", id="a" * 99) for number in range(100)]))
    more = [event(f"{number}") for number in range(100)]

    with (
        no_file_beyond(path.stat().st_size + 1000),
        pytest.raises(StoreUnavailableError, match="checkpoint"),
    ):
        load(file, Group(1000, more))
    load(file, Group(1000, more))
    load(file, Group(1000, more), Group(2000, more))

    rows = file.rows(COUNT)
    file.close()
    assert rows == [{"events": 300}]


def test_the_log_is_folded_into_the_file_at_so_many_events(path: Path) -> None:
    log = path.with_name("events.duckdb.wal")
    file = DuckDBFile(path, fold_at_events=3)

    load(file, Group(1, [event(), event()]))
    is_logged = log.exists()
    load(file, Group(10, [event()]))
    is_folded = not log.exists()
    file.close()

    assert (is_logged, is_folded) == (True, True)


def test_only_the_servers_own_user_can_read_the_files(path: Path) -> None:
    store = DuckDBStore(path)
    store.append([event()])

    modes = {
        file.name: oct(file.stat().st_mode & 0o777)
        for file in (path.parent, path, path.with_suffix(".journal"))
    }
    store.close()

    assert modes == {
        "data": "0o700",
        "events.duckdb": "0o600",
        "events.journal": "0o600",
    }


def test_what_a_killed_process_had_put_aside_is_removed(path: Path) -> None:
    spilled = path.with_name("events.duckdb.tmp")
    spilled.mkdir(parents=True)
    (spilled / "duckdb_temp_storage-0.tmp").write_bytes(b"rows of a question")

    DuckDBStore(path).close()

    assert not spilled.exists()


def test_a_store_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = DuckDBStore(None)
    store.append([event()])

    rows = store.rows(COUNT)
    store.close()

    assert rows == [{"events": 1}]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_another_process_has_is_refused(path: Path) -> None:
    process = appending(path.parent, 0)
    lines(process, 1)

    with pytest.raises(ConfigError) as refusal:
        DuckDBStore(path)

    process.kill()
    process.communicate()
    assert str(refusal.value).startswith(
        f"{path} is in use by another process: stop that one, or choose another"
        " directory with --data (IO Error: Could not set lock on file"
    )


def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 1000)

    with pytest.raises(ConfigError) as refusal:
        DuckDBStore(path)

    assert str(refusal.value) == (
        f'cannot open {path}: IO Error: The file "{path}" exists, but it is not a'
        " valid DuckDB database file!. Is there room on the disk, and may the file be"
        " written? One that is damaged is replaced from a backup"
    )
    assert path.read_bytes() == b"no database at all" * 1000
    assert list(path.parent.iterdir()) == [path]


def test_a_damaged_journal_lets_go_of_the_file(path: Path) -> None:
    DuckDBStore(path).close()
    journal = path.with_suffix(".journal")
    journal.write_bytes(b"no database at all" * 1000)

    with pytest.raises(ConfigError, match=f"cannot open {journal}"):
        DuckDBStore(path)

    journal.unlink()
    DuckDBStore(path).close()


def test_a_log_without_its_file_is_refused_and_kept(path: Path) -> None:
    process = appending(path.parent, 0)
    lines(process, 1)
    process.kill()
    process.communicate()
    store = DuckDBStore(path)
    log = path.with_name("events.duckdb.wal")
    saved = path.with_name("saved")
    shutil.copy(log, saved)
    store.close()
    path.unlink()
    saved.rename(log)

    with pytest.raises(ConfigError) as refusal:
        DuckDBStore(path)

    assert str(refusal.value) == (
        f"{log} is there but {path} is not: bring that file back, or move the log"
        " away to begin without it"
    )
    assert log.exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="cannot make the directory"):
        DuckDBStore(tmp_path / "file" / "data" / "events.duckdb")


def test_a_newer_releases_file_is_refused(path: Path) -> None:
    DuckDBStore(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO migration_steps VALUES (99, 'future')")

    with pytest.raises(ConfigError) as refusal:
        DuckDBStore(path)

    assert str(refusal.value) == (
        f"{path} was written by a newer release of clamp-server (its tables are at"
        " step 99, this release knows 8); install that one"
    )
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchall() == [(0,)]


def test_a_question_that_takes_too_long_is_stopped() -> None:
    store = DuckDBStore(None, timeout_s=0.2)

    with pytest.raises(StoreUnavailableError) as refusal:
        store.rows(ENDLESS)

    after = store.rows(COUNT)
    store.close()
    assert refusal.value.message == (
        "the question took longer than 0.2 s and was stopped; ask for a shorter period"
    )
    assert after == [{"events": 0}]


def test_a_wrong_statement_is_told_with_duckdbs_words() -> None:
    store = DuckDBStore(None)

    with pytest.raises(StoreUnavailableError, match="Binder Error"):
        store.rows(Sql("SELECT nothing FROM events"))

    store.close()
