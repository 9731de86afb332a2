from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, Retries, SkipMessage
from tests.integrations.arrived import Arrived, arrived, wait_for
from tests.integrations.workers import Place
from tests.sink import Sink

from clamp_analytics import Clamp, context, init
from clamp_analytics.integrations.dramatiq import ClampMiddleware, track_actor

APP = "tests.integrations.dramatiq_app"
WORKER = ("dramatiq", APP, "--processes=1", "--threads=1")


def enqueue(place: Place, function: str) -> None:
    place.run(f"from {APP} import {function}; {function}()")


class SoldOutError(Exception):
    """As a shop knows it."""


def fail() -> None:
    raise SoldOutError("no stock")


def failure(message: str, task: str, attempts: int) -> Arrived:
    told = {
        "error.message": message,
        "error.type": "SoldOutError",
        "error.handled": False,
        "task": task,
        "task.attempts": attempts,
    }
    return Arrived("$error", "aid_1", "u_1", told)


def test_messages_have_the_visitor_of_who_sent_them_and_fail_once(
    place: Place, sink: Sink
) -> None:
    enqueue(place, "sell")
    with place.worker(*WORKER):
        wait_for(sink, 7)

    ids = ("aid_1", "u_1")
    assert sorted(arrived(sink), key=repr) == sorted(
        [
            Arrived("charged", *ids, {}),
            *[Arrived("tried", *ids, {})] * 3,
            failure("never any stock", "insist", 3),
            Arrived("bought", *ids, {"total": {"amount": 29, "currency": "USD"}}),
            Arrived("charged", None, None, {}),
        ],
        key=repr,
    )


@pytest.mark.parametrize("trouble", ["no server", "no key"])
def test_messages_are_processed_as_if_there_were_no_clamp(
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

    assert arrived(sink) == [Arrived("charged", None, None, {})]


class Refusing(Middleware):
    """Skips every message, as one that limits their age does."""

    def before_process_message(self, broker: Any, message: Any) -> None:
        raise SkipMessage


@pytest.fixture
def broker() -> Iterator[StubBroker]:
    """Dramatiq's broker in memory; a test adds what it needs besides."""
    made = StubBroker(middleware=[])
    yield made
    made.close()


def process(broker: StubBroker, actor: Any, *arguments: Any) -> None:
    """Send it a message, as a visitor's request does, and let a worker take it."""
    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=10)
    worker.start()
    try:
        with context("aid_1", "u_1"):
            actor.send(*arguments)
        broker.join(actor.queue_name, fail_fast=False)
        worker.join()
    finally:
        worker.stop()


def declared(broker: StubBroker, name: str, function: Any, **options: Any) -> Any:
    declare: Any = dramatiq.actor
    return declare(function, broker=broker, actor_name=name, **options)


def test_without_retries_the_first_failure_is_the_last(
    broker: StubBroker, sink: Sink, clamp: Clamp
) -> None:
    broker.add_middleware(ClampMiddleware(client=clamp))
    process(broker, declared(broker, "ship", fail))

    assert arrived(sink) == [failure("no stock", "ship", 1)]


def test_it_may_stand_before_the_retries_too(
    broker: StubBroker, sink: Sink, clamp: Clamp
) -> None:
    broker.add_middleware(ClampMiddleware(client=clamp))
    broker.add_middleware(Retries(max_retries=1, min_backoff=1, max_backoff=1))
    process(broker, declared(broker, "ship", fail))

    assert arrived(sink) == [failure("no stock", "ship", 2)]


def test_failures_can_be_left_to_others(
    broker: StubBroker, sink: Sink, clamp: Clamp
) -> None:
    broker.add_middleware(ClampMiddleware(client=clamp, capture_errors=False))
    process(broker, declared(broker, "ship", fail))

    assert sink.requests == []


@pytest.mark.parametrize("is_first", [True, False])
def test_a_skipped_message_is_no_failure(
    broker: StubBroker, sink: Sink, clamp: Clamp, is_first: bool
) -> None:
    ours = ClampMiddleware(client=clamp)
    for one in (Refusing(), ours) if is_first else (ours, Refusing()):
        broker.add_middleware(one)
    process(broker, declared(broker, "ship", fail))

    assert sink.requests == []


def test_an_expected_exception_is_no_failure(
    broker: StubBroker, sink: Sink, clamp: Clamp
) -> None:
    broker.add_middleware(Retries())
    broker.add_middleware(ClampMiddleware(client=clamp))
    process(broker, declared(broker, "ship", fail, throws=SoldOutError))

    assert sink.requests == []


def test_the_track_actor_checks_its_arguments_where_it_is_sent(
    broker: StubBroker,
) -> None:
    actor = track_actor(broker)

    with pytest.raises(ValueError, match="unsupported type"):
        actor.send("bought", {"items": ["coffee"]})


def test_the_track_actor_tries_again_while_the_server_is_away(
    broker: StubBroker, sink: Sink
) -> None:
    init("p", "k", sink.endpoint)
    broker.add_middleware(Retries(min_backoff=1, max_backoff=1))
    sink.answer = (503, b"", {})
    process(broker, track_actor(broker), "bought")

    assert len(sink.requests) == 11


def test_the_track_actor_gives_up_what_is_refused(
    broker: StubBroker, sink: Sink
) -> None:
    init("p", "k", sink.endpoint)
    broker.add_middleware(Retries(min_backoff=1, max_backoff=1))
    sink.answer = (401, b"", {})
    process(broker, track_actor(broker), "bought")

    assert len(sink.requests) == 1
