from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.scripted import (
    Scripted,
    answer,
    answer_half,
    read_head,
    read_request,
    reset,
    wait_for_close,
)
from tests.sink import Sink

from clamp_analytics._config import Config
from clamp_analytics._exchange import Answer
from clamp_analytics._transport import HttpTransport
from clamp_analytics._version import __version__
from clamp_analytics.errors import ClampConnectionError

# More than the socket buffers of both ends take: writing it blocks until the
# server reads, and fails when the server resets.
BIG = b'{"p":"' + b"x" * 16_000_000 + b'"}'

PROXY_VARIABLES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")

Open = Callable[..., HttpTransport]


@pytest.fixture(params=[False, True], ids=["foreground", "background"])
def transport_to(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    opened = []
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def open_one(endpoint: str, timeout_s: float = 5.0) -> HttpTransport:
        config = Config("proj_test", "sk_proj_secret", endpoint, timeout_s)
        opened.append(HttpTransport(config, in_background=request.param))
        return opened[-1]

    yield open_one
    for transport in opened:
        transport.retire()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_request_has_the_key_the_type_and_nothing_to_guess(
    sink: Sink, transport_to: Open
) -> None:
    transport_to(sink.endpoint).post("/e/s", b'{"name":"signup"}')

    (request,) = sink.requests
    assert (request.path, request.content) == ("/e/s", b'{"name":"signup"}')
    assert request.headers == {
        "host": sink.endpoint.removeprefix("http://"),
        "content-type": "application/json",
        "content-length": "17",
        "x-clamp-key": "sk_proj_secret",
        "user-agent": f"clamp-analytics-python/{__version__}",
    }


def test_an_endpoint_may_have_a_path(sink: Sink, transport_to: Open) -> None:
    transport_to(f"{sink.endpoint}/clamp").post("/e/s", b"{}")

    assert [request.path for request in sink.requests] == ["/clamp/e/s"]


def test_calls_one_after_the_other_share_a_connection(
    sink: Sink, transport_to: Open
) -> None:
    transport = transport_to(sink.endpoint)
    for _ in range(5):
        transport.post("/e/s", b"{}")

    assert [request.connection for request in sink.requests] == [1] * 5


def test_an_answer_that_is_not_2xx_does_not_cost_the_connection(
    sink: Sink, transport_to: Open
) -> None:
    transport = transport_to(sink.endpoint)
    sink.answer = (400, b'{"error":"bad"}', {})
    transport.post("/e/s", b"{}")
    sink.answer = (204, b"", {})
    transport.post("/e/s", b"{}")

    assert [request.connection for request in sink.requests] == [1, 1]


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 413, 429, 500, 503])
def test_any_answer_is_handed_back_and_the_request_never_repeated(
    sink: Sink, transport_to: Open, status: int
) -> None:
    why = b"" if status == 204 else b"why"
    sink.answer = (status, why, {"location": f"{sink.endpoint}/elsewhere"})

    answer = transport_to(sink.endpoint).post("/e/s", b"{}")

    assert (answer.status_code, answer.text) == (status, why.decode())
    assert [request.path for request in sink.requests] == ["/e/s"]


def test_an_answer_has_what_says_when_to_come_back(
    sink: Sink, transport_to: Open
) -> None:
    sink.answer = (429, b"slow down", {"retry-after": "7"})

    answer = transport_to(sink.endpoint).post("/e/s", b"{}")

    assert answer == Answer(429, "slow down", "7", answer.date)
    assert str(answer.date).endswith(" GMT")


def test_an_answer_without_those_headers_has_none(transport_to: Open) -> None:
    with Scripted([read_request, answer]) as server:
        bare = transport_to(server.endpoint).post("/e/s", b"{}")

    assert bare == Answer(200, '{"ok":true}', None, None)


def test_headers_of_one_request_go_with_that_one(
    sink: Sink, transport_to: Open
) -> None:
    transport = transport_to(sink.endpoint)
    transport.post("/e/s", b"{}", {"idempotency-key": "id_1"})
    transport.post("/e/s", b"{}")

    assert [
        (r.headers.get("idempotency-key"), r.headers["x-clamp-key"])
        for r in sink.requests
    ] == [("id_1", "sk_proj_secret"), (None, "sk_proj_secret")]


def test_a_body_can_be_sent_as_gzip(sink: Sink, transport_to: Open) -> None:
    body = b'{"name":"' + b"x" * 10_000 + b'"}'
    transport_to(sink.endpoint).post("/e/s/batch", body, compress=True)

    (request,) = sink.requests
    assert gzip.decompress(request.content) == body
    assert request.headers["content-encoding"] == "gzip"
    assert int(request.headers["content-length"]) == len(request.content) < 1_000


def test_an_answer_that_quotes_the_key_is_kept_without_it(
    sink: Sink, transport_to: Open
) -> None:
    sink.answer = (401, b"no such key: sk_proj_secret", {})

    answer = transport_to(sink.endpoint).post("/e/s", b"{}")

    assert (answer.status_code, answer.text) == (401, "no such key: ***")


@pytest.mark.parametrize("key", ["", "key", "test"])
def test_a_word_that_is_no_key_is_kept_in_an_answer(sink: Sink, key: str) -> None:
    sink.answer = (401, b"no key of a test", {})
    transport = HttpTransport(Config("proj_test", key, sink.endpoint, 5.0))

    assert transport.post("/e/s", b"{}").text == "no key of a test"
    transport.retire()


def test_cookies_are_forgotten(sink: Sink, transport_to: Open) -> None:
    sink.answer = (200, b"{}", {"set-cookie": "visitor=1; Max-Age=3600"})
    transport = transport_to(sink.endpoint)
    transport.post("/e/s", b"{}")
    transport.post("/e/s", b"{}")

    assert [request.headers.get("cookie") for request in sink.requests] == [None, None]


def test_nobody_listening_is_a_connection_error_with_its_cause(
    transport_to: Open,
) -> None:
    endpoint = f"http://127.0.0.1:{closed_port()}"

    with pytest.raises(ClampConnectionError) as caught:
        transport_to(endpoint).post("/e/s", b"{}")

    assert str(caught.value).startswith(f"no answer from {endpoint}: ConnectError: ")
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


@pytest.mark.parametrize(
    "endpoint",
    [
        "clamp.example",
        "ftp://x.example",
        "http://[::1",
        "http://[x",
        "http://x..example",
    ],
)
def test_an_endpoint_that_is_no_web_address_is_a_connection_error(
    transport_to: Open, endpoint: str
) -> None:
    with pytest.raises(ClampConnectionError, match="no answer from "):
        transport_to(endpoint).post("/e/s", b"{}")


def test_certificates_that_cannot_be_read_are_a_connection_error(
    transport_to: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(broken))

    with pytest.raises(ClampConnectionError, match="certificates cannot be read"):
        transport_to("https://x.example")


def test_a_server_that_hangs_is_a_connection_error(transport_to: Open) -> None:
    with Scripted([read_head, wait_for_close]) as server:
        with pytest.raises(ClampConnectionError, match="ReadTimeout") as caught:
            transport_to(server.endpoint, timeout_s=0.1).post("/e/s", b"{}")

        assert isinstance(caught.value.__cause__, httpx.ReadTimeout)


def test_a_server_that_stops_in_its_answer_is_a_connection_error(
    transport_to: Open,
) -> None:
    # Read whole: closing with a body unread is a reset, which is another case.
    with Scripted([read_request, answer_half]) as server:
        transport = transport_to(server.endpoint)
        with pytest.raises(ClampConnectionError, match="RemoteProtocolError"):
            transport.post("/e/s", b"{}")


def test_a_connection_that_was_closed_while_idle_is_replaced_unnoticed(
    transport_to: Open,
) -> None:
    closed = threading.Event()

    def close(server: Scripted, connection: socket.socket) -> None:
        connection.close()
        closed.set()

    with Scripted(
        [read_request, answer, close],
        [read_request, answer],
    ) as server:
        transport = transport_to(server.endpoint)
        transport.post("/e/s", b"1")
        assert closed.wait(timeout=30)
        transport.post("/e/s", b"2")

    assert server.bodies == [b"1", b"2"]


def test_a_kept_connection_that_dies_half_way_through_a_request_is_replaced(
    transport_to: Open,
) -> None:
    with Scripted(
        [read_request, answer, read_head, reset],
        [read_request, answer],
    ) as server:
        transport = transport_to(server.endpoint)
        transport.post("/e/s", b"{}")
        transport.post("/e/s", BIG)

    assert server.bodies == [b"{}", BIG]


def test_a_second_death_half_way_is_an_error(transport_to: Open) -> None:
    with Scripted(
        [read_request, answer, read_head, reset],
        [read_head, reset],
    ) as server:
        transport = transport_to(server.endpoint)
        transport.post("/e/s", b"{}")
        with pytest.raises(ClampConnectionError):
            transport.post("/e/s", BIG)


def test_a_new_connection_that_dies_half_way_is_an_error(transport_to: Open) -> None:
    with Scripted([read_head, reset]) as server:
        transport = transport_to(server.endpoint)
        with pytest.raises(ClampConnectionError):
            transport.post("/e/s", BIG)


def test_a_request_that_was_out_whole_is_never_sent_again(transport_to: Open) -> None:
    # The server has the event and may have counted it; only it can know.
    with Scripted([read_request, answer, read_request, reset]) as server:
        transport = transport_to(server.endpoint)
        transport.post("/e/s", b"1")
        with pytest.raises(ClampConnectionError):
            transport.post("/e/s", b"2")

    assert server.bodies == [b"1", b"2"]


def test_retiring_lets_a_call_that_is_under_way_finish(
    sink: Sink, transport_to: Open
) -> None:
    transport = transport_to(sink.endpoint)
    sink.may_answer.clear()
    call = threading.Thread(target=transport.post, args=("/e/s", b"{}"))
    call.start()
    assert sink.has_request.wait(timeout=30)
    transport.retire()
    sink.may_answer.set()
    call.join(timeout=30)

    assert [request.content for request in sink.requests] == [b"{}"]


def test_a_call_that_comes_after_retiring_has_its_own_connection(
    sink: Sink, transport_to: Open
) -> None:
    transport = transport_to(sink.endpoint)
    transport.post("/e/s", b"1")
    transport.retire()
    transport.post("/e/s", b"2")
    transport.post("/e/s", b"3")

    assert [request.connection for request in sink.requests] == [1, 2, 3]
