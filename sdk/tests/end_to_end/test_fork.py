from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.sink import Sink

# Its own process: a fork of the one that runs the tests has their threads' locks.
FORKING = """
import os, sys
from clamp_analytics import Clamp, init, track

init("proj_test", "sk_proj_test", sys.argv[1])
other = Clamp("proj_other", "sk_proj_test", sys.argv[1])
track("parent before")
other.track("other before")
child = os.fork()
if child == 0:
    track("child")
    track("child again")
    other.close()
    os._exit(0)
_, status = os.waitpid(child, 0)
track("parent after")
other.track("other after")
other.close()
sys.exit(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_has_its_own_connection_and_leaves_the_parents(
    sink: Sink,
) -> None:
    subprocess.run([sys.executable, "-c", FORKING, sink.endpoint], check=True)

    assert [(r.body["name"], r.connection) for r in sink.requests] == [
        ("parent before", 1),
        ("other before", 2),
        ("child", 3),
        ("child again", 3),
        ("parent after", 1),
        ("other after", 2),
    ]


# One child tracks, the other never does.
LEAVING_A_CHILD = """
import os, sys
from clamp_analytics import init, track

init("proj_test", "sk_proj_test", sys.argv[1])
track("parent before")
for name in ("child", None):
    if os.fork() == 0:
        if name:
            track(name)
        sys.exit()
    os.wait()
track("parent after")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_that_ends_leaves_no_warning_behind(sink: Sink) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", LEAVING_A_CHILD, sink.endpoint],
        capture_output=True,
        check=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("", "")
    assert [(r.body["name"], r.connection) for r in sink.requests] == [
        ("parent before", 1),
        ("child", 2),
        ("parent after", 1),
    ]


# The child forks while another thread of the parent is inside the client, with
# whatever locks that takes.
FORKING_UNDER_LOAD = """
import os, sys, threading
from clamp_analytics import init, track

init("proj_test", "sk_proj_test", sys.argv[1])
is_over = threading.Event()

def work():
    while not is_over.is_set():
        track("parent")

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
failed = 0
for _ in range(10):
    child = os.fork()
    if child == 0:
        track("child")
        os._exit(0)
    failed += os.waitpid(child, 0)[1] != 0
is_over.set()
for thread in threads:
    thread.join()
sys.exit(failed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_in_the_middle_of_calls_hangs_neither_side(sink: Sink) -> None:
    # Python warns that locks may be held; that this is harmless here is the test.
    command = [sys.executable, "-W", "ignore", "-c", FORKING_UNDER_LOAD, sink.endpoint]
    subprocess.run(command, check=True, timeout=60)

    assert sum(body["name"] == "child" for body in sink.bodies) == 10
