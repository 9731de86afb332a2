from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.batch_sink import BatchSink, Counts
from tests.program import run

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="this system has no limit of a file's size"
)

# As on a full disk, a write that makes a file larger fails in the middle. Nothing
# leaves the outbox meanwhile: the first batch waits for more events than come.
FULL = """
import resource, sys
from clamp_analytics import flush
from tests.app import start, tell, track_many

start(sys.argv[1], sys.argv[2], linger_s=3600)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
tracked = track_many("event", 500)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
tracked += track_many("after", 50)
tell(tracked=tracked, is_whole=flush(30))
"""


def test_a_full_disk_refuses_events_tells_and_harms_none_that_it_took(
    tmp_path: Path,
) -> None:
    with BatchSink() as sink:
        (said,) = run(FULL, sink.endpoint, str(tmp_path))

    tracked, refused = said["tracked"], 550 - said["tracked"]
    assert 50 < tracked < 550
    assert said == {
        "tracked": tracked,
        "is_whole": False,
        "sent": tracked,
        "waiting": 0,
        "dropped": {"outbox_unwritable": refused},
        "reported": {"QueueFullError": refused},
    }
    assert (sink.counts, sink.repeats) == (Counts(stored=tracked), 0)
    assert list(tmp_path.iterdir()) == []
