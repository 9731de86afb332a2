"""Brings the catalog's tables up to this release. The only user of Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from clamp_server.errors import ConfigError

MIGRATIONS = Path(__file__).parent / "migrations" / "catalog"


def migrate_catalog(connection: Connection, name: str) -> None:
    """Run the migrations that are missing, inside the transaction of `connection`.

    Args:
        name: How to call the catalog in a message.

    Raises:
        ConfigError: A newer release has written this catalog.
    """
    if _is_migrated(connection):
        return
    # Here, because a server would keep its 9 MB for as long as it runs.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigError(
            f"the catalog {name} was written by a newer release of clamp-server;"
            f" install that one ({error})"
        ) from error


def _is_migrated(connection: Connection) -> bool:
    if not inspect(connection).has_table("alembic_version"):
        return False
    done = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    # The file of a migration is named for its revision.
    newest = max(path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
    return newest.partition("_")[0] == done
