from __future__ import annotations

import os
from pathlib import Path

import pytest

from clamp_server.errors import ConfigError
from clamp_server.store.private_path import make_private_directory, make_private_file


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def test_a_new_directory_is_the_owners_alone(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "above" / "data")

    assert mode(tmp_path / "above" / "data") == "0o700"


def test_an_existing_directory_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    make_private_directory(tmp_path)

    assert mode(tmp_path) == "0o755"


def test_a_file_in_the_place_of_a_directory_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "data"
    taken.touch()

    with pytest.raises(ConfigError) as refusal:
        make_private_directory(taken)

    assert str(refusal.value) == (
        f"cannot make the directory {taken}: File exists; choose another with --data"
        " or CLAMP_DATA"
    )


def test_a_new_file_is_the_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    make_private_file(tmp_path / "file")
    os.umask(before)

    assert mode(tmp_path / "file") == "0o600"


def test_an_existing_file_keeps_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")

    make_private_file(tmp_path / "file")

    assert (tmp_path / "file").read_text() == "kept"


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        make_private_file(tmp_path / "missing" / "file")

    assert str(refusal.value) == (
        f"cannot write {tmp_path / 'missing' / 'file'}: No such file or directory;"
        " check who owns the directory"
    )
