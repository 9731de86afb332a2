"""Tests as users of 0.2.0 write them with pytest-httpx."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from pytest_httpx import HTTPXMock
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


def test_init_inside_the_test(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=URL, method="POST", status_code=200)
    init("proj_test", "sk_proj_test")

    assert track("signup", {"plan": "pro"}) is True

    request = httpx_mock.get_request()
    assert request is not None
    body = json.loads(request.content)
    assert (body["p"], body["name"], body["properties"]) == (
        "proj_test",
        "signup",
        {"plan": "pro"},
    )
    assert request.headers["x-clamp-key"] == "sk_proj_test"
    assert request.headers["content-type"] == "application/json"


def test_matching_by_header(httpx_mock: HTTPXMock) -> None:
    headers = {"x-clamp-key": "sk_proj_test", "content-type": "application/json"}
    httpx_mock.add_response(url=URL, match_headers=headers)
    init("proj_test", "sk_proj_test")

    assert track("signup") is True


def test_an_answer_that_is_not_2xx(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=URL, status_code=401, text="invalid api key")
    init("proj_test", "sk_proj_bad")

    with pytest.raises(ClampHTTPError) as caught:
        track("signup")

    assert (caught.value.status_code, caught.value.body) == (401, "invalid api key")


def test_an_exception_of_the_transport(httpx_mock: HTTPXMock) -> None:
    failure = httpx.ConnectTimeout("too slow")
    httpx_mock.add_exception(failure)
    init("proj_test", "sk_proj_test")

    with pytest.raises(ClampConnectionError) as caught:
        track("signup")

    assert caught.value.__cause__ is failure


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_client_that_outlives_the_test(
    clamp: Clamp, httpx_mock: HTTPXMock, name: str
) -> None:
    httpx_mock.add_response(url=URL)

    assert clamp.track(name) is True

    request = httpx_mock.get_request()
    assert request is not None
    assert json.loads(request.content)["name"] == name


def test_a_connection_that_was_open_before_the_patch(
    sink: Sink, request: pytest.FixtureRequest
) -> None:
    init("proj_test", "sk_proj_test", sink.endpoint)
    track("before")
    httpx_mock: HTTPXMock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(url=f"{sink.endpoint}/e/s")

    assert track("after") is True
    assert [body["name"] for body in sink.bodies] == ["before"]


def test_in_the_background(sink: Sink, request: pytest.FixtureRequest) -> None:
    clamp = Clamp("proj_test", "sk_proj_test", sink.endpoint, background=True)
    clamp.track("before")
    clamp.flush(30)
    httpx_mock: HTTPXMock = request.getfixturevalue("httpx_mock")
    httpx_mock.add_response(url=f"{sink.endpoint}/e/s/batch")
    clamp.track("under")

    assert clamp.close(30) is True
    sent = httpx_mock.get_request()
    assert sent is not None
    (under,) = json.loads(sent.content)["events"]
    names = [body["events"][0]["name"] for body in sink.bodies]
    assert (under["name"], names) == ("under", ["before"])
