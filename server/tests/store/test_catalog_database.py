from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from tests.make import NOON

from clamp_server.errors import ConfigError, StoreUnavailableError
from clamp_server.model.ids import KeyId, ProjectId
from clamp_server.model.project import Key, Project
from clamp_server.store.catalog import Catalog
from clamp_server.store.catalog_migration import MIGRATIONS
from clamp_server.store.catalog_tables import METADATA

MAKE_PROJECTS = """
import sys
from clamp_server.clock import now
from clamp_server.store.catalog import Catalog
from secrets import token_urlsafe

catalog = Catalog(sys.argv[1], now, token_urlsafe)
catalog.migrate()
for number in range(20):
    catalog.create_key(catalog.create_project(f"Shop {number}").id)
"""

# Whether Alembic, which takes 9 MB, was needed.
OPEN = """
import sys
from clamp_server.clock import now
from clamp_server.store.catalog import Catalog

Catalog(sys.argv[1], now, str).migrate()
print("alembic" in sys.modules)
"""


def opened(path: Path) -> Catalog:
    return Catalog(f"sqlite:///{path}", lambda: NOON, lambda: "x" * 43)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "catalog.sqlite"


def test_only_the_servers_own_user_can_read_the_files(
    catalog: Catalog, path: Path
) -> None:
    catalog.create_project("Shop")

    modes = {
        file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()
    }
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
    assert modes == {
        "catalog.sqlite": "0o600",
        "catalog.sqlite-shm": "0o600",
        "catalog.sqlite-wal": "0o600",
    }


def test_several_processes_make_their_catalog_and_change_it_at_once(
    path: Path,
) -> None:
    url = f"sqlite:///{path}"
    processes = [
        subprocess.Popen([sys.executable, "-c", MAKE_PROJECTS, url]) for _ in range(3)
    ]
    assert [process.wait() for process in processes] == [0, 0, 0]

    catalog = opened(path)
    projects = catalog.projects()
    catalog.close()

    assert len({project.id for project in projects}) == 60


def test_a_catalog_of_version_1_is_brought_along(path: Path) -> None:
    path.parent.mkdir()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with sqlite3.connect(path) as written:
        written.execute(
            "INSERT INTO projects VALUES ('proj_1', 'Shop',"
            " '2026-03-10 12:00:00.000000', 'Europe/Berlin',"
            " 'https://shop.example https://www.shop.example', 50)"
        )
        written.execute(
            "INSERT INTO keys VALUES"
            " ('key_1', 'proj_1', ?, 'wxyz', '2026-03-10 12:00:00.000000', NULL)",
            (hashlib.sha256(b"sk_proj_wxyz").hexdigest(),),
        )
    written.close()

    catalog = opened(path)
    catalog.migrate()
    found = catalog.project_and_key("sk_proj_wxyz")
    catalog.close()

    shop = Project(
        id=ProjectId("proj_1"),
        name="Shop",
        created_at=NOON,
        time_zone="Europe/Berlin",
        allowed_origins=("https://shop.example", "https://www.shop.example"),
        rate_limit_per_s=50,
    )
    key = Key(id=KeyId("key_1"), project_id=shop.id, hint="wxyz", created_at=NOON)
    assert found == (shop, key)


def test_migrating_again_changes_nothing(catalog: Catalog) -> None:
    shop = catalog.create_project("Shop")

    catalog.migrate()

    assert catalog.projects() == [shop]


def test_only_what_has_to_be_migrated_takes_alembics_memory(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    was_needed = [
        subprocess.run(
            [sys.executable, "-c", OPEN, url],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for _ in range(2)
    ]

    assert was_needed == ["True\n", "False\n"]


def test_the_file_of_a_migration_is_named_for_its_revision() -> None:
    revisions = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    names = {one.revision: Path(one.path).stem for one in revisions}

    assert {name.partition("_")[0] for name in names.values()} == set(names)
    assert max(names) == ScriptDirectory(str(MIGRATIONS)).get_current_head()


def test_a_damaged_file_is_refused_with_what_to_do(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 1000)
    catalog = opened(path)

    with pytest.raises(ConfigError) as refusal:
        catalog.migrate()

    catalog.close()
    assert str(refusal.value) == (
        f"cannot open the catalog sqlite:///{path}: file is not a database. Restore it"
        " from a backup, or move it away to begin with an empty one"
    )


def test_a_newer_releases_catalog_is_refused(catalog: Catalog, path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    with pytest.raises(ConfigError) as refusal:
        catalog.migrate()

    assert str(refusal.value) == (
        f"the catalog sqlite:///{path} was written by a newer release of clamp-server;"
        " install that one (Can't locate revision identified by '9999')"
    )


def test_a_catalog_that_cannot_be_used_is_an_unavailable_store(
    catalog: Catalog, path: Path
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE projects RENAME TO gone")
    connection.close()

    with pytest.raises(StoreUnavailableError) as refusal:
        catalog.snapshot()
    assert refusal.value.message == (
        "the catalog cannot be used now: no such table: projects"
    )
    with pytest.raises(StoreUnavailableError):
        catalog.create_project("Shop")


def test_errors_do_not_tell_what_was_to_be_written(
    catalog: Catalog, path: Path
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE users RENAME TO gone")
    connection.close()

    with pytest.raises(StoreUnavailableError) as refusal:
        catalog.create_user("ann@example.com", "hash of a password")

    assert "hash of a password" not in f"{refusal.value}{refusal.value.__cause__}"


def test_a_catalog_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = Catalog("sqlite://", lambda: NOON, lambda: "x" * 43)
    catalog.migrate()

    shop = catalog.create_project("Shop")
    projects = catalog.projects()
    catalog.close()

    assert projects == [shop]
    assert list(tmp_path.iterdir()) == []


def test_the_migrations_leave_the_tables_that_the_code_knows(
    catalog: Catalog, path: Path, tmp_path: Path
) -> None:
    by_code = tmp_path / "by_code.sqlite"
    engine = create_engine(f"sqlite:///{by_code}")
    METADATA.create_all(engine)
    engine.dispose()

    assert schema(path) == schema(by_code)


def schema(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Columns, foreign keys and unique columns by table."""
    found: dict[str, list[tuple[object, ...]]] = {}
    with sqlite3.connect(path) as connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name <> 'alembic_version' ORDER BY name"
        ).fetchall():
            found[table] = [
                *connection.execute(f"SELECT * FROM pragma_table_info('{table}')"),
                *connection.execute(
                    f"SELECT * FROM pragma_foreign_key_list('{table}')"
                ),
                *connection.execute(
                    'SELECT i."unique", c.name FROM pragma_index_list(?) AS i'
                    " JOIN pragma_index_info(i.name) AS c ORDER BY c.name",
                    (table,),
                ),
            ]
    connection.close()
    return found
