from __future__ import annotations

import asyncio
import importlib.metadata
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

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
    TrackedEvents,
    capture_events,
)

AT = "2026-01-01T00:00:00Z"


@pytest.fixture
def three() -> TrackedEvents:
    """A login without anything, and two signups."""
    events = TrackedEvents()
    events.add(Event("login", AT))
    events.add(Event("signup", AT, {"plan": "free"}, "aid_1"))
    events.add(Event("signup", AT, {"plan": "pro", "seats": 3}, None, "u_1"))
    return events


def complaint(check: Callable[..., object], *given: Any, **expected: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        check(*given, **expected)
    return str(caught.value)


THREE = """tracked were:
  login
  signup anonymous_id='aid_1' plan='free'
  signup user_id='u_1' plan='pro' seats=3"""


def test_events_are_a_sequence(three: TrackedEvents) -> None:
    assert (len(three), three[0], three[1:]) == (
        3,
        Event("login", AT),
        [
            Event("signup", AT, {"plan": "free"}, "aid_1"),
            Event("signup", AT, {"plan": "pro", "seats": 3}, None, "u_1"),
        ],
    )
    assert repr(three) == f"TrackedEvents({three[:]})"
    assert three.names() == ["login", "signup", "signup"]
    assert three.named("signup") == three[1:]


def test_an_event_is_kept_as_it_was() -> None:
    properties: dict[str, Any] = {"plan": "pro"}
    event = Event("signup", AT, properties)
    events = TrackedEvents()
    events.add(event)
    properties["plan"] = event.name = "changed"

    assert list(events) == [Event("signup", AT, {"plan": "pro"})]


def test_one_is_the_only_event_of_its_name(three: TrackedEvents) -> None:
    assert three.one("login") is three[0]
    assert complaint(three.one, "signup") == (
        f"2 events 'signup', where one was expected; {THREE}"
    )
    assert complaint(three.one, "logout") == (
        f"no event 'logout', where one was expected; {THREE}"
    )


def test_assert_tracked_gives_the_event_that_it_found(three: TrackedEvents) -> None:
    assert three.assert_tracked("signup") is three[1]
    assert three.assert_tracked("signup", plan="pro") is three[2]
    assert three.assert_tracked("signup", user_id="u_1", seats=3) is three[2]
    assert three.assert_tracked("signup", anonymous_id="aid_1") is three[1]


def test_assert_tracked_says_what_differs(three: TrackedEvents) -> None:
    assert complaint(three.assert_tracked, "signup", user_id="u_1", plan="team") == (
        "no event 'signup' with user_id='u_1', plan='team'; tracked were:\n"
        "  login\n"
        "  signup anonymous_id='aid_1' plan='free'"
        "  <- user_id is missing, plan is 'free'\n"
        "  signup user_id='u_1' plan='pro' seats=3  <- plan is 'pro'"
    )


def test_assert_tracked_lists_what_there_is(three: TrackedEvents) -> None:
    assert complaint(three.assert_tracked, "logout") == f"no event 'logout'; {THREE}"
    assert complaint(TrackedEvents().assert_tracked, "logout", a=1) == (
        "no event 'logout' with a=1; nothing was tracked"
    )


def test_assert_not_tracked_fails_on_what_is_there(three: TrackedEvents) -> None:
    three.assert_not_tracked("logout")
    three.assert_not_tracked("signup", plan="pro", anonymous_id="aid_1")

    assert complaint(three.assert_not_tracked, "signup", plan="pro") == (
        f"an event 'signup' with plan='pro', where none was expected; {THREE}"
    )


def test_assert_nothing_tracked_fails_on_anything(three: TrackedEvents) -> None:
    message = complaint(three.assert_nothing_tracked)
    three.clear()
    three.assert_nothing_tracked()

    assert message == f"no event was expected; {THREE}"


@pytest.mark.parametrize(
    ("there", "wanted", "is_same"),
    [
        (Money(Decimal("29.00"), "USD"), Money(29, "USD"), True),
        (Money(Decimal("29.90"), "USD"), Money(29.9, "USD"), True),
        (Money(29.9, "USD"), Money(Decimal("29.9"), "USD"), True),
        (Money(29, "USD"), Money(29, "EUR"), False),
        (Money(29, "USD"), Money(30, "USD"), False),
        (Money(29, "USD"), 29, False),
        (29, Money(29, "USD"), False),
        (3, 3.0, True),
        (3, "3", False),
        (True, True, True),
        (True, 1, False),
        (0, False, False),
    ],
)
def test_values_are_compared_as_the_server_takes_them(
    there: Any, wanted: Any, is_same: bool
) -> None:
    events = TrackedEvents()
    events.add(Event("x", AT, {"value": there}))

    if is_same:
        assert events.assert_tracked("x", value=wanted) is events[0]
    else:
        assert complaint(events.assert_tracked, "x", value=wanted).endswith(
            f"  <- value is {there!r}"
        )


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


def test_pytest_finds_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_app.py").write_text(
        """
from clamp_analytics import Money, track

def test_good(clamp_events):
    track("purchase", {"total": Money(29.0, "USD")})
    clamp_events.assert_tracked("purchase", total=Money(29, "USD"))

def test_each_test_begins_with_nothing(clamp_events):
    clamp_events.assert_nothing_tracked()

def test_bad(clamp_events):
    track("signup", {"plan": "free"})
    clamp_events.assert_tracked("signup", plan="pro")
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        # Warnings are errors: a plugin must not bring any.
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTEST_ADDOPTS": ""},
        text=True,
    )

    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert (
        "AssertionError: no event 'signup' with plan='pro'; tracked were:"
        in done.stdout
    )
    assert "signup plan='free'  <- plan is 'free'" in done.stdout


def test_the_fixture_is_registered(clamp_events: TrackedEvents) -> None:
    distribution = importlib.metadata.distribution("clamp-analytics")
    plugins = [e.value for e in distribution.entry_points if e.group == "pytest11"]
    track("signup")

    assert plugins == ["clamp_analytics._pytest_plugin"]
    assert clamp_events.names() == ["signup"]


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
