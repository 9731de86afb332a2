from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.integrations.arrived import Arrived, arrived
from tests.sink import Sink

import clamp_analytics
from clamp_analytics import track
from clamp_analytics.integrations.asgi import App, ClampMiddleware, Receive, Scope, Send

pytestmark = pytest.mark.usefixtures("new_process")

COOKIE = (b"cookie", b"theme=dark; clamp_aid=aid_1")


def middleware(app: App, sink: Sink, **options: Any) -> ClampMiddleware:
    return ClampMiddleware(app, "proj_1", "sk_1", sink.endpoint, **options)


def ask(
    app: App,
    headers: Iterable[tuple[bytes, bytes]] = (COOKIE,),
    kind: str = "http",
    **scope: Any,
) -> list[Any]:
    """What `app` sends for one request."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    whole = {"type": kind, "headers": list(headers), "path": "/a/1", **scope}
    if kind == "http":
        whole["method"] = "GET"
    run(app, whole, receive, send)
    return sent


def run(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    async def call() -> None:
        await app(scope, receive, send)

    asyncio.run(call())


def events() -> bool:
    """Whether all events were delivered."""
    return clamp_analytics.flush()


async def signing_up(scope: Scope, receive: Receive, send: Send) -> None:
    track("signup")
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await send({"type": "http.response.body", "body": b"b"})


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("no stock")


def test_an_event_of_the_application_is_the_visitors(sink: Sink) -> None:
    ask(middleware(signing_up, sink))

    assert events()
    assert arrived(sink) == [Arrived("signup", "aid_1", None, {})]


@pytest.mark.parametrize(
    ("headers", "anonymous_id"),
    [
        ([(b"x-clamp-anonymous-id", b"aid_2")], "aid_2"),
        ([(b"cookie", b"a=1"), COOKIE], "aid_1"),
        ([(b"cookie", b"clamp_aid=a\x01b")], None),
        ([(b"cookie", b"a=1"), (b"accept", b"*/*")], None),
        ([], None),
    ],
)
def test_the_id_is_in_a_cookie_or_the_header(
    sink: Sink, headers: list[tuple[bytes, bytes]], anonymous_id: str | None
) -> None:
    ask(middleware(signing_up, sink), headers)

    assert events()
    assert [event.anonymous_id for event in arrived(sink)] == [anonymous_id]


def test_the_applications_own_functions_read_the_ids(sink: Sink) -> None:
    app = middleware(
        signing_up,
        sink,
        anonymous_id=lambda scope: scope["path"],
        user_id=lambda scope: 42,
    )
    ask(app)

    assert events()
    assert arrived(sink) == [Arrived("signup", "/a/1", "42", {})]


def test_a_function_that_says_none_is_believed(sink: Sink) -> None:
    ask(middleware(signing_up, sink, anonymous_id=lambda scope: None))

    assert events()
    assert arrived(sink) == [Arrived("signup", None, None, {})]


def test_a_function_that_fails_costs_the_link_only(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    sent = ask(middleware(signing_up, sink, anonymous_id=lambda scope: scope["no"]))

    assert events()
    assert len(sent) == 3
    assert arrived(sink) == [Arrived("signup", None, None, {})]
    assert caplog.messages == ["KeyError: 'no'"]


def test_an_error_that_nothing_handles_is_captured_and_goes_on(sink: Sink) -> None:
    with pytest.raises(ValueError, match="no stock"):
        ask(middleware(failing, sink))

    assert events()
    assert arrived(sink) == [
        Arrived(
            "$error",
            "aid_1",
            None,
            {
                "error.message": "no stock",
                "error.type": "ValueError",
                "error.handled": False,
                "method": "GET",
                "status": 500,
            },
        )
    ]


def test_a_stream_that_breaks_has_the_status_that_was_sent(sink: Sink) -> None:
    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        ask(middleware(breaking, sink))

    assert events()
    assert arrived(sink)[0].properties["status"] == 200


def test_a_scope_that_is_odd_costs_the_event_only(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    async def odd(scope: Scope, receive: Receive, send: Send) -> None:
        scope["fastapi"] = None
        raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock"):
        ask(middleware(odd, sink, track_requests=True))

    assert len(caplog.messages) == 1


def test_errors_are_left_alone_where_that_is_said(sink: Sink) -> None:
    with pytest.raises(ValueError, match="no stock"):
        ask(middleware(failing, sink, capture_errors=False))

    assert events()
    assert arrived(sink) == []


def test_a_request_that_is_cancelled_is_no_error(sink: Sink) -> None:
    async def gone(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        ask(middleware(gone, sink))

    assert events()
    assert arrived(sink) == []


def test_each_request_can_be_an_event(sink: Sink) -> None:
    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = SimpleNamespace(path="/a/{id}")
        scope["endpoint"] = signing_up
        await signing_up(scope, receive, send)

    ask(middleware(routed, sink, track_requests=True))

    assert events()
    _, request = arrived(sink)
    assert isinstance(request.properties.pop("duration_ms"), int)
    assert request == Arrived(
        "request",
        "aid_1",
        None,
        {
            "route": "/a/{id}",
            "endpoint": "signing_up",
            "method": "GET",
            "status": 201,
        },
    )


def test_messages_pass_as_they_are(sink: Sink) -> None:
    assert ask(middleware(signing_up, sink)) == ask(signing_up)


def test_a_websocket_gets_the_servers_own_functions(sink: Sink) -> None:
    seen: list[object] = []

    async def talking(scope: Scope, receive: Receive, send: Send) -> None:
        track("talk")
        seen.extend([receive, send])

    async def receive() -> dict[str, Any]:
        raise AssertionError

    async def send(message: Any) -> None:
        raise AssertionError

    app = middleware(talking, sink)
    run(app, {"type": "websocket", "headers": [COOKIE]}, receive, send)

    assert events()
    assert seen == [receive, send]
    assert arrived(sink) == [Arrived("talk", "aid_1", None, {})]


def test_an_error_in_a_websocket_is_captured(sink: Sink) -> None:
    with pytest.raises(ValueError, match="no stock"):
        ask(middleware(failing, sink), kind="websocket")

    assert events()
    assert arrived(sink)[0].properties["status"] == 1011


def test_other_kinds_of_scope_are_not_looked_at(sink: Sink) -> None:
    seen: list[Scope] = []

    async def living(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(dict(scope))

    ask(middleware(living, sink), kind="lifespan")

    assert [sorted(scope) for scope in seen] == [["headers", "path", "type"]]


def test_a_client_that_is_given_sends(sink: Sink) -> None:
    with clamp_analytics.Clamp("proj_2", "sk_2", sink.endpoint) as client:
        app = ClampMiddleware(failing, client=client)
        with pytest.raises(ValueError, match="no stock"):
            ask(app)

    assert [body["p"] for body in sink.bodies] == ["proj_2"]


def test_without_a_key_the_application_answers_as_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent = ask(ClampMiddleware(signing_up))

    assert [message["type"] for message in sent] == [
        "http.response.start",
        "http.response.body",
        "http.response.body",
    ]
    assert [(record.name, record.levelno) for record in caplog.records] == [
        ("clamp_analytics", logging.WARNING)
    ]


def test_a_key_that_is_none_switches_off(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    app = ClampMiddleware(signing_up, "proj_1", "sk 1\n", sink.endpoint)

    assert len(ask(app)) == 3
    assert caplog.messages[0].startswith("Clamp is switched off: api_key has a space")


def test_a_server_that_hangs_makes_no_request_wait(sink: Sink) -> None:
    sink.may_answer.clear()

    assert len(ask(middleware(signing_up, sink))) == 3
    assert sink.has_request.wait(30)
    sink.may_answer.set()
    assert events()


@pytest.mark.parametrize(
    ("route", "scope", "template"),
    [
        ("/p/{i}", {"root_path": "/m/3"}, "/m/{q}/p/{i}"),
        ("/p/{i:int}", {"root_path": "/m/x"}, "/m/x/p/{i:int}"),
        ("/p", {"root_path": ""}, "/p"),
    ],
)
def test_a_mount_is_part_of_the_template(
    sink: Sink, route: str, scope: dict[str, str], template: str
) -> None:
    async def mounted(seen: Scope, receive: Receive, send: Send) -> None:
        seen.update(scope, path_params={"q": "3", "i": "1"})
        seen["route"] = SimpleNamespace(path=route)
        raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        ask(middleware(mounted, sink))

    assert events()
    assert arrived(sink)[0].properties["route"] == template
