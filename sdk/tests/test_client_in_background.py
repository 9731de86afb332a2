"""A client that was asked for background delivery: what arrives, and when."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
from tests.recorder import Recorder
from tests.sink import Sink

from clamp_analytics import (
    BackgroundDelivery,
    Clamp,
    ClampConnectionError,
    ClampError,
    Stats,
    _client,
    init,
    track,
)

ID_HEADER = "idempotency-key"


def test_in_the_background_events_arrive_as_a_batch(sink: Sink) -> None:
    how = BackgroundDelivery(linger_s=3600)
    at = "2026-04-29T12:00:00Z"
    with Clamp("proj_a", "sk_a", sink.endpoint, background=how) as client:
        assert client.track("x", {"plan": "pro"}, "aid_1", at, user_id="u_1") is True
        assert client.track("y", timestamp=at) is True
        assert sink.requests == []
        assert client.flush(30) is True
        assert client.stats() == Stats(2, 0, {})

    (request,) = sink.requests
    body = request.body
    ids = [event.pop("id") for event in body["events"]]
    assert (request.path, request.headers["x-clamp-key"]) == ("/e/s/batch", "sk_a")
    assert [len(one) for one in ids] == [32, 32]
    assert body == {
        "p": "proj_a",
        "events": [
            {
                "name": "x",
                "timestamp": at,
                "anonymousId": "aid_1",
                "userId": "u_1",
                "properties": {"plan": "pro"},
            },
            {"name": "y", "timestamp": at},
        ],
    }


def test_a_large_batch_is_compressed(sink: Sink) -> None:
    with Clamp("proj_a", "sk_a", sink.endpoint, background=True) as client:
        client.track("x", {"text": "x" * 5_000})

    (request,) = sink.requests
    assert request.headers["content-encoding"] == "gzip"
    assert len(request.content) < 1_000
    assert request.body["events"][0]["properties"] == {"text": "x" * 5_000}


def test_a_server_without_batches_gets_the_events_one_by_one(sink: Sink) -> None:
    sink.answers["/e/s/batch"] = (404, b"no such place", {})
    with Clamp("proj_a", "sk_a", sink.endpoint, background=True) as client:
        client.track("x", {"text": "x" * 5_000})
        assert client.flush(30) is True
        client.track("y")

    assert [
        (r.path, r.headers.get("content-encoding"), len(r.headers.get(ID_HEADER, "")))
        for r in sink.requests
    ] == [("/e/s/batch", "gzip", 0), ("/e/s", None, 34), ("/e/s", None, 34)]
    assert [body["name"] for body in sink.bodies[1:]] == ["x", "y"]


def test_in_the_background_a_closed_client_says_so_too(sink: Sink) -> None:
    client = Clamp("proj_a", "sk_a", sink.endpoint, background=True)
    client.track("x")

    assert client.close(30) is True
    with pytest.raises(ClampError, match="this Clamp was closed"):
        client.track("y")
    assert (client.close(), len(sink.requests)) == (True, 1)


def test_in_the_background_the_key_is_in_no_repr_and_no_log(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sink.answer = (401, b"unknown key sk_proj_secret", {})
    client = Clamp(
        "proj_a", "sk_proj_secret", sink.endpoint, background=True, debug=True
    )
    client.track("x")

    assert client.close(30) is False
    assert repr(client) == f"Clamp('proj_a', endpoint='{sink.endpoint}')"
    assert "answered 401: unknown key ***" in caplog.text
    assert "secret" not in repr(vars(client)) + caplog.text


def test_an_outbox_brings_to_the_next_client_what_the_last_one_left(
    sink: Sink, tmp_path: Path
) -> None:
    stuck = Recorder(ClampConnectionError("no answer"))
    with Clamp("proj_a", "sk_a", transport=stuck, outbox=tmp_path) as client:
        assert client.track("x") is True
        assert client.close(0) is False
    with Clamp("proj_a", "sk_a", sink.endpoint, outbox=tmp_path) as client:
        assert client.flush(30) is True
        assert client.stats() == Stats(1, 0, {})

    assert [[event["name"] for event in body["events"]] for body in sink.bodies] == [
        ["x"]
    ]


def test_the_reset_hook_ends_a_client_quietly(sink: Sink) -> None:
    before = set(threading.enumerate())
    init("proj_a", "sk_a", sink.endpoint, background=BackgroundDelivery(linger_s=3600))
    track("x")
    threads = [t for t in set(threading.enumerate()) - before if "clamp" in t.name]
    _client._reset_for_tests()
    for thread in threads:
        thread.join(timeout=30)

    assert [thread.is_alive() for thread in threads] == [False]
    assert [body["events"][0]["name"] for body in sink.bodies] == ["x"]
