"""HTTP from raw sockets: what is bounded, and how it is refused."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from clamp_server.cli.http_server import MAX_HEAD_BYTES, HttpServer

WAIT_S = 30.0
STALLED = {
    "error": "request_timeout",
    "message": "request: got a part of it; 0.3 s are allowed",
}


async def echo(request: Request) -> Response:
    try:
        return Response(await request.body())
    except ClientDisconnect:
        return Response(status_code=499)


async def half(_: Request) -> Response:
    """Begin to answer without having read the body, and go on for ever."""

    async def parts() -> Any:
        yield b"begun"
        await asyncio.Event().wait()

    return StreamingResponse(parts())


APP = Starlette(
    routes=[
        Route("/echo", echo, methods=["POST"]),
        Route("/half", half, methods=["POST"]),
    ]
)


@contextmanager
def listening(max_arrival_s: float = WAIT_S) -> Iterator[tuple[str, int]]:
    """Run a server in a thread of this process."""
    listener = socket.create_server(("127.0.0.1", 0))
    address: tuple[str, int] = listener.getsockname()
    has_started, was_stopped = Event(), Event()
    server = HttpServer(
        APP,
        started=has_started.set,
        stopping=was_stopped.set,
        max_arrival_s=max_arrival_s,
    )
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert has_started.wait(WAIT_S)
        yield address
    finally:
        server.should_exit = True
        thread.join()
        assert was_stopped.is_set()


def exchanged(address: tuple[str, int], *parts: bytes) -> tuple[bytes, Any]:
    """Send bytes, and return the status line and the body of what comes back."""
    received = b""
    with socket.create_connection(address, WAIT_S) as plug, suppress(ConnectionError):
        for part in parts:
            plug.sendall(part)
        while chunk := plug.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    is_json = b"content-type: application/json" in head
    return head.partition(b"\r\n")[0], json.loads(body) if is_json else body


def request(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: clamp", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_a_request_is_answered() -> None:
    with listening() as address:
        sent = request("/echo", b"abc", "content-length: 3", "connection: close")

        assert exchanged(address, sent) == (b"HTTP/1.1 200 OK", b"abc")


def test_what_does_not_arrive_in_time_is_refused() -> None:
    stalled = [
        b"",
        b"POST /ec",
        request("/echo", b"", "content-length: 3"),
        request("/echo", b"a", "content-length: 3"),
    ]
    with listening(max_arrival_s=0.3) as address:
        answers = [exchanged(address, sent) for sent in stalled]

    assert answers == [(b"HTTP/1.1 408 Request Timeout", STALLED)] * 4


def test_a_second_request_has_to_arrive_in_time_too() -> None:
    with (
        listening(max_arrival_s=0.3) as address,
        socket.create_connection(address, WAIT_S) as plug,
    ):
        plug.sendall(request("/echo", b"abc", "content-length: 3"))
        first = plug.recv(65_536)
        plug.sendall(b"POST /echo HTTP/1.1\r\n")
        second = plug.recv(65_536)

    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_an_answer_that_has_begun_is_cut_off_and_not_added_to() -> None:
    sent = request("/half", b"a", "content-length: 3")
    with listening(max_arrival_s=0.3) as address:
        assert exchanged(address, sent) == (b"HTTP/1.1 200 OK", b"5\r\nbegun\r\n")


def test_an_answer_may_take_longer_than_a_request() -> None:
    sent = request("/echo", b"abc", "content-length: 3")
    with (
        listening(max_arrival_s=0.3) as address,
        socket.create_connection(address, WAIT_S) as plug,
    ):
        plug.sendall(sent)
        first = plug.recv(65_536)
        # Idle between requests, for longer than one may take to arrive.
        Event().wait(1.0)
        plug.sendall(sent)
        second = plug.recv(65_536)

    # They differ in their dates.
    for answer in (first, second):
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nabc")


def test_headers_are_bounded() -> None:
    long = request("/echo", b"", f"x-long: {'x' * MAX_HEAD_BYTES}")[:-4]
    many = request("/echo", b"", *["x: y"] * (MAX_HEAD_BYTES // 6 + 1))[:-4]
    with listening() as address:
        answers = [exchanged(address, sent) for sent in (long, many)]

    refused = {
        "error": "headers_too_large",
        "message": "headers: at most 65536 bytes are allowed",
    }
    assert answers == [(b"HTTP/1.1 431 Request Header Fields Too Large", refused)] * 2


def test_headers_up_to_the_bound_are_taken() -> None:
    headers = ["content-length: 3", "connection: close", f"x-long: {'x' * 60_000}"]
    with listening() as address:
        sent = request("/echo", b"abc", *headers)

        assert exchanged(address, sent[:50_000], sent[50_000:])[1] == b"abc"


def test_what_is_no_http_is_refused() -> None:
    with listening() as address:
        answer = exchanged(address, b"\x16\x03\x01 hello\r\n\r\n")

    assert answer == (
        b"HTTP/1.1 400 Bad Request",
        {
            "error": "malformed_request",
            "message": "request: got what is no HTTP; check its request line, its"
            " headers and their content-length",
        },
    )
