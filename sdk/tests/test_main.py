from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from tests.command import run
from tests.sink import Sink

from clamp_analytics import Money, __version__
from clamp_analytics.__main__ import property_of

PROJECT = {"CLAMP_PROJECT_ID": "proj_env", "CLAMP_API_KEY": "sk_proj_secret"}


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_track_sends_one_event_and_says_what_it_sent(sink: Sink) -> None:
    done = run(
        "track",
        "purchase",
        "plan=pro",
        "--user-id=u_1",
        "total=29.00USD",
        "--anonymous-id",
        "aid_1",
        "seats=3",
        "--timestamp=2026-01-01T00:00:00Z",
        "--endpoint",
        sink.endpoint,
        **PROJECT,
    )

    (request,) = sink.requests
    assert request.headers["x-clamp-key"] == "sk_proj_secret"
    assert (request.path, request.exact_body) == (
        "/e/s",
        {
            "p": "proj_env",
            "name": "purchase",
            "timestamp": "2026-01-01T00:00:00Z",
            "anonymousId": "aid_1",
            "userId": "u_1",
            "properties": {
                "plan": "pro",
                "total": {"amount": "29.00", "currency": "USD"},
                "seats": "3",
            },
        },
    )
    assert (done.code, done.err) == (0, "")
    assert re.sub(r"in \d+ ms", "in N ms", done.out) == (
        f"sent to {sink.endpoint} in N ms: {request.content.decode()}\n"
    )


def test_track_takes_project_and_endpoint_as_flags_and_now_as_the_time(
    sink: Sink,
) -> None:
    done = run(
        "track",
        "signup",
        "--project-id=proj_flag",
        f"--endpoint={sink.endpoint}/",
        CLAMP_ENDPOINT="http://clamp.invalid",
        **PROJECT,
    )

    (body,) = sink.bodies
    assert (done.code, body["p"], sorted(body)) == (
        0,
        "proj_flag",
        ["name", "p", "timestamp"],
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", body["timestamp"])


def test_track_shows_what_the_console_has_no_letters_for(sink: Sink) -> None:
    done = run(
        "track",
        "Größe",
        CLAMP_ENDPOINT=sink.endpoint,
        PYTHONIOENCODING="ascii",
        PYTHONUTF8="1",
        **PROJECT,
    )

    assert (done.code, sink.bodies[0]["name"]) == (0, "Größe")
    assert r'"name":"Gr\xf6\xdfe"' in done.out


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("k=3", 3),
        ("k=-3", -3),
        ("k=0.50", 0.5),
        ("k=1e3", 1000.0),
        ("k=true", True),
        ("k=false", False),
        ("k=29.00USD", Money(29.0, "USD")),
        ("k=-5EUR", Money(-5, "EUR")),
        ('k="5"', "5"),
        ('k="29.00USD"', "29.00USD"),
        ('k="true"', "true"),
        ('k="', '"'),
        ("k=pro", "pro"),
        ("k=", ""),
        ("k=a=b", "a=b"),
        ("k= 3 seats ", " 3 seats "),
        ("k=007", "007"),
        ("k=1_000", "1_000"),
        ("k=29.00usd", "29.00usd"),
        ("k=29.USD", "29.USD"),
        ("k=True", "True"),
        ("k=null", "null"),
        ("k=NaN", "NaN"),
        ("k=-Infinity", "-Infinity"),
        ("k=[1, 2]", "[1, 2]"),
        ('k={"a": 1}', '{"a": 1}'),
    ],
)
def test_a_value_has_the_type_that_it_looks_like(argument: str, value: Any) -> None:
    key, got = property_of(argument)

    assert (key, type(got), got) == ("k", type(value), value)


@pytest.mark.parametrize("argument", ["plan", "=pro", ""])
def test_what_is_no_property_is_refused_in_one_line(argument: str) -> None:
    done = run("track", "signup", argument, **PROJECT)

    assert (done.code, done.out) == (1, "")
    assert done.err == f"track: property {argument!r} must be written key=value\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (
            ["signup"],
            {},
            "missing project_id and api_key: pass it, or set CLAMP_PROJECT_ID and"
            " CLAMP_API_KEY in the environment",
        ),
        (
            ["signup"],
            {**PROJECT, "CLAMP_DISABLED": "1"},
            "CLAMP_DISABLED is set, so that nothing is sent",
        ),
        (
            ["signup", "--timeout=0"],
            PROJECT,
            "timeout_s must be a number of seconds, over 0 and up to 86400, not 0.0",
        ),
        (
            ["signup", "seats=1e999"],
            PROJECT,
            "property 'seats' has no JSON form: Out of range float values are not JSON"
            " compliant",
        ),
    ],
    ids=["no settings", "disabled", "no timeout", "no JSON form"],
)
def test_what_cannot_be_sent_is_refused_in_one_line(
    arguments: list[str], variables: dict[str, str], message: str
) -> None:
    done = run("track", *arguments, **variables)

    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    # Python 3.12 and later add which value it was.
    assert done.err.startswith(f"track: {message}")


def test_an_answer_that_is_not_2xx_is_an_error_in_one_line(sink: Sink) -> None:
    sink.answer = (401, b'{"error":\n"unauthorized"}', {})
    done = run("track", "signup", CLAMP_ENDPOINT=sink.endpoint, **PROJECT)

    assert (done.code, done.out, done.err) == (
        1,
        "",
        'track: the server answered 401: {"error": "unauthorized"}\n',
    )


def test_nobody_listening_is_an_error_in_one_line() -> None:
    endpoint = f"http://127.0.0.1:{closed_port()}"
    done = run("track", "signup", CLAMP_ENDPOINT=endpoint, **PROJECT)

    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith(f"track: no answer from {endpoint}: ConnectError: ")


def test_without_a_command_it_names_the_two() -> None:
    done = run()

    assert (done.code, done.out) == (2, "")
    assert "{doctor,track}" in done.err


def test_help_and_version_need_no_settings() -> None:
    assert run("--version").out == f"{__version__}\n"
    assert "check configuration" in run("--help").out
    assert "key=value" in run("track", "--help").out
    assert "--endpoint" in run("doctor", "--help").out
