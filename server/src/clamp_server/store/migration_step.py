"""The numbered steps that make and change an engine's tables.

A step is a file `migrations/<engine>/NNNN_name.sql`. A released one never
changes: what is to be different is the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from clamp_server.errors import ConfigError

Engine: TypeAlias = Literal["duckdb", "clickhouse"]

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One file of statements.

    Attributes:
        number: From 1, without gaps.
    """

    number: int
    name: str
    statements: tuple[str, ...]


def steps_after(done: int, engine: Engine, where: object) -> list[MigrationStep]:
    """Return the steps that a database still needs, in order.

    Args:
        done: Number of the last step it has had; 0 for a new one.
        where: How to call the database in a message.

    Raises:
        ConfigError: It has had steps that this release does not know.
    """
    steps = [_step(path) for path in sorted((MIGRATIONS / engine).glob("[0-9]*_*.sql"))]
    if done > len(steps):
        raise ConfigError(
            f"{where} was written by a newer release of clamp-server (its tables are"
            f" at step {done}, this release knows {len(steps)}); install that one"
        )
    return steps[done:]


def _step(path: Path) -> MigrationStep:
    number, _, name = path.stem.partition("_")
    text = path.read_text(encoding="utf-8")
    # No statement of ours has a semicolon inside.
    statements = tuple(part.strip() for part in text.split(";") if part.strip())
    return MigrationStep(int(number), name, statements)
