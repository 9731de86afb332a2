from __future__ import annotations

import logging

import pytest
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import BackgroundDelivery
from clamp_analytics.integrations._start import failure_of_start, has_client, start

pytestmark = pytest.mark.usefixtures("new_process")


MISSING_KEY = "missing api_key: pass it, or set CLAMP_API_KEY in the environment"


def options(sink: Sink) -> dict[str, object]:
    return {"project_id": "p", "api_key": "k", "endpoint": sink.endpoint}


def test_delivery_is_in_the_background(sink: Sink) -> None:
    sink.may_answer.clear()
    start(options(sink))

    assert clamp_analytics.track("signup") is True
    sink.may_answer.set()
    assert clamp_analytics.flush() is True
    assert len(sink.requests) == 1


def test_how_it_is_delivered_can_be_said(sink: Sink) -> None:
    sink.may_answer.clear()
    start({**options(sink), "background": BackgroundDelivery(max_events=1)})

    assert [clamp_analytics.track("a"), clamp_analytics.track("b")] == [True, False]
    sink.may_answer.set()


def test_a_missing_key_is_one_warning_and_an_off_switch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    start({"project_id": "p"})
    start({"project_id": "p"})

    assert clamp_analytics.track("signup") is False
    assert caplog.record_tuples == [
        (
            "clamp_analytics",
            logging.WARNING,
            f"Clamp is switched off: {MISSING_KEY}",
        )
    ]
    assert failure_of_start() == MISSING_KEY


def test_a_client_that_the_application_made_stays() -> None:
    clamp_analytics.init(enabled=False)
    start({})

    assert clamp_analytics.track("signup") is False


def test_other_options_make_another_client(sink: Sink) -> None:
    start({"enabled": False})
    start(options(sink))

    assert clamp_analytics.track("signup") is True
    assert clamp_analytics.flush() is True


def test_the_same_options_keep_the_client(sink: Sink) -> None:
    start(options(sink))
    clamp_analytics.track("signup")
    clamp_analytics.flush()
    start(options(sink))

    assert clamp_analytics.stats().sent == 1


def test_a_client_that_is_gone_is_made_again() -> None:
    start({"enabled": False})
    clamp_analytics._client._reset_for_tests()
    start({"enabled": False})

    assert has_client()
