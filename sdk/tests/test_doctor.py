from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path

import pytest
from tests.command import run
from tests.scripted import (
    CERTIFICATE,
    Scripted,
    Step,
    over_tls,
    read_request,
    wait_for_close,
)
from tests.sink import Sink

from clamp_analytics._doctor import findings

KEY = "sk_proj_0123456789abcdef0123456789abcdef"
PROJECT = {"CLAMP_PROJECT_ID": "proj_env", "CLAMP_API_KEY": KEY}
NO_NAME = b'{"error":"missing_field","message":"name: got nothing"}'
SETTINGS = [
    "ok  project_id  proj_env, from CLAMP_PROJECT_ID",
    "ok  api_key     40 characters, from CLAMP_API_KEY",
]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def lines(
    endpoint: str | None = None,
    environ: Mapping[str, str] = PROJECT,
    *,
    project_id: str | None = None,
    timeout_s: float = 5.0,
) -> list[str]:
    """What is found, with every time and error number as N."""
    found = [
        re.sub(r"\d+(?= m?s\b)|(?<=Errno )-?\d+", "N", str(finding))
        for finding in findings(project_id, endpoint, timeout_s, environ)
    ]
    assert KEY not in "".join(found)
    return found


def says(raw: bytes) -> Step:
    """A step that answers with exactly these bytes."""

    def step(server: Scripted, connection: socket.socket) -> None:
        connection.sendall(raw)

    return step


def dated(date: str) -> bytes:
    """An answer to a body without a name, from a server with this clock."""
    head = f"HTTP/1.1 400 Bad Request\r\n{date}content-length: {len(NO_NAME)}\r\n\r\n"
    return head.encode() + NO_NAME


def clock_with(date: str) -> str:
    # The first connection is only looked at.
    with Scripted([], [read_request, says(dated(date))]) as server:
        return lines(server.endpoint)[-1]


def test_all_is_well(sink: Sink) -> None:
    sink.answer = (400, NO_NAME, {})
    port = sink.endpoint.rpartition(":")[2]
    *found, clock = lines(f"{sink.endpoint}/")

    assert found == [
        *SETTINGS,
        f"ok  endpoint    {sink.endpoint}/, from --endpoint",
        "ok  host        127.0.0.1 is at 127.0.0.1",
        f"ok  connection  to port {port} in N ms",
        "ok  TLS         none: with http the key can be read on its way",
        f"ok  answer      in N ms, from {sink.endpoint}",
        "ok  key         the server takes it for proj_env",
    ]
    assert re.fullmatch(r"ok  clock       N s (ahead of|behind) the server's", clock)


def test_it_asks_with_the_key_and_without_an_event(sink: Sink) -> None:
    lines(sink.endpoint, project_id="proj_flag")

    (request,) = sink.requests
    assert (request.path, request.body) == ("/e/s", {"p": "proj_flag"})
    assert request.headers["x-clamp-key"] == KEY


def test_the_command_prints_each_line_and_exits_with_0(sink: Sink) -> None:
    sink.answer = (400, NO_NAME, {})
    done = run("doctor", CLAMP_ENDPOINT=sink.endpoint, **PROJECT)

    assert (done.code, done.err) == (0, "")
    assert [line[:15].split() for line in done.out.splitlines()] == [
        ["ok", subject]
        for subject in (
            "project_id",
            "api_key",
            "endpoint",
            "host",
            "connection",
            "TLS",
            "answer",
            "key",
            "clock",
        )
    ]


def test_the_command_exits_with_1_when_something_is_wrong() -> None:
    endpoint = f"http://127.0.0.1:{closed_port()}"
    done = run("doctor", "--endpoint", endpoint, "--project-id=proj_flag", **PROJECT)

    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines()[0] == "ok  project_id  proj_flag, from --project-id"
    assert done.out.splitlines()[-1].startswith("!!  connection  127.0.0.1 port ")
    assert KEY not in done.out


def test_the_command_refuses_a_timeout_in_one_line() -> None:
    done = run("doctor", "--timeout=-1", **PROJECT)

    assert (done.code, done.out, done.err) == (
        1,
        "",
        "doctor: timeout_s must be a number of seconds, over 0 and up to 86400,"
        " not -1.0\n",
    )


def test_every_missing_setting_is_named() -> None:
    assert lines("x.example", {}) == [
        "!!  project_id  missing: set CLAMP_PROJECT_ID, or write --project-id",
        "!!  api_key     missing: set CLAMP_API_KEY",
        "!!  endpoint    x.example, from --endpoint: it must begin with https:// or"
        " http://; write https://clamp.example",
    ]


def test_a_project_id_and_a_key_that_cannot_be_are_named() -> None:
    environ = {"CLAMP_PROJECT_ID": "shop", "CLAMP_API_KEY": f"{KEY}\n"}

    assert lines("http://127.0.0.1:1", environ)[:2] == [
        "!!  project_id  'shop', from CLAMP_PROJECT_ID: it should look like proj_xxx",
        "!!  api_key     api_key has a space or line end around it, or a character"
        " that no HTTP header can carry; keys look like sk_proj_ and 32 characters;"
        " it is from CLAMP_API_KEY",
    ]


@pytest.mark.parametrize(
    ("endpoint", "wrong"),
    [
        ("ftp://x.example", "it must begin with https:// or http://"),
        ("http://", "it has no host"),
        ("https:///e/s", "it has no host"),
        ("http://x.example:99999", "Port out of range 0-65535"),
        ("http://[x", "Invalid IPv6 URL"),
    ],
)
def test_an_endpoint_that_cannot_be_is_named(endpoint: str, wrong: str) -> None:
    environ = {**PROJECT, "CLAMP_ENDPOINT": endpoint}

    assert lines(None, environ) == [
        *SETTINGS,
        f"!!  endpoint    {endpoint}, from CLAMP_ENDPOINT: {wrong};"
        " write https://clamp.example",
    ]


def test_without_an_endpoint_it_is_the_default() -> None:
    found = lines(None, {"CLAMP_API_KEY": KEY})

    assert found[-1] == "ok  endpoint    https://api.clamp.sh, from the default"


def test_the_password_of_an_endpoint_is_not_shown() -> None:
    found = lines("http://me:hunter2@127.0.0.1:1")

    assert "hunter2" not in "".join(found)
    assert found[2] == "ok  endpoint    http://***@127.0.0.1:1, from --endpoint"


def test_the_off_switch_is_named_and_the_rest_is_looked_at(sink: Sink) -> None:
    found = lines(sink.endpoint, {**PROJECT, "CLAMP_DISABLED": "1"})

    assert found[3] == (
        "!!  switch      CLAMP_DISABLED is set, so that nothing is sent: unset it,"
        " or set it to 0"
    )
    assert len(sink.requests) == 1


@pytest.mark.parametrize("host", ["clamp.invalid", "x..example"])
def test_a_host_without_an_address_is_named(host: str) -> None:
    *_, last = lines(f"http://{host}")

    assert last.startswith(f"!!  host        {host} has no address (")
    assert last.endswith(
        "): check the spelling of the endpoint, and whether this machine can look"
        " up names"
    )


def test_a_port_where_nobody_listens_is_named() -> None:
    port = closed_port()
    *_, last = lines(f"http://127.0.0.1:{port}")

    assert last.startswith(f"!!  connection  127.0.0.1 port {port} cannot be reached (")
    assert last.endswith(
        "): check that the server runs there, and that no firewall is in between"
    )


def test_a_server_that_never_answers_is_named() -> None:
    with Scripted([], [read_request, wait_for_close]) as server:
        endpoint = server.endpoint
        *_, last = lines(endpoint, timeout_s=0.2)

    assert last == (
        f"!!  answer      no answer from {endpoint}: ReadTimeout: timed out:"
        " check that what runs there is a Clamp server"
    )


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (
            401,
            b'{"error":"unauthorized","message":"x-clamp-key: got an unknown key"}',
            "!!  key         the server does not take it: x-clamp-key: got an unknown"
            " key. Check that it is whole, of this server, and not revoked",
        ),
        (
            403,
            b'{"error":"forbidden"}',
            '!!  key         it is not one of proj_env: {"error":"forbidden"}. Take'
            " project and key from the same settings page",
        ),
        (429, b"", "!!  answer      429, not now: nothing more. Try again later"),
        (503, b"full", "!!  answer      503, not now: full. Try again later"),
        (
            404,
            b"\x1b[2J<html>\n" + b"x" * 500,
            "!!  answer      404, as no Clamp server answers: [2J<html> "
            + "x" * 149
            + ". Check host and path of the endpoint",
        ),
        (
            200,
            b"welcome",
            "!!  answer      200, as no Clamp server answers: welcome. Check host"
            " and path of the endpoint",
        ),
        (
            400,
            b"plain HTTP to an HTTPS port",
            "!!  answer      400, as no Clamp server answers: plain HTTP to an HTTPS"
            " port. Check host and path of the endpoint",
        ),
        (
            400,
            b"[]",
            "!!  answer      400, as no Clamp server answers: []. Check host and"
            " path of the endpoint",
        ),
    ],
)
def test_an_answer_says_what_is_wrong(
    sink: Sink, status: int, body: bytes, verdict: str
) -> None:
    sink.answer = (status, body, {})

    assert lines(sink.endpoint)[6:-1] == [verdict]


def test_a_key_that_looks_like_none_is_told_so(sink: Sink) -> None:
    sink.answer = (401, b"", {})
    found = lines(sink.endpoint, {**PROJECT, "CLAMP_API_KEY": "pk_live_public"})

    assert found[6] == (
        "!!  key         the server does not take it: nothing more. A server's"
        " key starts with sk_proj_, and this one does not"
    )
    assert "pk_live" not in "".join(found)


def test_a_clock_that_is_wrong_is_named() -> None:
    ahead = clock_with("date: Wed, 01 Jan 2020 00:00:00 GMT\r\n")
    behind = clock_with("date: Fri, 01 Jan 2100 00:00:00 -0000\r\n")

    pattern = (
        r"!!  clock       N s %s the server's \(\d{4}-\d\d-\d\d \d\d:\d\d UTC"
        r" here\): events get wrong times\. Set this machine's clock, or let it be"
        r" set \(NTP\)"
    )
    assert re.fullmatch(pattern % "ahead of", ahead)
    assert re.fullmatch(pattern % "behind", behind)


@pytest.mark.parametrize("date", ["", "date: yesterday\r\n"])
def test_a_server_without_a_clock_is_no_fault(date: str) -> None:
    assert clock_with(date) == "ok  clock       not compared: the answer has no date"


def test_a_proxy_looks_up_the_host_and_connects(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.answer = (400, NO_NAME, {})
    proxy = sink.endpoint.replace("http://", "http://me:hunter2@")
    monkeypatch.setenv("http_proxy", proxy)
    found = lines("http://clamp.invalid")

    shown = sink.endpoint.replace("http://", "http://***@")
    assert found[3:7] == [
        f"ok  proxy       {shown}, which looks up the host and connects to it",
        "ok  TLS         none: with http the key can be read on its way",
        "ok  answer      in N ms, from http://clamp.invalid",
        "ok  key         the server takes it for proj_env",
    ]
    assert [request.path for request in sink.requests] == ["http://clamp.invalid/e/s"]


def test_a_proxy_that_is_not_for_this_host_is_passed_over(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("all_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert lines(sink.endpoint)[3] == "ok  host        127.0.0.1 is at 127.0.0.1"
    assert len(sink.requests) == 1


def answer_of_today(server: Scripted, connection: socket.socket) -> None:
    connection.sendall(dated(f"date: {formatdate(usegmt=True)}\r\n"))


def test_a_certificate_that_nobody_vouches_for_is_named() -> None:
    with Scripted([], [over_tls(read_request, answer_of_today)]) as server:
        endpoint = server.endpoint.replace("http://", "https://")
        *_, last = lines(endpoint)

    assert last.startswith("!!  TLS         [SSL: CERTIFICATE_VERIFY_FAILED]")
    assert last.endswith(
        "check that the endpoint has the host's name, and that this machine trusts"
        " who signed the certificate (SSL_CERT_FILE)"
    )


def test_a_certificate_that_is_trusted_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with Scripted([], [over_tls(read_request, answer_of_today)]) as server:
        endpoint = server.endpoint.replace("http://", "https://")
        found = lines(endpoint)

    assert found[5:8] == [
        "ok  TLS         the certificate is valid",
        f"ok  answer      in N ms, from {endpoint}",
        "ok  key         the server takes it for proj_env",
    ]


def test_certificates_that_cannot_be_read_are_named(
    sink: Sink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(broken))
    *_, last = lines(sink.endpoint)

    assert last.startswith("!!  TLS         ")
