"""What has to happen when this process is forked, and when it ends.

Registered with the interpreter once, for whatever is alive by then: neither a
fork's hooks nor those of the exit can be taken back.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from typing import Protocol
from weakref import WeakSet


class Lasting(Protocol):
    """What lives as long as the process."""

    def before_fork(self) -> None:
        """Come to a state that a child can take over."""
        ...

    def after_fork_in_parent(self) -> None:
        """Go on."""
        ...

    def after_fork_in_child(self) -> None:
        """Begin anew."""
        ...

    def end(self, began_s: float) -> None:
        """The process ends: finish in a bounded time. It may be called twice.

        Args:
            began_s: When the end began, on the monotonic clock.
        """
        ...


_alive: WeakSet[Lasting] = WeakSet()
# Of each thread its own: several may fork at once.
_forking = threading.local()
_is_registered = False
# The process that has told its multiprocessing to call `_end_all`.
_told_in_process = 0


def watch(one: Lasting) -> None:
    """Call its methods from now on, as long as it is alive."""
    global _is_registered
    _alive.add(one)
    if not _is_registered:
        _is_registered = True
        atexit.register(_end_all)
        # Windows has no forks.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=_before_fork,
                after_in_parent=_after_fork_in_parent,
                after_in_child=_after_fork_in_child,
            )


def watch_end_of_worker() -> None:
    """Make sure of the end where the process is one that multiprocessing made.

    Such a process leaves without the interpreter's own exit.
    """
    global _told_in_process
    for library in ("multiprocessing", "billiard"):
        process = sys.modules.get(f"{library}.process")
        util = sys.modules.get(f"{library}.util")
        if (
            process
            and util
            and _told_in_process != os.getpid()
            and _is_worker(process.current_process())
        ):
            _told_in_process = os.getpid()
            util.Finalize(None, _end_all, exitpriority=0)


def _is_worker(process: object) -> bool:
    return type(process).__name__ not in ("_MainProcess", "MainProcess")


def _end_all() -> None:
    began_s = time.monotonic()
    for one in list(_alive):
        one.end(began_s)


def _before_fork() -> None:
    _forking.held = list(_alive)
    for one in _forking.held:
        one.before_fork()


def _after_fork_in_parent() -> None:
    for one in _forking.held:
        one.after_fork_in_parent()
    del _forking.held


def _after_fork_in_child() -> None:
    # Not what was held: uWSGI forks in C, and then only the child is told.
    for one in list(_alive):
        one.after_fork_in_child()
    vars(_forking).clear()
