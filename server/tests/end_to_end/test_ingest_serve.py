"""`clamp serve` as an operator meets it, and as rude clients do."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.end_to_end.serving import Place, Server, asked, made_place, serving, started

ASK_S = 30.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return made_place(tmp_path_factory.mktemp("serve") / "data")


@pytest.fixture(scope="module")
def server(place: Place) -> Iterator[Server]:
    with serving(place) as running:
        yield running


def said(*arguments: str) -> tuple[int, str]:
    """Run `clamp serve` that cannot start; return its code and last line."""
    process = started(*arguments)
    _, err = process.communicate(timeout=ASK_S)
    return process.returncode, err.splitlines()[-1]


def exchanged(server: Server, *parts: bytes) -> bytes:
    """Send raw bytes, and return all that comes back before the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), ASK_S) as plug:
        received = b""
        # A server that hangs up in the middle has said why before.
        with suppress(ConnectionError):
            for part in parts:
                plug.sendall(part)
        with suppress(ConnectionError):
            while chunk := plug.recv(65_536):
                received += chunk
        return received


def request(server: Server, body: bytes, *headers: str) -> bytes:
    lines = [
        "POST /e/s HTTP/1.1",
        "host: clamp",
        "content-type: application/json",
        f"x-clamp-key: {server.place.api_key}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def event(server: Server) -> bytes:
    return json.dumps({"p": server.place.project_id, "name": "a"}).encode()


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


def test_a_server_says_where_it_listens_and_how_to_sign_in(tmp_path: Path) -> None:
    place = made_place(tmp_path / "data")
    with serving(place, "--public-url", "https://clamp.example/") as server:
        assert server.process.stdout is not None
        link = server.process.stdout.readline()
        health = server.ask("GET", "/healthz")
        code, err = server.end()

    assert link.startswith("Sign in once: https://clamp.example/sign-in/link?token=")
    assert (health.status, health.body) == (200, {"status": "ok"})
    lines = [json.loads(line) for line in err.splitlines()]
    assert code == 0
    assert [(line["event"], line["level"]) for line in lines] == [
        ("started", "info"),
        ("stopped", "info"),
    ]


def test_a_page_that_is_open_does_not_hold_up_the_end(tmp_path: Path) -> None:
    place = made_place(tmp_path / "data")
    with serving(place) as server, closing(server.connection()) as browser:
        assert server.process.stdout is not None
        token = server.process.stdout.readline().strip().partition("token=")[2]
        form = {"content-type": "application/x-www-form-urlencoded"}
        here = {"origin": f"http://127.0.0.1:{server.port}"}
        browser.request("POST", "/sign-in/link", f"token={token}", form | here)
        signed_in = browser.getresponse()
        signed_in.read()
        cookie = (signed_in.headers["set-cookie"] or "").partition(";")[0]
        browser.request(
            "GET",
            f"/p/{place.project_id}/stream",
            headers={"cookie": cookie, "accept": "text/event-stream"},
        )
        stream = browser.getresponse()
        code, err = server.end()
        stream.read()

    assert (signed_in.status, stream.status, code) == (303, 200, 0)
    # Else uvicorn would have cut the stream off, and said so.
    assert [json.loads(line)["event"] for line in err.splitlines()] == [
        "started",
        "stopped",
    ]


def test_a_taken_port_is_said_in_one_line(server: Server, tmp_path: Path) -> None:
    assert said("--data", str(tmp_path), "--port", str(server.port)) == (
        1,
        f"clamp: cannot listen on 127.0.0.1 port {server.port}: Address already in"
        " use; choose another with --host and --port",
    )


def test_a_second_server_on_the_same_data_is_said_in_one_line(server: Server) -> None:
    code, line = said("--data", str(server.place.data), "--port", "0")

    assert code == 1
    assert line.startswith("clamp: ")
    assert str(server.place.data) in line


def test_a_proxy_that_is_no_address_is_said_in_one_line(tmp_path: Path) -> None:
    code, line = said("--data", str(tmp_path), "--trusted-proxy", "nginx")

    assert (code, line[:24]) == (1, "clamp: --trusted-proxy: ")


def test_a_body_may_come_in_pieces(server: Server) -> None:
    body = event(server)
    head = request(server, b"", "transfer-encoding: chunked", "connection: close")

    answer = exchanged(server, head, chunked(body[:9]), chunked(body[9:]), chunked(b""))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b'\r\n\r\n{"ok":true}')


def test_a_body_without_end_is_cut_off(server: Server) -> None:
    head = request(server, b"", "transfer-encoding: chunked")
    piece = chunked(b" " * 65_536)

    answer = exchanged(server, head, *[piece] * 1000)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_announced_too_large_is_not_waited_for(server: Server) -> None:
    answer = exchanged(server, request(server, b"{", "content-length: 99999999999"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_a_body_a_little_too_large_gets_a_readable_answer(server: Server) -> None:
    body = b" " * 65_537
    answer = exchanged(server, request(server, body, f"content-length: {len(body)}"))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(
        b'{"error":"body_too_large","message":"body: got more than 65536 bytes; at'
        b' most 65536 are allowed"}'
    )


def test_headers_have_a_limit(server: Server) -> None:
    for header in ("x-long: " + "x" * 70_000, "x: y\r\n" * 20_000 + "x: y"):
        answer = exchanged(server, request(server, b"", header)[:-4])

        assert answer.startswith(b"HTTP/1.1 431 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == (
            "headers_too_large"
        )


def test_what_is_no_http_is_refused_and_not_logged(server: Server) -> None:
    answer = exchanged(server, b"\x16\x03\x01 hello\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {
        "error": "malformed_request",
        "message": "request: got what is no HTTP; check its request line, its headers"
        " and their content-length",
    }


def test_a_client_that_goes_away_disturbs_nobody(server: Server) -> None:
    body = event(server)
    full = request(server, body, f"content-length: {len(body)}")
    for cut in (10, len(full) - 5, len(full)):
        with socket.create_connection(("127.0.0.1", server.port), ASK_S) as plug:
            plug.sendall(full[:cut])

    assert server.post("/e/s", {"name": "a"}).status == 200


def test_requests_may_be_sent_without_waiting_for_answers(server: Server) -> None:
    body = event(server)
    one = request(server, body, f"content-length: {len(body)}")
    last = request(server, body, f"content-length: {len(body)}", "connection: close")

    answer = exchanged(server, one + one + last)

    assert answer.count(b'{"ok":true}') == 3


def test_nobody_else_may_read_a_file_of_the_server(server: Server) -> None:
    server.post("/e/s", {"name": "a"})
    with closing(server.connection()) as asking:
        # Whoever asks gets what waits in the journal loaded into DuckDB first.
        key = {"x-clamp-key": server.place.api_key}
        events = f"/analytics/{server.place.project_id}/events"
        assert asked(asking, "GET", events, headers=key).status == 200

    modes = {
        file.name: oct(file.stat().st_mode & 0o077)
        for file in server.place.data.iterdir()
    }

    assert "events.duckdb.wal" in modes
    assert set(modes.values()) == {"0o0"}
