"""A client whose calls wait: what is sent, and what they say of it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

import httpx
import pytest
from tests.recorder import OK, Recorder
from tests.sink import Sink

from clamp_analytics import (
    Clamp,
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    Event,
    Money,
    Stats,
    _client,
)
from clamp_analytics._exchange import Answer
from clamp_analytics._wire import Properties


def test_track_posts_one_event_and_returns_true(sink: Sink, clamp: Clamp) -> None:
    assert (
        clamp.track("signup", {"plan": "pro"}, "aid_1", "2026-04-29T12:00:00Z") is True
    )

    assert sink.bodies == [
        {
            "p": "proj_test",
            "name": "signup",
            "timestamp": "2026-04-29T12:00:00Z",
            "anonymousId": "aid_1",
            "properties": {"plan": "pro"},
        }
    ]


def test_track_takes_a_user_id(sink: Sink, clamp: Clamp) -> None:
    clamp.track("signup", timestamp="2026-04-29T12:00:00Z", user_id="user_1")

    assert sink.bodies == [
        {
            "p": "proj_test",
            "name": "signup",
            "timestamp": "2026-04-29T12:00:00Z",
            "userId": "user_1",
        }
    ]


def test_without_a_timestamp_it_is_now_in_utc(sink: Sink, clamp: Clamp) -> None:
    before = datetime.now(timezone.utc)  # noqa: TID251  # what is compared with
    clamp.track("signup")
    after = datetime.now(timezone.utc)  # noqa: TID251

    sent = sink.bodies[0]["timestamp"]
    assert sent.endswith("Z")
    assert before <= datetime.fromisoformat(sent.replace("Z", "+00:00")) <= after


def test_an_amount_reaches_the_server_digit_for_digit(sink: Sink, clamp: Clamp) -> None:
    from decimal import Decimal

    clamp.track("purchase", {"total": Money(Decimal("0.10"), "USD")})

    assert sink.requests[0].exact_body["properties"] == {
        "total": {"amount": "0.10", "currency": "USD"}
    }


def test_capture_error_posts_an_error_event(sink: Sink, clamp: Clamp) -> None:
    sent = clamp.capture_error(
        ValueError("invalid plan"),
        {"webhook": "stripe"},
        "aid_1",
        datetime(2026, 4, 29, 12, tzinfo=timezone(timedelta(hours=2))),
        user_id="user_1",
    )

    assert sent is True
    assert sink.bodies == [
        {
            "p": "proj_test",
            "name": "$error",
            "timestamp": "2026-04-29T12:00:00+02:00",
            "anonymousId": "aid_1",
            "userId": "user_1",
            "properties": {
                "error.message": "invalid plan",
                "error.type": "ValueError",
                "error.stack": "ValueError: invalid plan\n",
                "error.handled": True,
                "webhook": "stripe",
            },
        }
    ]


def test_a_wrong_argument_is_found_before_anything_is_sent(
    sink: Sink, clamp: Clamp
) -> None:
    wrong: Properties = {"items": [1, 2, 3]}  # type: ignore[dict-item]  # the case

    with pytest.raises(ValueError, match="unsupported type list"):
        clamp.track("signup", wrong)

    assert sink.requests == []


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 429, 500, 503])
@pytest.mark.parametrize(
    "call",
    [lambda c: c.track("x"), lambda c: c.capture_error(ValueError("x"))],
    ids=["track", "capture_error"],
)
def test_any_answer_but_2xx_is_an_error_and_never_repeated(
    sink: Sink, clamp: Clamp, call: Callable[[Clamp], bool], status: int
) -> None:
    sink.answer = (status, b"why", {"location": f"{sink.endpoint}/elsewhere"})

    with pytest.raises(ClampHTTPError) as caught:
        call(clamp)

    assert (caught.value.status_code, caught.value.body) == (status, "why")
    assert [request.path for request in sink.requests] == ["/e/s"]


def test_two_clients_send_for_two_projects(sink: Sink) -> None:
    with (
        Clamp("proj_a", "key_a", sink.endpoint) as a,
        Clamp("proj_b", "key_b", sink.endpoint) as b,
    ):
        a.track("x")
        b.track("y")
        a.track("z")

    assert [
        (r.body["p"], r.body["name"], r.headers["x-clamp-key"]) for r in sink.requests
    ] == [("proj_a", "x", "key_a"), ("proj_b", "y", "key_b"), ("proj_a", "z", "key_a")]


def test_a_client_reads_what_it_is_not_given_from_the_environment(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAMP_PROJECT_ID", "proj_env")
    monkeypatch.setenv("CLAMP_API_KEY", "sk_proj_env")
    monkeypatch.setenv("CLAMP_ENDPOINT", sink.endpoint)
    with Clamp() as client:
        client.track("signup")

    assert sink.bodies[0]["p"] == "proj_env"
    assert sink.requests[0].headers["x-clamp-key"] == "sk_proj_env"


def test_the_timeout_is_the_callers(sink: Sink) -> None:
    sink.may_answer.clear()
    with (
        Clamp("proj_a", "key_a", sink.endpoint, timeout_s=0.05) as client,
        pytest.raises(ClampError, match="ReadTimeout"),
    ):
        client.track("signup")


@pytest.mark.parametrize(
    "call",
    [lambda c: c.track("x"), lambda c: c.capture_error(ValueError("x"))],
    ids=["track", "capture_error"],
)
def test_a_closed_client_says_so(clamp: Clamp, call: Callable[[Clamp], bool]) -> None:
    clamp.close()

    with pytest.raises(ClampError, match="this Clamp was closed"):
        call(clamp)


def test_closing_twice_is_closing(sink: Sink, clamp: Clamp) -> None:
    clamp.track("x")
    clamp.close()
    clamp.close()

    assert len(sink.requests) == 1


def test_the_key_is_in_no_repr_and_no_error(sink: Sink) -> None:
    client = Clamp("proj_a", "sk_proj_secret", sink.endpoint)
    sink.answer = (401, b"unknown key sk_proj_secret", {})
    with client, pytest.raises(ClampHTTPError) as caught:
        client.track("x")

    assert repr(client) == f"Clamp('proj_a', endpoint='{sink.endpoint}')"
    assert "secret" not in repr(caught.value) + str(caught.value)
    assert "secret" not in repr(vars(client))


def test_identify_posts_the_traits_of_a_user(sink: Sink, clamp: Clamp) -> None:
    assert clamp.identify("u_1", {"plan": "pro"}, "aid_1", "2026-04-29T12:00:00Z")

    assert sink.bodies == [
        {
            "p": "proj_test",
            "name": "$identify",
            "timestamp": "2026-04-29T12:00:00Z",
            "anonymousId": "aid_1",
            "userId": "u_1",
            "properties": {"plan": "pro"},
        }
    ]


def test_revenue_posts_what_was_paid(sink: Sink, clamp: Clamp) -> None:
    assert clamp.revenue(
        29,
        "EUR",
        plan="pro",
        subscription_id="sub_1",
        user_id="u_1",
        anonymous_id="aid_1",
        timestamp="2026-04-29T12:00:00Z",
    )

    assert sink.bodies == [
        {
            "p": "proj_test",
            "name": "$subscription_started",
            "timestamp": "2026-04-29T12:00:00Z",
            "anonymousId": "aid_1",
            "userId": "u_1",
            "properties": {
                "total": {"amount": 29, "currency": "EUR"},
                "billing_period": "monthly",
                "plan": "pro",
                "subscription_id": "sub_1",
                "mrr_delta": 29.0,
            },
        }
    ]


@pytest.mark.parametrize("has_background", [False, True])
def test_an_id_of_the_applications_own_goes_along(
    sink: Sink, has_background: bool
) -> None:
    with Clamp("proj_a", "sk_a", sink.endpoint, background=has_background) as clamp:
        clamp.track("signup", event_id="evt_1")
        clamp.revenue(29, plan="pro", event_id="evt_2")

    if has_background:
        (request,) = sink.requests
        ids = [event["id"] for event in request.body["events"]]
    else:
        ids = [request.headers["idempotency-key"] for request in sink.requests]
    assert ids == ["evt_1", "evt_2"]


def test_an_event_without_such_an_id_is_posted_as_ever(
    sink: Sink, clamp: Clamp
) -> None:
    clamp.track("signup")

    assert "idempotency-key" not in sink.requests[0].headers


def test_a_call_that_waits_counts_what_arrived(sink: Sink, clamp: Clamp) -> None:
    clamp.track("x")
    sink.answer = (500, b"", {})
    with pytest.raises(ClampHTTPError):
        clamp.track("y")

    assert clamp.stats() == Stats(sent=1, waiting=0, dropped={})
    assert (clamp.flush(), clamp.close()) == (True, True)


def test_every_event_has_the_defaults_and_passes_the_hook(sink: Sink) -> None:
    def scrub(event: Event) -> Event | None:
        event.properties["seen"] = True
        return None if event.name == "secret" else event

    with Clamp(
        "proj_a",
        "key_a",
        sink.endpoint,
        default_properties={"app": "shop"},
        before_send=scrub,
    ) as client:
        assert [client.track("x", {"n": 1}), client.track("secret")] == [True, False]

    assert [body["properties"] for body in sink.bodies] == [
        {"app": "shop", "n": 1, "seen": True}
    ]


def test_a_transport_of_ones_own_carries_the_requests() -> None:
    transport = Recorder(OK, Answer(400, "why"), ClampConnectionError("no answer"))
    with Clamp("proj_a", "key_a", transport=transport) as client:
        assert client.track("x", timestamp="2026-04-29T12:00:00Z") is True
        with pytest.raises(ClampHTTPError, match="400: why"):
            client.track("y")
        with pytest.raises(ClampConnectionError, match="no answer"):
            client.track("z")

    assert [(p.path, p.names, p.headers) for p in transport.posts] == [
        ("/e/s", ["x"], None),
        ("/e/s", ["y"], None),
        ("/e/s", ["z"], None),
    ]
    assert transport.is_retired


def test_a_client_that_is_switched_off_needs_nothing_and_says_false() -> None:
    with Clamp(enabled=False, background=True) as client:
        assert client.track("x") is False
        assert client.capture_error(ValueError("x")) is False
        assert (client.flush(), client.stats()) == (True, Stats(0, 0, {}))

    assert repr(client) == "Clamp(enabled=False)"


def test_the_environment_switches_a_client_off(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAMP_DISABLED", "1")
    with Clamp("proj_a", "key_a", sink.endpoint) as client:
        assert client.track("x") is False

    assert sink.requests == []


def test_a_client_that_is_dropped_closes_its_connection(sink: Sink) -> None:
    # Otherwise Python warns of the socket, and a warning fails this test.
    client = Clamp("proj_a", "key_a", sink.endpoint)
    client.track("x")
    is_gone = weakref.ref(client)
    del client
    gc.collect()

    assert is_gone() is None


def test_what_0_2_0_had_in_this_module_can_be_imported_from_it() -> None:
    import clamp_analytics

    for name in (
        "ClampError",
        "ClampHTTPError",
        "ClampNotInitializedError",
        "Money",
        "capture_error",
        "init",
        "track",
    ):
        assert getattr(_client, name) is getattr(clamp_analytics, name)
    assert _client.DEFAULT_ENDPOINT == "https://api.clamp.sh"
    assert _client.Properties == Mapping[str, _client.PropertyValue]
    assert _client.httpx is httpx
    with pytest.raises(AttributeError, match="has no attribute 'requests'"):
        _ = _client.requests
