"""Each test has a process of its own: what it watches cannot be taken back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

needs_fork = pytest.mark.skipif(
    sys.platform == "win32", reason="this system does not fork"
)

WATCHED = """
import gc, multiprocessing, os, sys, threading, time
from clamp_analytics._process import watch, watch_end_of_worker

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

class Watched:
    def __init__(self, name):
        self.name = name
        watch(self)
    def before_fork(self):
        say(self.name, "before")
    def after_fork_in_parent(self):
        say(self.name, "parent")
    def after_fork_in_child(self):
        say(self.name, "child")
    def end(self, began_s):
        say(self.name, "end", 0 <= time.monotonic() - began_s < 3600)
"""


def said(script: str, tmp_path: Path) -> list[str]:
    """The lines that it wrote; a file, because some of its processes import it."""
    path = tmp_path / "script.py"
    path.write_text(WATCHED + script)
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_the_end_comes_to_what_is_still_alive(tmp_path: Path) -> None:
    script = """
a, b = Watched("a"), Watched("b")
del b
gc.collect()
say("last line")
"""
    assert said(script, tmp_path) == ["last line", "a end True"]


@needs_fork
def test_a_fork_is_told_before_and_after_on_both_sides(tmp_path: Path) -> None:
    script = """
a = Watched("a")
if os.fork() == 0:
    os._exit(0)
os.wait()
"""
    lines = said(script, tmp_path)

    assert lines[0] == "a before"
    assert sorted(lines[1:3]) == ["a child", "a parent"]
    assert lines[3:] == ["a end True"]


@needs_fork
def test_what_dies_before_a_fork_is_not_told_of_it(tmp_path: Path) -> None:
    script = """
a = Watched("a")
del a
gc.collect()
if os.fork() == 0:
    os._exit(0)
os.wait()
say("last line")
"""
    assert said(script, tmp_path) == ["last line"]


@needs_fork
def test_two_threads_that_fork_at_once_are_both_told(tmp_path: Path) -> None:
    script = """
both = threading.Barrier(2)

class Held(Watched):
    def before_fork(self):
        both.wait(30)
    def after_fork_in_child(self):
        os._exit(0)

a = Held("a")
forks = [threading.Thread(target=os.fork) for _ in range(2)]
for fork in forks:
    fork.start()
for fork in forks:
    fork.join(30)
for _ in forks:
    os.wait()
"""
    assert said(script, tmp_path) == ["a parent", "a parent", "a end True"]


def test_a_system_without_forks_has_the_end_alone(tmp_path: Path) -> None:
    script = """
if hasattr(os, "register_at_fork"):
    del os.register_at_fork
a = Watched("a")
"""
    assert said(script, tmp_path) == ["a end True"]


@pytest.mark.parametrize("method", [pytest.param("fork", marks=needs_fork), "spawn"])
def test_the_end_comes_to_a_worker_of_multiprocessing(
    method: str, tmp_path: Path
) -> None:
    script = f"""
def work():
    worker = Watched("worker")
    watch_end_of_worker()
    watch_end_of_worker()
    say("work")
    # As long as the process: the thread that delivers would do that.
    multiprocessing.kept = worker

if __name__ == "__main__":
    watch_end_of_worker()
    worker = multiprocessing.get_context({method!r}).Process(target=work)
    worker.start()
    worker.join()
    say("exit", worker.exitcode)
"""
    # A spawned one has the interpreter's own end as well.
    once = list(dict.fromkeys(said(script, tmp_path)))
    assert once == ["work", "worker end True", "exit 0"]


def test_where_nobody_uses_multiprocessing_it_is_not_imported(tmp_path: Path) -> None:
    script = """
for name in [name for name in sys.modules if name.startswith("multiprocessing")]:
    del sys.modules[name]
watch_end_of_worker()
say([name for name in sys.modules if name.startswith("multiprocessing")])
"""
    assert said(script, tmp_path) == ["[]"]
