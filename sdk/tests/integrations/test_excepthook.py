from __future__ import annotations

import subprocess
import sys

from tests.integrations.arrived import Arrived, arrived
from tests.sink import Sink

# Hooks are of the whole process, so each test has one of its own.
BEGINNING = """
import asyncio, sys, threading
from clamp_analytics import Clamp
from clamp_analytics.integrations import excepthook

def install(**more):
    excepthook.install(project_id="p", api_key="k", endpoint=sys.argv[1], **more)
"""


def run(program: str, sink: Sink) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BEGINNING + program, sink.endpoint],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def unhandled(message: str) -> Arrived:
    told = {
        "error.message": message,
        "error.type": "ValueError",
        "error.handled": False,
    }
    return Arrived("$error", None, None, told)


def test_what_ends_the_program_is_captured_and_shown_as_before(sink: Sink) -> None:
    done = run("install()\nraise ValueError('sold out')", sink)

    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "ValueError: sold out",
    )
    assert arrived(sink) == [unhandled("sold out")]


OWN_HOOK = """
sys.excepthook = lambda kind, error, trace: print("own:", error)
install()
install()
raise ValueError("sold out")
"""


def test_the_hook_that_was_there_still_runs_once(sink: Sink) -> None:
    done = run(OWN_HOOK, sink)

    assert (done.stdout, done.stderr) == ("own: sold out\n", "")
    assert arrived(sink) == [unhandled("sold out")]


THREAD = """
threading.excepthook = lambda told: print("own:", told.exc_value)
install()

def work():
    raise ValueError("sold out")

def leave():
    sys.exit()

for target in (work, leave):
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
"""


def test_what_ends_a_thread_is_captured_unless_it_just_leaves(sink: Sink) -> None:
    done = run(THREAD, sink)

    assert (done.stdout, done.stderr) == ("own: sold out\nown: \n", "")
    assert arrived(sink) == [unhandled("sold out")]


LOOP = """
def fail():
    raise ValueError("sold out")

async def main():
    loop = asyncio.get_running_loop()
    if OWN:
        loop.set_exception_handler(lambda loop, told: print("own:", told["message"]))
    install(loop=loop)
    install(loop=loop)
    loop.call_soon(fail)
    loop.call_exception_handler({"message": "no exception"})
    await asyncio.sleep(0)

asyncio.run(main())
"""


def test_what_asyncio_has_nobody_to_tell_of_is_captured(sink: Sink) -> None:
    done = run("OWN = False" + LOOP, sink)

    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if line[:1] != " "] == [
        "no exception",
        "Exception in callback fail() at <string>:9",
        "handle: <Handle fail() at <string>:9>",
        "Traceback (most recent call last):",
        "ValueError: sold out",
    ]
    assert arrived(sink) == [unhandled("sold out")]


def test_the_loops_own_handler_still_runs(sink: Sink) -> None:
    done = run("OWN = True" + LOOP, sink)

    assert done.stdout.splitlines() == [
        "own: no exception",
        "own: Exception in callback fail() at <string>:9",
    ]
    assert arrived(sink) == [unhandled("sold out")]


CLIENT = """
excepthook.install(client=Clamp("p", "k", sys.argv[1]))
raise ValueError("sold out")
"""


def test_a_client_of_the_applications_own_sends_it(sink: Sink) -> None:
    run(CLIENT, sink)

    assert arrived(sink) == [unhandled("sold out")]


def test_ctrl_c_is_no_error(sink: Sink) -> None:
    done = run("install()\nraise KeyboardInterrupt", sink)

    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert sink.requests == []
