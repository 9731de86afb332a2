"""Which files there are, who may read them, and where there can be none."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.outbox.numbered import (
    MANY,
    OVERHEAD,
    Dropped,
    OpenOutbox,
    drain,
    event,
    files,
    fill,
    numbers_of,
)

from clamp_analytics._outbox import Outbox
from clamp_analytics._segment import SEGMENT_BYTES
from clamp_analytics.errors import ClampError


def test_nothing_is_written_before_the_first_event(
    open_outbox: OpenOutbox, path: Path
) -> None:
    open_outbox()

    assert files(path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_user_may_look_inside(open_outbox: OpenOutbox, path: Path) -> None:
    fill(open_outbox(), [1])
    (file,) = files(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_says_its_project_and_what_is_settled(
    open_outbox: OpenOutbox, path: Path
) -> None:
    outbox = open_outbox("proj_a1b2c3")
    fill(outbox, [1, 2])
    (file,) = files(path)
    header = b'clamp-outbox 1 000000000041 "proj_a1b2c3"\n'
    before = file.read_bytes()
    outbox.take(1, MANY)
    outbox.settle()

    settled = len(header) + len(event(1)) + OVERHEAD
    after = file.read_bytes()
    assert before[: len(header)] == header.replace(b"41", b"%d" % len(header))
    assert after == before.replace(b"%012d" % len(header), b"%012d" % settled)


def test_a_directory_made_relative_stays_where_it_was(
    tmp_path: Path, dropped: Dropped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outbox = Outbox("queue", "proj_test", MANY, dropped)
    monkeypatch.chdir("/")
    fill(outbox, [1])

    assert len(files(tmp_path / "queue")) == 1
    assert outbox.close() == []


def test_files_that_are_settled_are_deleted(
    open_outbox: OpenOutbox, path: Path
) -> None:
    outbox = open_outbox()
    padding = "x" * (SEGMENT_BYTES // 4)
    fill(outbox, range(10), padding)
    assert len(files(path)) == 3

    taken = numbers_of(outbox.take(4, SEGMENT_BYTES * 2))
    outbox.settle()
    rest = drain(outbox)

    assert taken + rest == list(range(10))
    assert len(files(path)) == 1
    outbox.close()
    assert files(path) == []


def test_a_directory_that_is_deleted_breaks_nothing(
    open_outbox: OpenOutbox, path: Path
) -> None:
    outbox = open_outbox()
    fill(outbox, [1])
    shutil.rmtree(path)

    assert drain(outbox) == [1]
    outbox.close()


@pytest.mark.parametrize(
    ("name", "reason", "cause"),
    [
        ("file/outbox", "Not a directory", NotADirectoryError),
        ("file", "File exists", FileExistsError),
    ],
)
def test_a_path_where_no_directory_can_be_is_refused_with_the_reason(
    tmp_path: Path, name: str, reason: str, cause: type[OSError]
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name

    with pytest.raises(ClampError) as caught:
        Outbox(path, "proj_test", MANY, Dropped())

    assert str(caught.value) == (
        f"the outbox {path} cannot be used: {reason}; give the path of a"
        " directory on this machine's disk that this process may write to"
    )
    assert isinstance(caught.value.__cause__, cause)


@contextmanager
def no_more_open_files() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_directory_that_takes_no_file_is_refused(path: Path) -> None:
    path.mkdir()

    with (
        no_more_open_files(),
        pytest.raises(ClampError, match="cannot be used: Too many open files; give"),
    ):
        Outbox(path, "proj_test", MANY, Dropped())
