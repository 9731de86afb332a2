"""The threads that questions are answered in."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

# Of two threads on one core, one that is nicer by so much gets a quarter of what the
# other gets (each step is 1.25, sched(7)).
NICENESS = 6


def question_threads(most: int, name: str) -> ThreadPoolExecutor:
    """Return as many threads, which give way to those that take events."""
    return ThreadPoolExecutor(most, name, _give_way)


def _give_way() -> None:
    # Elsewhere a whole process has one niceness. A sandbox may forbid the call.
    if sys.platform == "linux":
        with suppress(OSError):
            nice = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, 0, nice + NICENESS)
