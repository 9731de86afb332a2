from __future__ import annotations

import subprocess
import sys

from tests.sink import Sink

LEAVING = """
import sys
from clamp_analytics import Clamp, init, track

init("proj_test", "sk_proj_test", sys.argv[1])
track("signup")
forgotten = Clamp("proj_test", "sk_proj_test", sys.argv[1])
forgotten.track("signup")
"""


def test_a_process_that_just_ends_leaves_no_warning_behind(sink: Sink) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", LEAVING, sink.endpoint],
        capture_output=True,
        check=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("", "")
    assert len(sink.requests) == 2


# Registered before the client exists, so it runs after the client was cleaned up.
TRACKING_AT_EXIT = """
import atexit, sys
from clamp_analytics import Clamp, init, track

def stopped():
    track("stopped")
    track("stopped")
    with Clamp("proj_test", "sk_proj_test", sys.argv[1]) as clamp:
        clamp.track("made at exit")

atexit.register(stopped)
init("proj_test", "sk_proj_test", sys.argv[1])
track("started")
"""


def test_an_exit_handler_may_still_track(sink: Sink) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", TRACKING_AT_EXIT, sink.endpoint],
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stderr == ""
    assert [body["name"] for body in sink.bodies] == [
        "started",
        "stopped",
        "stopped",
        "made at exit",
    ]
