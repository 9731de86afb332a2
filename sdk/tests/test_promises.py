"""What the page of version 0.2.0 promises, line by line.

Nothing here needs more than that version had: each test passes on it as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import (
    ClampError,
    ClampHTTPError,
    ClampNotInitializedError,
    Money,
    capture_error,
    init,
    track,
)
from clamp_analytics._client import _reset_for_tests


@pytest.fixture(autouse=True)
def reset_state() -> Iterator[None]:
    _reset_for_tests()
    yield
    _reset_for_tests()


@pytest.fixture
def started(sink: Sink) -> Sink:
    init(project_id="proj_xxx", api_key="sk_proj_xxx", endpoint=sink.endpoint)
    return sink


def sent(sink: Sink) -> dict[str, Any]:
    """The one body that arrived, without its timestamp."""
    (body,) = sink.bodies
    assert body.pop("timestamp")
    return dict(body)


def test_the_quick_start(started: Sink) -> None:
    track("signup", properties={"plan": "pro", "method": "email"})
    track(
        "subscription_started",
        anonymous_id="aid_xxx",
        properties={"plan": "pro", "total": Money(29.00, "USD")},
    )

    for body in started.bodies:
        assert body.pop("timestamp").endswith("Z")
    assert [request.path for request in started.requests] == ["/e/s", "/e/s"]
    assert {r.headers["x-clamp-key"] for r in started.requests} == {"sk_proj_xxx"}
    assert {r.headers["content-type"] for r in started.requests} == {"application/json"}
    assert [{**r.body, "timestamp": None} for r in started.requests] == [
        {
            "p": "proj_xxx",
            "name": "signup",
            "properties": {"plan": "pro", "method": "email"},
            "timestamp": None,
        },
        {
            "p": "proj_xxx",
            "name": "subscription_started",
            "anonymousId": "aid_xxx",
            "properties": {"plan": "pro", "total": {"amount": 29.0, "currency": "USD"}},
            "timestamp": None,
        },
    ]


def test_init_takes_its_three_arguments_by_position(sink: Sink) -> None:
    assert init("proj_xxx", "sk_proj_xxx", sink.endpoint) is None  # type: ignore[func-returns-value]  # what is tested
    assert track("signup") is True


def test_init_again_replaces_what_was_before(sink: Sink) -> None:
    init("proj_old", "sk_proj_old", sink.endpoint)
    init("proj_new", "sk_proj_new", sink.endpoint)
    track("signup")

    assert sent(sink) == {"p": "proj_new", "name": "signup"}


@pytest.mark.parametrize(
    "values",
    [{}, {"plan": "pro"}, {"n": 3}, {"share": 0.5}, {"yes": True, "no": False}],
    ids=repr,
)
def test_properties_are_text_numbers_and_booleans(
    started: Sink, values: dict[str, Any]
) -> None:
    assert track("feature_used", values) is True

    assert sent(started).get("properties", {}) == values


def test_several_amounts_go_with_one_event(started: Sink) -> None:
    track(
        "purchase",
        properties={
            "plan": "pro",
            "total": Money(29.00, "USD"),
            "tax": Money(4.35, "USD"),
        },
    )

    assert sent(started)["properties"] == {
        "plan": "pro",
        "total": {"amount": 29.0, "currency": "USD"},
        "tax": {"amount": 4.35, "currency": "USD"},
    }


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, None, object()], ids=repr)
def test_no_arrays_and_no_nesting(started: Sink, value: Any) -> None:
    with pytest.raises(ValueError, match="unsupported type"):
        track("event", {"extra": value})

    assert started.requests == []


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (datetime(2026, 4, 29, 12, tzinfo=timezone.utc), "2026-04-29T12:00:00Z"),
        (datetime(2026, 4, 29, 12), "2026-04-29T12:00:00Z"),  # noqa: DTZ001  # promised
        (
            datetime(2026, 4, 29, 12, tzinfo=timezone(timedelta(hours=-4))),
            "2026-04-29T12:00:00-04:00",
        ),
        ("2026-04-29T12:00:00Z", "2026-04-29T12:00:00Z"),
    ],
    ids=["aware", "naive", "offset", "text"],
)
def test_a_timestamp_is_a_datetime_or_text(
    started: Sink, timestamp: datetime | str, text: str
) -> None:
    track("signup", None, None, timestamp)

    assert started.bodies[0]["timestamp"] == text


def test_capture_error_sends_message_type_and_stack(started: Sink) -> None:
    try:
        raise ValueError("checkout failed: invalid plan")
    except ValueError as error:
        done = capture_error(error, context={"webhook": "stripe"})

    assert done is True
    body = sent(started)
    stack = body["properties"].pop("error.stack")
    assert body == {
        "p": "proj_xxx",
        "name": "$error",
        "properties": {
            "error.message": "checkout failed: invalid plan",
            "error.type": "ValueError",
            "error.handled": True,
            "webhook": "stripe",
        },
    }
    assert stack.startswith("Traceback (most recent call last):\n")
    assert stack.endswith("ValueError: checkout failed: invalid plan\n")


def test_capture_error_links_to_the_visitor_and_takes_a_time(started: Sink) -> None:
    capture_error(RuntimeError("oops"), None, "aid_xxx", "2026-04-29T12:00:00Z")

    (body,) = started.bodies
    assert (body["anonymousId"], body["timestamp"]) == (
        "aid_xxx",
        "2026-04-29T12:00:00Z",
    )


def test_the_key_handled_and_nested_context_are_ignored(started: Sink) -> None:
    context: Any = {"handled": False, "nested": {"a": 1}, "list": [1], "ok": True}
    capture_error(RuntimeError("oops"), context)

    properties = sent(started)["properties"]
    assert properties["error.handled"] is True
    assert {k: v for k, v in properties.items() if not k.startswith("error.")} == {
        "ok": True
    }


def test_the_lengths_of_an_error_are_capped(started: Sink) -> None:
    kind = type("E" * 200, (Exception,), {})
    capture_error(kind("m" * 20_000))

    properties = sent(started)["properties"]
    assert len(properties["error.message"]) == 1024
    assert len(properties["error.type"]) == 64
    assert len(properties["error.stack"]) <= 16_384


@pytest.mark.parametrize("call", [track, capture_error])
def test_a_call_before_init_raises(call: Any) -> None:
    with pytest.raises(ClampNotInitializedError):
        call(ValueError("x"))


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_an_answer_that_is_not_2xx_raises_and_is_not_repeated(
    started: Sink, status: int
) -> None:
    started.answer = (status, b"reason", {})

    with pytest.raises(ClampHTTPError) as caught:
        track("signup")

    assert (caught.value.status_code, caught.value.body) == (status, "reason")
    assert str(status) in str(caught.value)
    assert "reason" in str(caught.value)
    assert len(started.requests) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_success(started: Sink, status: int) -> None:
    started.answer = (status, b"", {})

    assert track("signup") is True


def test_one_except_clause_catches_what_the_sdk_raises() -> None:
    assert issubclass(ClampHTTPError, ClampError)
    assert issubclass(ClampNotInitializedError, ClampError)
    assert issubclass(ClampError, Exception)


def test_money_is_a_value() -> None:
    assert Money(29.00, "USD") == Money(amount=29.00, currency="USD")
    assert hash(Money(29.00, "USD")) == hash(Money(29.00, "USD"))
    assert Money(29.00, "USD").to_wire() == {"amount": 29.00, "currency": "USD"}


def test_the_package_says_its_names_and_version() -> None:
    assert {
        "ClampError",
        "ClampHTTPError",
        "ClampNotInitializedError",
        "Money",
        "capture_error",
        "init",
        "track",
    } <= set(clamp_analytics.__all__)
    assert clamp_analytics.__version__
