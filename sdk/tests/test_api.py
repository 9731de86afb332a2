from __future__ import annotations

import inspect
import threading
from collections.abc import Callable

import pytest
from tests.recorder import Recorder
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import (
    BackgroundDelivery,
    Clamp,
    ClampError,
    ClampNotInitializedError,
    Stats,
    capture_error,
    close,
    flush,
    identify,
    init,
    revenue,
    stats,
    track,
)


def test_the_positional_order_is_that_of_0_2_0() -> None:
    def positional(function: Callable[..., object]) -> list[str]:
        parameters = inspect.signature(function).parameters.values()
        return [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]

    assert {f.__name__: positional(f) for f in (init, track, capture_error)} == {
        "init": ["project_id", "api_key", "endpoint"],
        "track": ["name", "properties", "anonymous_id", "timestamp"],
        "capture_error": ["exception", "context", "anonymous_id", "timestamp"],
    }


@pytest.mark.parametrize(
    "name",
    [
        *("track", "capture_error", "identify", "revenue"),
        *("flush", "close", "stats"),
    ],
)
def test_a_module_function_takes_what_the_method_takes(name: str) -> None:
    function = inspect.signature(getattr(clamp_analytics, name))
    method = inspect.signature(getattr(Clamp, name))

    assert list(function.parameters.values()) == list(method.parameters.values())[1:]


def test_init_takes_what_the_class_takes() -> None:
    assert inspect.signature(init).parameters == inspect.signature(Clamp).parameters


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: track("signup"), "call init() before track()"),
        (lambda: capture_error(ValueError()), "call init() before capture_error()"),
        (lambda: identify("u_1"), "call init() before identify()"),
        (lambda: revenue(29, plan="pro"), "call init() before revenue()"),
        (flush, "call init() before flush()"),
        (close, "call init() before close()"),
        (stats, "call init() before stats()"),
    ],
    ids=lambda value: value.split()[-1] if isinstance(value, str) else "",
)
def test_a_call_before_init_says_so(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ClampNotInitializedError) as caught:
        call()

    assert str(caught.value) == message


def test_both_calls_use_the_client_of_init(sink: Sink) -> None:
    init("proj_test", "sk_proj_secret", sink.endpoint)

    assert track("signup", {"plan": "pro"}, "aid_1", "2026-01-01", user_id="u") is True
    assert capture_error(ValueError(), {"a": 1}, "aid_1", "2026-01-01", user_id="u")

    assert [
        (b["name"], b["anonymousId"], b["timestamp"], b["userId"]) for b in sink.bodies
    ] == [
        ("signup", "aid_1", "2026-01-01", "u"),
        ("$error", "aid_1", "2026-01-01", "u"),
    ]
    assert {request.connection for request in sink.requests} == {1}


def test_an_error_that_nothing_caught_says_so(sink: Sink) -> None:
    init("proj_1", "sk_1", sink.endpoint)
    capture_error(ValueError(), handled=False)

    assert sink.bodies[0]["properties"]["error.handled"] is False


def test_identify_and_revenue_use_it_too(sink: Sink) -> None:
    init("proj_test", "sk_proj_secret", sink.endpoint)

    assert identify("u_1", {"plan": "pro"}, "aid_1", "2026-01-01") is True
    assert revenue(
        348,
        "EUR",
        event="subscription_upgraded",
        plan="pro",
        product="shop",
        billing="annual",
        previous_amount=240,
        mrr_delta=9,
        subscription_id="sub_1",
        user_id="u_1",
        anonymous_id="aid_1",
        timestamp="2026-01-01",
        event_id="evt_1",
    )

    assert sink.requests[1].headers["idempotency-key"] == "evt_1"
    everywhere = {
        "p": "proj_test",
        "timestamp": "2026-01-01",
        "anonymousId": "aid_1",
        "userId": "u_1",
    }
    assert sink.bodies == [
        {**everywhere, "name": "$identify", "properties": {"plan": "pro"}},
        {
            **everywhere,
            "name": "$subscription_upgraded",
            "properties": {
                "total": {"amount": 348, "currency": "EUR"},
                "billing_period": "annual",
                "plan": "pro",
                "product": "shop",
                "subscription_id": "sub_1",
                "mrr_delta": 9,
            },
        },
    ]


def test_init_hands_on_all_that_the_class_takes() -> None:
    transport = Recorder()
    told = []
    init(
        "proj_test",
        "sk_proj_secret",
        transport=transport,
        background=BackgroundDelivery(linger_s=3600, max_events=1),
        before_send=lambda event: None if event.name == "secret" else event,
        on_error=lambda error, events: told.append(events[0].name),
        default_properties={"app": "shop"},
    )
    taken = [track(name) for name in ("secret", "kept", "beyond")]
    waiting = stats()

    assert (taken, told) == ([False, True, False], ["beyond"])
    assert waiting == Stats(0, 1, {"before_send": 1, "queue_full": 1})
    assert [flush(30), flush(), close(30)] == [False, True, True]
    assert transport.posts[0].body["events"][0]["properties"] == {"app": "shop"}
    with pytest.raises(ClampError, match="this Clamp was closed"):
        track("late")


def test_init_can_switch_everything_off() -> None:
    init(enabled=False)

    assert [track("x"), flush(), stats()] == [False, True, Stats(0, 0, {})]


def test_init_again_still_delivers_what_waits(sink: Sink) -> None:
    how = BackgroundDelivery(linger_s=3600)
    init("proj_a", "key_a", sink.endpoint, background=how)
    track("x")
    init("proj_b", "key_b", sink.endpoint)
    track("y")
    assert sink.wait_for_requests(2)

    assert {(r.path, r.body["p"]) for r in sink.requests} == {
        ("/e/s/batch", "proj_a"),
        ("/e/s", "proj_b"),
    }


def test_init_without_arguments_reads_the_environment(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAMP_PROJECT_ID", "proj_env")
    monkeypatch.setenv("CLAMP_API_KEY", "sk_proj_env")
    monkeypatch.setenv("CLAMP_ENDPOINT", f"{sink.endpoint}/")
    init()
    track("signup")

    (request,) = sink.requests
    assert (request.path, request.body["p"]) == ("/e/s", "proj_env")


def test_init_without_anything_names_the_variables() -> None:
    with pytest.raises(ClampError, match="CLAMP_PROJECT_ID and CLAMP_API_KEY"):
        init()


def test_an_init_that_fails_leaves_the_client_before_it(sink: Sink) -> None:
    init("proj_test", "sk_proj_secret", sink.endpoint)
    with pytest.raises(ClampError):
        init("proj_test")

    assert track("signup") is True


def test_init_again_replaces_project_and_connection(sink: Sink) -> None:
    init("proj_a", "key_a", sink.endpoint)
    track("x")
    init("proj_b", "key_b", sink.endpoint)
    track("y")

    assert [(r.body["p"], r.connection) for r in sink.requests] == [
        ("proj_a", 1),
        ("proj_b", 2),
    ]


def test_init_again_lets_a_call_on_another_thread_finish(sink: Sink) -> None:
    answers: list[bool] = []
    init("proj_a", "key_a", sink.endpoint)
    sink.may_answer.clear()
    call = threading.Thread(target=lambda: answers.append(track("x")))
    call.start()
    assert sink.has_request.wait(timeout=30)
    init("proj_b", "key_b", sink.endpoint)
    sink.may_answer.set()
    call.join(timeout=30)

    assert answers == [True]
