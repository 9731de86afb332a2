"""Which way a request takes, and that both ways end at the same answer."""

from __future__ import annotations

import gzip
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.scripted import CERTIFICATE, Scripted, Step, answer, over_tls, read_request
from tests.sink import OK, Sink

from clamp_analytics._config import Config
from clamp_analytics._exchange import Answer
from clamp_analytics._transport import HttpTransport
from clamp_analytics.errors import ClampConnectionError

# The first to import the SDK is a test whose tool has already replaced the sending.
PATCHED_FIRST = """
import sys
import httpx
sent = []
real = httpx.HTTPTransport.handle_request
def seen(self, request):
    sent.append(request.url.path)
    return httpx.Response(200, json={"ok": True})
seen.__module__ = "a_tool_for_tests"
httpx.HTTPTransport.handle_request = seen
from clamp_analytics import Clamp
clamp = Clamp("proj_test", "sk_proj_test", sys.argv[1], background=True)
clamp.track("signup")
clamp.close(30)
print(sent)
"""

Open = Callable[..., HttpTransport]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def background_to() -> Iterator[Open]:
    opened = []

    def open_one(endpoint: str) -> HttpTransport:
        config = Config("proj_test", "sk_proj_secret", endpoint, 5.0)
        opened.append(HttpTransport(config, in_background=True))
        return opened[-1]

    yield open_one
    for transport in opened:
        transport.retire()


def sent_by_httpx(caplog: pytest.LogCaptureFixture) -> int:
    """How many requests `httpx.Client` says that it sent."""
    return sum("HTTP Request: POST" in record.message for record in caplog.records)


def test_the_background_goes_past_the_client_and_the_foreground_through_it(
    sink: Sink, background_to: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "httpx")
    background_to(sink.endpoint).post("/e/s", b"{}")
    behind = sent_by_httpx(caplog)
    config = Config("proj_test", "sk_proj_secret", sink.endpoint, 5.0)
    foreground = HttpTransport(config)
    foreground.post("/e/s", b"{}")
    foreground.retire()

    assert (behind, sent_by_httpx(caplog)) == (0, 1)


def test_both_ways_send_the_same_bytes(sink: Sink, background_to: Open) -> None:
    foreground = HttpTransport(
        Config("proj_test", "sk_proj_secret", sink.endpoint, 5.0)
    )
    for transport in (foreground, background_to(sink.endpoint)):
        transport.post("/e/s", b'{"name":"signup"}', {"idempotency-key": "id_1"})
    foreground.retire()
    first, second = sink.requests

    assert first.headers == second.headers
    assert (first.path, first.content) == (second.path, second.content)


def test_a_proxy_gets_what_the_background_sends(
    sink: Sink, background_to: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", sink.endpoint)
    background_to("http://clamp.example").post("/e/s", b"{}")

    assert [request.path for request in sink.requests] == ["http://clamp.example/e/s"]


def test_a_password_in_the_address_is_sent_by_the_background(
    sink: Sink, background_to: Open
) -> None:
    endpoint = sink.endpoint.replace("http://", "http://me:hunter2@")
    background_to(endpoint).post("/e/s", b"{}")

    (request,) = sink.requests
    assert request.headers["authorization"] == "Basic bWU6aHVudGVyMg=="


def test_who_looks_into_the_client_sees_what_the_background_sends_meanwhile(
    sink: Sink, background_to: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = background_to(sink.endpoint)
    seen = []
    send = httpx.Client.send

    def send_seen(self: httpx.Client, request: httpx.Request, **rest: Any) -> Any:
        seen.append(request.content)
        return send(self, request, **rest)

    transport.post("/e/s", b"1")
    with monkeypatch.context() as patch:
        patch.setattr(httpx.Client, "send", send_seen)
        transport.post("/e/s", b"2")
    transport.post("/e/s", b"3")

    assert seen == [b"2"]
    assert [(one.content, one.connection) for one in sink.requests] == [
        (b"1", 1),
        (b"2", 2),
        (b"3", 3),
    ]


def test_who_looked_into_it_before_the_import_sees_it_too(sink: Sink) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PATCHED_FIRST, sink.endpoint],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )

    assert done.stdout == "['/e/s/batch']\n"
    assert sink.requests == []


def test_an_answer_that_a_proxy_compressed_is_read(
    sink: Sink, background_to: Open
) -> None:
    sink.answer = (200, gzip.compress(OK), {"content-encoding": "gzip"})

    answered = background_to(sink.endpoint).post("/e/s", b"{}")

    assert answered == Answer(200, OK.decode(), None, answered.date)


def test_an_answer_that_says_it_is_compressed_and_is_not_is_no_answer(
    sink: Sink, background_to: Open
) -> None:
    sink.answer = (200, OK, {"content-encoding": "gzip"})

    with pytest.raises(ClampConnectionError, match="DecodingError"):
        background_to(sink.endpoint).post("/e/s", b"{}")


def test_a_server_that_closes_behind_each_answer_gets_each_request_once(
    background_to: Open,
) -> None:
    def answer_and_close(server: Scripted, connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
        )

    closing: list[Step] = [read_request, answer_and_close]
    with Scripted(closing, closing, closing) as server:
        transport = background_to(server.endpoint)
        answers = [transport.post("/e/s", body).text for body in (b"1", b"2", b"3")]

    assert (answers, server.bodies) == (["{}"] * 3, [b"1", b"2", b"3"])


def test_after_a_failure_the_next_request_has_a_new_connection(
    background_to: Open,
) -> None:
    def break_off(server: Scripted, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")

    with Scripted([read_request, break_off], [read_request, answer]) as server:
        transport = background_to(server.endpoint)
        with pytest.raises(ClampConnectionError):
            transport.post("/e/s", b"1")
        again = transport.post("/e/s", b"2")

    assert (again, server.bodies) == (Answer(200, OK.decode()), [b"1", b"2"])


def test_the_background_trusts_whom_the_environment_trusts(
    background_to: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with Scripted([over_tls(read_request, answer)]) as server:
        endpoint = server.endpoint.replace("http://", "https://")
        answered = background_to(endpoint).post("/e/s", b"{}")

    assert answered == Answer(200, OK.decode())


def test_the_background_trusts_nobody_else(background_to: Open) -> None:
    with Scripted([over_tls(read_request, answer)]) as server:
        endpoint = server.endpoint.replace("http://", "https://")
        with pytest.raises(ClampConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
            background_to(endpoint).post("/e/s", b"{}")

    assert server.bodies == []
