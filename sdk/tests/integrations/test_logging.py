from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from tests.integrations.arrived import arrived
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import Clamp, Event
from clamp_analytics.integrations import _start
from clamp_analytics.integrations._captured import is_new
from clamp_analytics.integrations.logging import ClampHandler

pytestmark = pytest.mark.usefixtures("new_process")


@contextmanager
def handling(handler: logging.Handler) -> Iterator[logging.Logger]:
    """A logger of the application's, with the handler on the root as is usual."""
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield logging.getLogger("shop.orders")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def seen(sink: Sink) -> list[tuple[str, dict[str, Any]]]:
    return [(event.name, event.properties) for event in arrived(sink)]


def test_a_record_with_an_exception_is_a_handled_error(
    sink: Sink, clamp: Clamp
) -> None:
    with handling(ClampHandler(client=clamp)) as log:
        try:
            raise ValueError("sold out")
        except ValueError:
            log.exception("order %s failed", "of ada@example.com")

    assert seen(sink) == [
        (
            "$error",
            {
                "error.message": "sold out",
                "error.type": "ValueError",
                "error.handled": True,
                "log.logger": "shop.orders",
                "log.level": "ERROR",
                "log.message": "order %s failed",
            },
        )
    ]


def test_a_record_without_one_is_left_alone(sink: Sink, clamp: Clamp) -> None:
    with handling(ClampHandler(client=clamp)) as log:
        log.error("out of coffee")
        log.error("out of tea", exc_info=True)

    assert sink.requests == []


def test_a_record_without_one_can_become_an_event(sink: Sink, clamp: Clamp) -> None:
    with handling(ClampHandler(logging.INFO, event="log", client=clamp)) as log:
        log.debug("brewing")
        log.info("out of %s", "coffee")

    told = {
        "log.logger": "shop.orders",
        "log.level": "INFO",
        "log.message": "out of %s",
    }
    assert seen(sink) == [("log", told)]


def test_the_http_client_may_log_every_request(sink: Sink, clamp: Clamp) -> None:
    with handling(ClampHandler(logging.DEBUG, event="log", client=clamp)) as log:
        log.info("one")
        log.info("two")

    assert [told["log.message"] for _, told in seen(sink)] == ["one", "two"]


def test_what_is_logged_while_a_record_is_sent_is_not_sent(sink: Sink) -> None:
    log = logging.getLogger("shop.privacy")

    def scrub(event: Event) -> Event:
        log.error("scrubbing %s", event.name)
        return event

    clamp = Clamp("p", "k", sink.endpoint, before_send=scrub)
    with clamp, handling(ClampHandler(event="log", client=clamp)):
        log.error("one")

    assert [told["log.message"] for _, told in seen(sink)] == ["one"]


def test_what_on_error_logs_is_not_sent(sink: Sink) -> None:
    log = logging.getLogger("shop.analytics")
    lost: list[str] = []

    def on_error(error: Exception, events: Sequence[Event]) -> None:
        lost.extend(event.name for event in events)
        log.error("lost", exc_info=error)

    sink.answer = (401, b"", {})
    clamp = Clamp("p", "k", sink.endpoint, background=True, on_error=on_error)
    with clamp, handling(ClampHandler(event="log", client=clamp)):
        clamp.track("signup")
        clamp.flush()
        clamp.flush()

    assert lost == ["signup"]


def test_an_exception_that_an_integration_captured_is_not_sent_again(
    sink: Sink, clamp: Clamp
) -> None:
    error = ValueError("sold out")
    is_new(error)
    with handling(ClampHandler(client=clamp)) as log:
        log.error("task failed", exc_info=error)

    assert sink.requests == []


def test_options_start_the_client_with_the_first_record(sink: Sink) -> None:
    handler = ClampHandler(project_id="p", api_key="k", endpoint=sink.endpoint)
    assert not _start.has_client()
    with handling(handler) as log:
        log.error("failed", exc_info=ValueError("sold out"))
        log.error("failed", exc_info=ValueError("sold out again"))
    clamp_analytics.flush()

    messages = [event.properties["error.message"] for event in arrived(sink)]
    assert messages == ["sold out", "sold out again"]


def test_a_long_message_is_cut_to_what_the_server_takes(
    sink: Sink, clamp: Clamp
) -> None:
    with handling(ClampHandler(event="log", client=clamp)) as log:
        log.error("x" * 513)

    assert seen(sink)[0][1]["log.message"] == "x" * 512


def test_a_server_that_refuses_is_no_trouble_of_the_application(
    sink: Sink, clamp: Clamp
) -> None:
    sink.answer = (500, b"down", {})
    with handling(ClampHandler(event="log", client=clamp)) as log:
        log.error("out of coffee")

    assert len(sink.requests) == 1
