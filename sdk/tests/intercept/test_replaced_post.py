"""Tests of users who put their own function in place of `httpx.post`.

That is what 0.2.0 called, so that is what its users' tests replace.
"""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

import httpx
import pytest
from tests.sink import Sink

from clamp_analytics import Clamp, ClampConnectionError, ClampHTTPError, init, track


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    calls: list[Any] = []

    def post(url: str, **arguments: Any) -> httpx.Response:
        calls.append((url, arguments))
        return httpx.Response(200)

    monkeypatch.setattr(httpx, "post", post)
    return calls


def test_it_is_called_as_0_2_0_called_it(posts: list[Any]) -> None:
    init("proj_test", "sk_proj_test")

    assert track("signup", {"seats": 3}, timestamp="2026-01-01") is True

    assert posts == [
        (
            "https://api.clamp.sh/e/s",
            {
                "json": {
                    "p": "proj_test",
                    "name": "signup",
                    "properties": {"seats": 3},
                    "timestamp": "2026-01-01",
                },
                "headers": {
                    "content-type": "application/json",
                    "x-clamp-key": "sk_proj_test",
                },
            },
        )
    ]


def test_in_the_background_it_gets_a_batch_that_it_can_read(posts: list[Any]) -> None:
    clamp = Clamp("proj_test", "sk_proj_test", background=True)
    clamp.track("signup", {"text": "x" * 5_000}, timestamp="2026-01-01")

    assert clamp.close(30) is True
    ((url, arguments),) = posts
    (event,) = arguments["json"]["events"]
    assert url == "https://api.clamp.sh/e/s/batch"
    assert (event["name"], event["properties"]) == ("signup", {"text": "x" * 5_000})


@pytest.mark.parametrize("target", ["httpx.post", "clamp_analytics._client.httpx.post"])
def test_patch_finds_it_where_0_2_0_had_it(target: str) -> None:
    init("proj_test", "sk_proj_test")
    with mock.patch(target) as post:
        post.return_value = SimpleNamespace(is_success=True)

        assert track("signup") is True

    assert post.call_args.kwargs["json"]["name"] == "signup"


def test_the_httpx_of_the_module_may_be_replaced_whole(sink: Sink) -> None:
    init("proj_test", "sk_proj_test", sink.endpoint)
    with mock.patch("clamp_analytics._client.httpx") as replaced:
        replaced.post.return_value = httpx.Response(200)

        assert track("under") is True
    track("after")

    assert replaced.post.call_args.kwargs["json"]["name"] == "under"
    assert [body["name"] for body in sink.bodies] == ["after"]


def test_after_monkeypatch_put_the_module_back_events_are_sent_for_real(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    init("proj_test", "sk_proj_test", sink.endpoint)
    fake = SimpleNamespace(post=lambda *_, **__: httpx.Response(401, text="no"))
    monkeypatch.setattr("clamp_analytics._client.httpx", fake)
    with pytest.raises(ClampHTTPError, match="401: no"):
        track("under")
    monkeypatch.undo()
    track("after")

    assert [body["name"] for body in sink.bodies] == ["after"]


def test_another_class_in_place_of_httpx_client_is_no_concern(sink: Sink) -> None:
    # It stands for the requests of the application; a kept connection made of it
    # would swallow events long after the test.
    init("proj_test", "sk_proj_test", sink.endpoint)
    with mock.patch("httpx.Client"):
        track("under")
    track("after")

    assert [body["name"] for body in sink.bodies] == ["under", "after"]


def test_its_answers_and_failures_mean_the_same() -> None:
    init("proj_test", "sk_proj_test")
    with mock.patch("httpx.post") as post:
        post.return_value = httpx.Response(401, text="invalid api key")
        with pytest.raises(ClampHTTPError, match="401: invalid api key"):
            track("signup")
        post.side_effect = httpx.ConnectError("refused")
        with pytest.raises(ClampConnectionError, match="ConnectError: refused"):
            track("signup")


def test_afterwards_events_are_sent_for_real_again(sink: Sink) -> None:
    init("proj_test", "sk_proj_test", sink.endpoint)
    with mock.patch("httpx.post", autospec=True) as post:
        post.return_value = httpx.Response(200)
        track("under")
    track("after")

    assert [body["name"] for body in sink.bodies] == ["after"]


# A process of its own, in which nothing has imported httpx before.
REPLACED_FIRST = """
import sys
from unittest import mock
from clamp_analytics import init, track

with mock.patch("httpx.post") as post:
    init("proj_test", "sk_proj_test", sys.argv[1])
    track("under")
    assert post.call_count == 1
track("after")
"""


def test_it_may_be_replaced_before_the_first_init(sink: Sink) -> None:
    subprocess.run([sys.executable, "-c", REPLACED_FIRST, sink.endpoint], check=True)

    assert [body["name"] for body in sink.bodies] == ["after"]
