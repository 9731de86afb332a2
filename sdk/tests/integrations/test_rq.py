from __future__ import annotations

import pytest
from rq import Queue
from tests.integrations import rq_jobs
from tests.integrations.arrived import Arrived, arrived, wait_for
from tests.integrations.workers import Place
from tests.sink import Sink

from clamp_analytics import context, init
from clamp_analytics.integrations.rq import ClampJob, track

JOBS = "tests.integrations.rq_jobs"
JOB_CLASS = "clamp_analytics.integrations.rq.ClampJob"


def enqueue(place: Place, function: str) -> None:
    place.run(f"from {JOBS} import {function}; {function}()")


def worker(place: Place) -> tuple[str, ...]:
    return ("rq.cli", "worker", "--url", place.redis_url, "--job-class", JOB_CLASS)


def test_jobs_have_the_visitor_of_who_enqueued_them_and_fail_once(
    place: Place, sink: Sink
) -> None:
    enqueue(place, "sell")
    with place.worker(*worker(place)):
        wait_for(sink, 7)

    ids = ("aid_1", "u_1")
    told = {
        "error.message": "no stock",
        "error.type": "SoldOutError",
        "error.handled": False,
        "task": f"{JOBS}.ship",
    }
    assert sorted(arrived(sink), key=repr) == sorted(
        [
            Arrived("charged", *ids, {}),
            *[Arrived("shipping", *ids, {})] * 3,
            Arrived("$error", *ids, told),
            Arrived("bought", *ids, {"total": {"amount": 29, "currency": "USD"}}),
            Arrived("charged", None, None, {}),
        ],
        key=repr,
    )


@pytest.mark.parametrize("trouble", ["no server", "no key"])
def test_jobs_run_as_if_there_were_no_clamp(
    place: Place, sink: Sink, trouble: str
) -> None:
    if trouble == "no key":
        place = Place(place.redis_url, sink.endpoint, api_key=None)
    else:
        place = Place(place.redis_url, "http://127.0.0.1:9")
    enqueue(place, "work_without_clamp")
    with place.worker(*worker(place)):
        assert place.noted() == b"done"

    assert sink.requests == []


class QuietJob(ClampJob):
    capture_errors = False


def test_failures_can_be_left_to_others(
    place: Place, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", place.redis_url)
    init("p", "k", sink.endpoint)
    connection = rq_jobs.connection()
    # It runs its jobs here and at once.
    queue = Queue(connection=connection, job_class=QuietJob, is_async=False)
    with context("aid_1", "u_1"):
        queue.enqueue(rq_jobs.ship)
    connection.close()

    assert arrived(sink) == [Arrived("shipping", "aid_1", "u_1", {})]


def test_the_track_job_checks_its_arguments_where_it_is_enqueued(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", place.redis_url)
    queue = rq_jobs.queue()

    with pytest.raises(ValueError, match="unsupported type"):
        queue.enqueue(track, "bought", {"items": ["coffee"]})
    assert queue.job_ids == []
