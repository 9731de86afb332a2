from __future__ import annotations

from pathlib import Path

import pytest
from tests.batch_sink import BatchSink, Counts
from tests.program import run

# The platform's clock is what jumps: by a day, forward and back, while events wait.
JUMPING = """
import sys, time

DAY_S = 24 * 3600
real, real_ns, ahead_s = time.time, time.time_ns, 0
time.time = lambda: real() + ahead_s
time.time_ns = lambda: real_ns() + ahead_s * 1_000_000_000

from clamp_analytics import flush
from tests.app import start, tell, track_many

start(sys.argv[1], sys.argv[2])
for number, ahead_s in enumerate((0, DAY_S, -DAY_S, 0)):
    assert track_many(f"event_{number}", 50) == 50
tell(is_whole=flush(30))
"""


@pytest.mark.parametrize("has_outbox", [False, True])
def test_a_clock_that_jumps_delays_and_loses_nothing(
    tmp_path: Path, has_outbox: bool
) -> None:
    outbox = str(tmp_path) if has_outbox else ""
    with BatchSink() as sink:
        (said,) = run(JUMPING, sink.endpoint, outbox)

    assert said == {
        "is_whole": True,
        "sent": 200,
        "waiting": 0,
        "dropped": {},
        "reported": {},
    }
    assert (sink.counts, sink.repeats) == (Counts(stored=200), 0)
    assert list(tmp_path.iterdir()) == []
