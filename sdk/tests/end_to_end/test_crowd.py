from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.batch_sink import BatchSink, Counts
from tests.program import run

THREADS = """
import sys, threading
from clamp_analytics import flush
from tests.app import start, tell, track_many

start(sys.argv[1], sys.argv[2])
tracked = []
threads = [
    threading.Thread(target=lambda n=n: tracked.append(track_many(f"thread_{n}", 100)))
    for n in range(50)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
tell(tracked=sum(tracked), is_whole=flush(30))
"""

TASKS = """
import asyncio, sys
from dataclasses import asdict
import json
from clamp_analytics import AsyncClamp, BackgroundDelivery
from tests.app import on_error, reported

async def work(clamp, who):
    return sum([await clamp.track(f"task_{who}_{number}") for number in range(10)])

async def main():
    how = BackgroundDelivery(outbox=sys.argv[2] or None)
    async with AsyncClamp(
        "proj_test", "sk_proj_test", sys.argv[1], background=how, on_error=on_error
    ) as clamp:
        tracked = await asyncio.gather(*(work(clamp, who) for who in range(500)))
        is_whole = await clamp.flush(30)
        done = asdict(clamp.stats())
    said = {"tracked": sum(tracked), "is_whole": is_whole, "reported": dict(reported)}
    print(json.dumps({**said, **done}))

asyncio.run(main())
"""

GREENLETS = """
from gevent import monkey
monkey.patch_all()
import gevent, sys
from clamp_analytics import flush
from tests.app import start, tell, track_many

start(sys.argv[1], sys.argv[2])
greenlets = [gevent.spawn(track_many, f"greenlet_{n}", 100) for n in range(50)]
gevent.joinall(greenlets)
tracked = sum(greenlet.value for greenlet in greenlets)
tell(tracked=tracked, is_whole=flush(30))
"""

# As in gunicorn's workers, where the application may be loaded before. gevent warns
# of it where `ssl` was.
LATE_GREENLETS = """
import sys, warnings
warnings.simplefilter("ignore")
from tests.app import start, tell, track_many
start(sys.argv[1], sys.argv[2])
""" + GREENLETS.replace("start(sys.argv[1], sys.argv[2])", "")


PROGRAMS = {"threads": THREADS, "tasks": TASKS, "greenlets": GREENLETS}
# An older httpx does not know an SSLContext again that is older than the patch.
if tuple(map(int, httpx.__version__.split(".")[:2])) >= (0, 28):
    PROGRAMS["late_greenlets"] = LATE_GREENLETS


@pytest.mark.parametrize("has_outbox", [False, True])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_crowd_that_tracks_at_once_loses_and_doubles_nothing(
    tmp_path: Path, program: str, has_outbox: bool
) -> None:
    outbox = str(tmp_path) if has_outbox else ""
    with BatchSink() as sink:
        (said,) = run(program, sink.endpoint, outbox)

    assert said == {
        "tracked": 5000,
        "is_whole": True,
        "sent": 5000,
        "waiting": 0,
        "dropped": {},
        "reported": {},
    }
    assert (sink.counts, sink.repeats) == (Counts(stored=5000), 0)
    assert list(tmp_path.iterdir()) == []
