from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
from tests.scripted import Scripted, answer, read_request, reset
from tests.sink import OK, Sink

from clamp_analytics import (
    AsyncClamp,
    ClampConnectionError,
    ClampError,
    ClampHTTPError,
    Stats,
    context,
)

AT = "2026-04-29T12:00:00Z"


def run(
    use: Callable[[AsyncClamp], Awaitable[None]], endpoint: str, **options: object
) -> None:
    """Use a client in an event loop of its own, and close it."""

    async def used() -> None:
        async with AsyncClamp(
            "proj_test",
            "sk_proj_secret",
            endpoint,
            **options,  # type: ignore[arg-type]  # each test passes what it names
        ) as clamp:
            await use(clamp)

    asyncio.run(used())


def test_track_posts_one_event_and_returns_true(sink: Sink) -> None:
    async def use(clamp: AsyncClamp) -> None:
        assert await clamp.track("signup", {"plan": "pro"}, "aid_1", AT) is True
        assert clamp.stats() == Stats(sent=1, waiting=0, dropped={})

    run(use, sink.endpoint)

    (request,) = sink.requests
    assert (request.path, request.headers["x-clamp-key"]) == ("/e/s", "sk_proj_secret")
    assert request.body == {
        "p": "proj_test",
        "name": "signup",
        "timestamp": AT,
        "anonymousId": "aid_1",
        "properties": {"plan": "pro"},
    }


def test_the_other_calls_send_what_those_of_clamp_send(sink: Sink) -> None:
    async def use(clamp: AsyncClamp) -> None:
        at = datetime(2026, 4, 29, 12, tzinfo=timezone.utc)
        await clamp.identify("user_1", {"plan": "pro"}, "aid_1", at)
        await clamp.revenue(
            29, "USD", plan="pro", user_id="user_1", timestamp=at, event_id="evt_1"
        )
        await clamp.capture_error(ValueError("no"), {"task": "x"}, timestamp=at)

    run(use, sink.endpoint)

    identified, paid, failed = sink.bodies
    assert identified == {
        "p": "proj_test",
        "name": "$identify",
        "timestamp": AT,
        "anonymousId": "aid_1",
        "userId": "user_1",
        "properties": {"plan": "pro"},
    }
    assert (paid["name"], paid["userId"], paid["properties"]["total"]) == (
        "$subscription_started",
        "user_1",
        {"amount": 29, "currency": "USD"},
    )
    assert sink.requests[1].headers["idempotency-key"] == "evt_1"
    assert failed["name"] == "$error"
    assert failed["properties"]["error.message"] == "no"
    assert failed["properties"]["task"] == "x"


def test_five_hundred_tasks_send_each_their_own(sink: Sink) -> None:
    async def visit(clamp: AsyncClamp, number: int) -> None:
        with context(user_id=f"user_{number}"):
            await clamp.track("visit", {"number": number})

    async def use(clamp: AsyncClamp) -> None:
        await asyncio.gather(*(visit(clamp, number) for number in range(500)))

    # A hundred at once come to a server of threads, on a machine that may be busy.
    run(use, sink.endpoint, timeout_s=60.0)

    sent = {(body["userId"], body["properties"]["number"]) for body in sink.bodies}
    assert len(sink.bodies) == 500
    assert sent == {(f"user_{number}", number) for number in range(500)}


def test_the_loop_goes_on_while_the_server_thinks(sink: Sink) -> None:
    sink.may_answer.clear()

    async def use(clamp: AsyncClamp) -> None:
        tracked = asyncio.create_task(clamp.track("signup"))
        # Only a loop that is not blocked gets to see the request and let it go.
        while not sink.has_request.is_set():
            await asyncio.sleep(0)
        sink.may_answer.set()
        assert await tracked is True

    run(use, sink.endpoint)


def test_an_answer_that_is_not_2xx_is_raised(sink: Sink) -> None:
    sink.answer = (401, b"sk_proj_secret is unknown", {})

    async def use(clamp: AsyncClamp) -> None:
        with pytest.raises(ClampHTTPError) as caught:
            await clamp.track("signup")
        assert (caught.value.status_code, caught.value.body) == (401, "*** is unknown")

    run(use, sink.endpoint)


def test_a_wrong_property_is_raised_before_anything_is_sent(sink: Sink) -> None:
    async def use(clamp: AsyncClamp) -> None:
        with pytest.raises(ValueError, match="unsupported type"):
            await clamp.track("signup", {"plan": ["pro"]})  # type: ignore[dict-item]  # the wrong type is the case

    run(use, sink.endpoint)

    assert sink.requests == []


def test_a_connection_that_was_closed_while_idle_is_replaced_unnoticed() -> None:
    closed = threading.Event()

    def close(server: Scripted, connection: socket.socket) -> None:
        connection.close()
        closed.set()

    async def use(clamp: AsyncClamp) -> None:
        await clamp.track("first")
        assert closed.wait(timeout=30)
        await clamp.track("second")

    with Scripted([read_request, answer, close], [read_request, answer]) as server:
        run(use, server.endpoint)

    assert len(server.bodies) == 2


def test_a_request_that_was_out_whole_is_never_sent_again() -> None:
    async def use(clamp: AsyncClamp) -> None:
        await clamp.track("first")
        with pytest.raises(ClampConnectionError):
            await clamp.track("second")

    with Scripted([read_request, answer, read_request, reset]) as server:
        run(use, server.endpoint)

    assert len(server.bodies) == 2


def test_one_client_serves_several_loops(sink: Sink) -> None:
    # So that no loop leaves one behind: only in the loop itself it can be closed.
    sink.answer = (200, OK, {"connection": "close"})
    clamp = AsyncClamp("proj_test", "sk_proj_secret", sink.endpoint)

    async def track_and_close() -> None:
        await clamp.track("signup")
        # Only this loop's connections: the client itself goes on.
        await clamp.close()

    async def track() -> None:
        await clamp.track("signup")

    asyncio.run(track())
    thread = threading.Thread(target=asyncio.run, args=(track(),))
    thread.start()
    thread.join(timeout=30)
    asyncio.run(track_and_close())

    assert len(sink.requests) == 3
    with pytest.raises(ClampError, match="closed"):
        asyncio.run(track())


def test_in_the_background_it_queues_flushes_and_closes(sink: Sink) -> None:
    async def use(clamp: AsyncClamp) -> None:
        assert await clamp.track("signup", timestamp=AT) is True
        assert await clamp.flush() is True
        assert clamp.stats() == Stats(sent=1, waiting=0, dropped={})
        await clamp.track("later", timestamp=AT)

    run(use, sink.endpoint, background=True)

    assert [request.path for request in sink.requests] == ["/e/s/batch"] * 2
    names = [event["name"] for body in sink.bodies for event in body["events"]]
    assert names == ["signup", "later"]


def test_an_outbox_asks_for_the_background(sink: Sink, tmp_path: Path) -> None:
    async def use(clamp: AsyncClamp) -> None:
        await clamp.track("signup")

    run(use, sink.endpoint, outbox=tmp_path / "outbox")

    assert [request.path for request in sink.requests] == ["/e/s/batch"]
    assert list((tmp_path / "outbox").iterdir()) == []


def test_without_background_there_is_nothing_to_flush(sink: Sink) -> None:
    async def use(clamp: AsyncClamp) -> None:
        assert await clamp.flush() is True

    run(use, sink.endpoint)


def test_switched_off_it_sends_nothing() -> None:
    async def use(clamp: AsyncClamp) -> None:
        assert await clamp.track("signup") is False
        assert repr(clamp) == "AsyncClamp(enabled=False)"

    async def used() -> None:
        async with AsyncClamp(enabled=False) as clamp:
            await use(clamp)

    asyncio.run(used())


def test_its_repr_has_no_key(sink: Sink) -> None:
    async def use(clamp: AsyncClamp) -> None:
        assert repr(clamp) == f"AsyncClamp('proj_test', endpoint='{sink.endpoint}')"

    run(use, sink.endpoint)
