from __future__ import annotations

import os
import sys

import pytest

from clamp_server.api.question_threads import NICENESS, question_threads


def niceness() -> int:
    """Return that of the thread that calls; Linux has one for each."""
    return os.getpriority(os.PRIO_PROCESS, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness here")
def test_a_question_gives_way_to_the_thread_that_takes_events() -> None:
    before = niceness()
    with question_threads(2, "question") as threads:
        found = [threads.submit(niceness).result() for _ in range(2)]

    assert (found, niceness()) == ([min(19, before + NICENESS)] * 2, before)
