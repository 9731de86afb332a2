"""Files and directories that only the server's own user may read."""

from __future__ import annotations

from pathlib import Path

from clamp_server.errors import ConfigError


def make_private_directory(path: Path) -> None:
    """Make `path` and what is missing above it; an existing one stays as it is.

    Raises:
        ConfigError: It cannot be made, or is not a directory.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make the directory {path}: {error.strerror}; choose another"
            " with --data or CLAMP_DATA"
        ) from error


def make_private_file(path: Path) -> None:
    """Make an empty file with mode 0600; an existing one stays as it is.

    SQLite gives its side files the mode of the file they belong to, so it has
    to be right before SQLite opens it.

    Raises:
        ConfigError: It cannot be made.
    """
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror}; check who owns the directory"
        ) from error
