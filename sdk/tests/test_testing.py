"""What `capture_events` and a `RecordingTransport` catch."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import (
    AsyncClamp,
    BackgroundDelivery,
    Clamp,
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
    Event,
    Money,
    capture_error,
    context,
    identify,
    init,
    revenue,
    track,
)
from clamp_analytics.testing import (
    Answer,
    RecordedRequest,
    RecordingTransport,
    capture_events,
)

AT = "2026-01-01T00:00:00Z"


def test_every_module_function_is_captured_without_init() -> None:
    with capture_events() as events, context(anonymous_id="aid_1"):
        assert track("signup", {"plan": "pro"}, timestamp=AT) is True
        identify("u_1", {"plan": "pro"})
        revenue(29, plan="pro")
        capture_error(ValueError("no such plan"))

    assert events.names() == ["signup", "$identify", "$subscription_started", "$error"]
    assert events.one("signup") == Event("signup", AT, {"plan": "pro"}, "aid_1")
    events.assert_tracked("$identify", user_id="u_1", plan="pro")
    events.assert_tracked("$subscription_started", total=Money(29, "USD"))
    events.assert_tracked("$error", **{"error.message": "no such plan"})


def test_after_the_block_all_is_as_before(sink: Sink) -> None:
    init("proj_test", "sk_proj_secret", sink.endpoint)
    with capture_events():
        track("captured")
        init("proj_other", "sk_proj_other", sink.endpoint)
        track("captured")
    track("sent")

    assert [(body["p"], body["name"]) for body in sink.bodies] == [
        ("proj_test", "sent")
    ]


def test_without_an_init_before_the_block_there_is_none_after_it() -> None:
    with capture_events():
        init("proj_test", "sk_proj_secret")
    with pytest.raises(ClampNotInitializedError):
        track("signup")


def test_a_block_that_raises_ends_too() -> None:
    with pytest.raises(KeyError), capture_events():
        raise KeyError
    with pytest.raises(ClampNotInitializedError):
        track("signup")


def test_a_client_of_before_is_captured(sink: Sink) -> None:
    with Clamp("proj_test", "sk_proj_secret", sink.endpoint) as clamp:
        with capture_events() as events:
            clamp.track("captured")
        clamp.track("sent")

    assert events.names() == ["captured"]
    assert [body["name"] for body in sink.bodies] == ["sent"]


def test_background_delivery_is_captured_at_once(sink: Sink, tmp_path: Path) -> None:
    before = Clamp("proj_test", "sk_proj_secret", sink.endpoint, background=True)
    with capture_events() as events:
        before.track("one")
        init(background=True)
        track("two")
        here = [*events.names()]
        with Clamp(background=BackgroundDelivery(outbox=tmp_path / "outbox")) as inside:
            inside.track("three")

    assert (here, events.names()) == (["one", "two"], ["one", "two", "three"])
    assert before.close() is True
    assert (sink.requests, list(tmp_path.iterdir())) == ([], [])


def test_a_client_of_the_block_never_sends() -> None:
    with capture_events() as events:
        clamp = Clamp()
        assert clamp.track("captured") is True

    assert clamp.track("later") is False
    assert events.names() == ["captured"]


def test_an_async_client_is_captured() -> None:
    async def work() -> bool:
        async with AsyncClamp() as clamp:
            return await clamp.track("signup", user_id="u_1")

    with capture_events() as events:
        assert asyncio.run(work()) is True

    events.assert_tracked("signup", user_id="u_1")


def test_other_threads_are_captured() -> None:
    with capture_events() as events:
        threads = [threading.Thread(target=track, args=("x",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)

    assert events.names() == ["x"] * 8


def test_a_block_in_a_block_has_the_events_for_itself() -> None:
    with capture_events() as outer:
        track("one")
        with capture_events() as inner:
            track("two")
        track("three")

    assert (outer.names(), inner.names()) == (["one", "three"], ["two"])


def test_a_client_that_is_switched_off_is_captured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLAMP_DISABLED", "1")
    off = Clamp(enabled=False)
    with capture_events() as events:
        assert (track("one"), off.track("two")) == (True, True)

    assert events.names() == ["one", "two"]


def test_hooks_and_checks_are_as_ever() -> None:
    def scrub(event: Event) -> Event | None:
        event.properties.pop("email", None)
        return None if event.name == "secret" else event

    with capture_events() as events:
        init(before_send=scrub, default_properties={"region": "eu"})
        assert track("signup", {"email": "a@b.example", "plan": "pro"}) is True
        assert track("secret") is False
        with pytest.raises(ValueError, match="unsupported type"):
            track("signup", {"plan": None})  # type: ignore[dict-item]
        with Clamp() as closed:
            pass
        with pytest.raises(ClampError, match="closed"):
            closed.track("late")

    assert [event.properties for event in events] == [{"region": "eu", "plan": "pro"}]


def test_capturing_needs_no_network_library() -> None:
    code = """
import sys
import clamp_analytics._pytest_plugin
assert "clamp_analytics.testing" not in sys.modules
from clamp_analytics.testing import capture_events
from clamp_analytics import track
with capture_events() as events:
    track("signup")
events.assert_tracked("signup")
assert "httpx" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_recording_transport_has_requests_and_events() -> None:
    transport = RecordingTransport()
    with Clamp("proj_test", "sk_proj_secret", transport=transport) as clamp:
        total = Money(Decimal("29.90"), "USD")
        clamp.track("purchase", {"total": total}, "aid_1", AT, user_id="u_1")

    body = (
        b'{"p":"proj_test","name":"purchase","timestamp":"2026-01-01T00:00:00Z",'
        b'"anonymousId":"aid_1","userId":"u_1","properties":'
        b'{"total":{"amount":29.90,"currency":"USD"}}}'
    )
    assert transport.requests == [RecordedRequest("/e/s", body, {})]
    event = transport.events.assert_tracked("purchase", total=Money(29.9, "USD"))
    assert (event.anonymous_id, event.user_id, event.timestamp) == ("aid_1", "u_1", AT)


def test_a_recording_transport_takes_batches() -> None:
    transport = RecordingTransport()
    with Clamp(
        "proj_test", "sk_proj_secret", background=True, transport=transport
    ) as clamp:
        clamp.track("one")
        clamp.track("two", {"plan": "pro"})
        assert clamp.flush() is True

    assert {request.path for request in transport.requests} == {"/e/s/batch"}
    assert transport.events.names() == ["one", "two"]


def test_a_recording_transport_replies_as_told() -> None:
    transport = RecordingTransport(
        Answer(503, "full"), ClampConnectionError("no answer"), Answer(200, "{}")
    )
    with Clamp("proj_test", "sk_proj_secret", transport=transport) as clamp:
        with pytest.raises(ClampHTTPError, match="503: full"):
            clamp.track("one")
        with pytest.raises(ClampConnectionError, match="no answer"):
            clamp.track("two")
        assert (clamp.track("three"), clamp.track("four")) == (True, True)

    assert transport.events.names() == ["three", "four"]
    assert len(transport.requests) == 4


def test_the_public_names_have_words() -> None:
    for name in clamp_analytics.testing.__all__:
        assert getattr(clamp_analytics.testing, name).__doc__, name
