from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clamp_analytics._file_lock import lock


@contextmanager
def opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locked"


def test_a_locked_file_is_locked_for_this_process_too(path: Path) -> None:
    with opened(path) as first, opened(path) as second:
        lock(first)

        with pytest.raises(BlockingIOError):
            lock(second)


def test_closing_the_descriptor_frees_it(path: Path) -> None:
    with opened(path) as first:
        lock(first)

    with opened(path) as second:
        lock(second)


# Says when it has the lock, and keeps it until it ends.
HOLDING = """
import os, sys
from clamp_analytics._file_lock import lock

lock(os.open(sys.argv[1], os.O_RDWR))
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_process_that_is_killed_frees_it(path: Path) -> None:
    with opened(path) as ours:
        command = [sys.executable, "-c", HOLDING, str(path)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "locked\n"
            with pytest.raises(BlockingIOError):
                lock(ours)
            holder.kill()

        lock(ours)


# The child drops its copy; what a third one finds then is printed.
FORKING = """
import os, sys
from clamp_analytics._file_lock import lock

ours = os.open(sys.argv[1], os.O_RDWR)
lock(ours)
if os.fork() == 0:
    os.close(ours)
    os._exit(0)
os.wait()
try:
    lock(os.open(sys.argv[1], os.O_RDWR))
    print("free")
except BlockingIOError:
    print("locked")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_that_closes_its_copy_does_not_free_it(path: Path) -> None:
    with opened(path):
        done = subprocess.run(
            [sys.executable, "-c", FORKING, str(path)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )

    assert done.stdout == "locked\n"
