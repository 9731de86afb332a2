"""Tests as users of 0.2.0 write them with respx, through each of its ways in."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
import respx
from tests.sink import Sink

from clamp_analytics import (
    Clamp,
    ClampConnectionError,
    ClampHTTPError,
    init,
    track,
)

URL = "https://api.clamp.sh/e/s"


@pytest.fixture(scope="module")
def clamp() -> Iterator[Clamp]:
    """Made before any test patches anything, and used by several."""
    with Clamp("proj_test", "sk_proj_test") as client:
        yield client


def test_init_inside_the_test(respx_mock: respx.MockRouter) -> None:
    route = respx_mock.post(URL).respond(200)
    init("proj_test", "sk_proj_test")

    assert track("signup", {"plan": "pro"}) is True

    request = route.calls.last.request
    body = json.loads(request.content)
    assert (body["p"], body["name"], body["properties"]) == (
        "proj_test",
        "signup",
        {"plan": "pro"},
    )
    assert request.headers["x-clamp-key"] == "sk_proj_test"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_either_mocker(clamp: Clamp, using: str) -> None:
    with respx.mock(using=using) as router:
        route = router.post(URL).respond(200)

        assert clamp.track("signup") is True

    assert route.call_count == 1


def test_matching_by_header_and_json(respx_mock: respx.MockRouter) -> None:
    respx_mock.post(
        URL,
        headers={"x-clamp-key": "sk_proj_test"},
        json={"p": "proj_test", "name": "signup", "timestamp": "2026-01-01"},
    ).respond(200)
    init("proj_test", "sk_proj_test")

    assert track("signup", timestamp="2026-01-01") is True


def test_an_answer_that_is_not_2xx(respx_mock: respx.MockRouter) -> None:
    respx_mock.post(URL).respond(401, text="invalid api key")
    init("proj_test", "sk_proj_bad")

    with pytest.raises(ClampHTTPError) as caught:
        track("signup")

    assert (caught.value.status_code, caught.value.body) == (401, "invalid api key")


def test_an_exception_of_the_transport(respx_mock: respx.MockRouter) -> None:
    respx_mock.post(URL).mock(side_effect=httpx.ConnectTimeout("too slow"))
    init("proj_test", "sk_proj_test")

    with pytest.raises(ClampConnectionError, match="ConnectTimeout") as caught:
        track("signup")

    assert isinstance(caught.value.__cause__, httpx.ConnectTimeout)


def test_a_connection_that_was_open_before_the_patch(sink: Sink) -> None:
    init("proj_test", "sk_proj_test", sink.endpoint)
    track("before")
    with respx.mock:
        respx.post(f"{sink.endpoint}/e/s").respond(200)
        track("under")
    track("after")

    assert [body["name"] for body in sink.bodies] == ["before", "after"]


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
def test_either_mocker_in_the_background(sink: Sink, using: str) -> None:
    clamp = Clamp("proj_test", "sk_proj_test", sink.endpoint, background=True)
    clamp.track("before")
    clamp.flush(30)
    with respx.mock(using=using) as router:
        route = router.post(f"{sink.endpoint}/e/s/batch").respond(200)
        clamp.track("under")

        assert clamp.flush(30) is True

    clamp.track("after")
    clamp.close(30)
    (under,) = json.loads(route.calls.last.request.content)["events"]
    names = [body["events"][0]["name"] for body in sink.bodies]
    assert (under["name"], names) == ("under", ["before", "after"])
