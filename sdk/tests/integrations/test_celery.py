from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import celery
import pytest
from celery import signals
from tests.integrations.arrived import Arrived, arrived, wait_for
from tests.integrations.workers import LONGEST_S, Place
from tests.sink import Sink

from clamp_analytics import Clamp, ClampHTTPError, context, init
from clamp_analytics.integrations import celery as integration

APP = "tests.integrations.celery_app"
# Without what only several workers need, it starts a second earlier.
ALONE = ("--without-mingle", "--without-gossip", "--without-heartbeat")
WORKER = ("celery", "-A", APP, "worker", "-c", "1", "-l", "error", *ALONE)


class SoldOutError(Exception):
    """As a shop knows it."""


def fail() -> None:
    raise SoldOutError("no stock")


def enqueue(place: Place, function: str) -> None:
    place.run(f"from {APP} import {function}; {function}()")


def failure(message: str, task: str, attempts: int) -> Arrived:
    told = {
        "error.message": message,
        "error.type": "SoldOutError",
        "error.handled": False,
        "task": task,
        "task.attempts": attempts,
    }
    return Arrived("$error", "aid_1", "u_1", told)


def test_tasks_have_the_visitor_of_who_enqueued_them_and_fail_once(
    place: Place, sink: Sink
) -> None:
    enqueue(place, "sell")
    with place.worker(*WORKER):
        wait_for(sink, 8)

    ids = ("aid_1", "u_1")
    assert sorted(arrived(sink), key=repr) == sorted(
        [
            Arrived("charged", *ids, {}),
            failure("no stock", "ship", 1),
            Arrived("tried", *ids, {"attempt": 1}),
            Arrived("tried", *ids, {"attempt": 2}),
            Arrived("tried", *ids, {"attempt": 3}),
            failure("never any stock", "insist", 3),
            Arrived("bought", *ids, {"total": {"amount": 29, "currency": "USD"}}),
            Arrived("charged", None, None, {}),
        ],
        key=repr,
    )


def test_a_process_that_is_killed_under_a_task_is_a_failure(
    place: Place, sink: Sink
) -> None:
    enqueue(place, "lose_a_process")
    with place.worker(*WORKER):
        wait_for(sink, 1)

    (event,) = arrived(sink)
    assert "SIGKILL" in event.properties.pop("error.message")
    assert event == Arrived(
        "$error",
        None,
        None,
        {
            "error.type": "WorkerLostError",
            "error.handled": False,
            "task": "die",
            "task.attempts": 1,
        },
    )


@pytest.mark.parametrize("trouble", ["no server", "no key"])
def test_tasks_run_as_if_there_were_no_clamp(
    place: Place, sink: Sink, trouble: str
) -> None:
    if trouble == "no key":
        place = Place(place.redis_url, sink.endpoint, api_key=None)
    else:
        place = Place(place.redis_url, "http://127.0.0.1:9")
    enqueue(place, "work_without_clamp")
    with place.worker(*WORKER):
        assert place.noted() == b"done"

    assert sink.requests == []


def test_a_worker_that_ends_delivers_what_waits(
    place: Place, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEND", "at the end")
    enqueue(place, "work_without_clamp")
    with place.worker(*WORKER):
        place.noted()
        assert sink.requests == []

    names = [event.name for event in arrived(sink)]
    assert names == ["charged", "$error"]


def test_the_track_task_tries_again_when_the_server_is_away(
    place: Place, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEND", "at once")
    sink.answer = (503, b"", {})
    enqueue(place, "offload")
    with place.worker(*WORKER):
        assert sink.has_request.wait(LONGEST_S)
        sink.answer = (200, b"{}", {})
        wait_for(sink, 2)

    bodies = sink.bodies
    assert bodies == [bodies[0]] * 2
    assert bodies[0] == {
        "p": "proj_test",
        "name": "bought",
        "timestamp": "2026-03-10",
        "anonymousId": "aid_1",
        "userId": "u_1",
        "properties": {"plan": "pro", "total": {"amount": 29, "currency": "USD"}},
    }


def test_the_track_task_checks_its_arguments_where_it_is_called() -> None:
    with pytest.raises(ValueError, match="unsupported type"):
        integration.track.delay("bought", {"items": ["coffee"]})


@pytest.mark.parametrize("status", [401, 503])
def test_the_track_task_raises_what_no_worker_can_try_again(
    sink: Sink, status: int
) -> None:
    init("p", "k", sink.endpoint)
    sink.answer = (status, b"", {})

    with pytest.raises(ClampHTTPError):
        integration.track("bought")
    assert len(sink.requests) == 1


@pytest.fixture
def eager() -> Iterator[Any]:
    """An app whose tasks run at once, in this process."""
    app = celery.Celery("eager", set_as_current=False)
    app.conf.task_always_eager = True
    yield app
    for signal in (
        signals.before_task_publish,
        signals.task_prerun,
        signals.task_postrun,
        signals.task_failure,
        signals.worker_process_shutdown,
    ):
        signal.disconnect(dispatch_uid=integration.__name__)


def test_a_task_that_runs_in_its_caller_has_the_callers_context(
    eager: Any, sink: Sink, clamp: Clamp
) -> None:
    integration.install(client=clamp)
    ship = eager.task(name="ship")(fail)
    with context("aid_1", "u_1"):
        ship.delay()

    assert arrived(sink) == [failure("no stock", "ship", 1)]


def test_failures_can_be_left_to_others(eager: Any, sink: Sink, clamp: Clamp) -> None:
    integration.install(client=clamp, capture_errors=False)
    eager.task(name="ship")(fail).delay()

    assert sink.requests == []


def test_a_task_may_install_it(eager: Any, sink: Sink, clamp: Clamp) -> None:
    def install_and_fail() -> None:
        integration.install(client=clamp)
        fail()

    with context("aid_1", "u_1"):
        eager.task(name="ship")(install_and_fail).delay()

    assert arrived(sink) == [failure("no stock", "ship", 1)]
