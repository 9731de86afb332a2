from __future__ import annotations

from pathlib import Path

from tests.batch_sink import BatchSink, Counts
from tests.program import Program, run

NOTHING_LOST: dict[str, object] = {"dropped": {}, "reported": {}}

GOING_ON = """
import sys
from clamp_analytics import flush
from tests.app import start, tell, track_many, trouble

start(sys.argv[1])
has_failed = trouble()
track_many("before", 50)
tell(is_whole=flush(30))
sys.stdin.readline()
tracked = track_many("during", 1000)
has_failed.wait(30)
tell(tracked=tracked)
tell(is_whole=flush(30))
"""


def test_a_thousand_events_of_an_outage_arrive_when_it_is_over() -> None:
    with BatchSink() as sink, Program(GOING_ON, sink.endpoint) as program:
        before = program.hear()
        sink.shut()
        program.tell("go on")
        during = program.hear()
        sink.open()
        after = program.hear()
        ended = program.end()

    assert before == {"is_whole": True, "sent": 50, "waiting": 0, **NOTHING_LOST}
    assert during == {"tracked": 1000, "sent": 50, "waiting": 1000, **NOTHING_LOST}
    assert after == {"is_whole": True, "sent": 1050, "waiting": 0, **NOTHING_LOST}
    assert (ended, sink.counts) == ((0, ""), Counts(stored=1050))


# Nobody listens to what it says of the outage in its log.
GIVING_UP = """
import logging, sys
from clamp_analytics import close
from tests.app import start, tell, track_many

logging.disable()
start(sys.argv[1], sys.argv[2])
tracked = track_many("during", 1000)
tell(tracked=tracked, is_whole=close(0))
"""

NEXT = """
import sys
from clamp_analytics import flush
from tests.app import start, tell

start(sys.argv[1], sys.argv[2])
tell(is_whole=flush(30))
"""


def test_an_outage_that_outlasts_the_process_loses_nothing_of_an_outbox(
    tmp_path: Path,
) -> None:
    with BatchSink() as sink:
        sink.shut()
        during = run(GIVING_UP, sink.endpoint, str(tmp_path))
        sink.open()
        after = run(NEXT, sink.endpoint, str(tmp_path))

    assert during == [
        {
            "tracked": 1000,
            "is_whole": False,
            "sent": 0,
            "waiting": 1000,
            **NOTHING_LOST,
        }
    ]
    assert after == [{"is_whole": True, "sent": 1000, "waiting": 0, **NOTHING_LOST}]
    assert sink.counts == Counts(stored=1000)
    assert list(tmp_path.iterdir()) == []
