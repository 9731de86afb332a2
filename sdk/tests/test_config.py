from __future__ import annotations

from typing import Any

import httpx
import pytest

from clamp_analytics._config import Config, read_config
from clamp_analytics.errors import ClampError

ENVIRON = {
    "CLAMP_PROJECT_ID": "proj_env",
    "CLAMP_API_KEY": "sk_proj_env",
    "CLAMP_ENDPOINT": "http://env.example:8400",
}


def test_arguments_win_over_the_environment() -> None:
    config = read_config("proj_a", "sk_proj_a", "https://a.example", 2.0, ENVIRON)

    assert config == Config("proj_a", "sk_proj_a", "https://a.example", 2.0)


def test_each_thing_not_given_comes_from_the_environment() -> None:
    assert read_config(None, None, None, 5.0, ENVIRON) == Config(
        "proj_env", "sk_proj_env", "http://env.example:8400", 5.0
    )
    assert read_config("proj_a", None, None, 5.0, ENVIRON) == Config(
        "proj_a", "sk_proj_env", "http://env.example:8400", 5.0
    )


@pytest.mark.parametrize("endpoint", [None, ""])
def test_without_an_endpoint_it_is_the_hosted_service(endpoint: str | None) -> None:
    config = read_config("proj_a", "sk_proj_a", endpoint, 5.0, {})

    assert config.endpoint == "https://api.clamp.sh"


@pytest.mark.parametrize("endpoint", ["http://x.example/", "http://x.example//"])
def test_slashes_at_the_end_of_the_endpoint_are_tolerated(endpoint: str) -> None:
    config = read_config("proj_a", "sk_proj_a", endpoint, 5.0, {})

    assert config.endpoint == "http://x.example"


@pytest.mark.parametrize(
    ("project_id", "api_key", "environ", "message"),
    [
        (
            None,
            None,
            {},
            "missing project_id and api_key: pass it, or set"
            " CLAMP_PROJECT_ID and CLAMP_API_KEY in the environment",
        ),
        (
            "proj_a",
            None,
            {},
            "missing api_key: pass it, or set CLAMP_API_KEY in the environment",
        ),
        (
            None,
            "sk_proj_a",
            {"CLAMP_PROJECT_ID": ""},
            "missing project_id: pass it, or set CLAMP_PROJECT_ID in the environment",
        ),
    ],
    ids=["both", "key", "project, set but empty"],
)
def test_what_is_missing_is_named(
    project_id: str | None, api_key: str | None, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(ClampError) as caught:
        read_config(project_id, api_key, None, 5.0, environ)

    assert str(caught.value) == message


def test_empty_strings_that_were_passed_are_taken_as_0_2_0_took_them() -> None:
    config = read_config("", "", None, 5.0, ENVIRON)

    assert (config.project_id, config.api_key) == ("", "")


@pytest.mark.parametrize(
    "key",
    [
        "sk_proj_secret\n",
        " sk_proj_secret",
        "sk_proj_\x00secret",
        "sk_proj_s\u00e9cret",
    ],
    ids=repr,
)
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    key: str,
) -> None:
    with pytest.raises(ClampError, match="api_key has a space or line end") as caught:
        read_config("proj_a", key, None, 5.0, {})

    assert "cret" not in str(caught.value)


def test_a_key_that_is_no_text_is_refused_without_showing_it() -> None:
    key: Any = b"sk_proj_secret"

    with pytest.raises(ClampError) as caught:
        read_config("proj_a", key, None, 5.0, {})

    assert str(caught.value) == "api_key must be a str, not bytes"


def test_an_endpoint_may_be_an_object_that_prints_as_an_address() -> None:
    endpoint: Any = httpx.URL("http://x.example:8400/")

    config = read_config("proj_a", "sk_proj_a", endpoint, 5.0, {})

    assert config.endpoint == "http://x.example:8400"


@pytest.mark.parametrize(
    "timeout_s", [0, -1.0, float("nan"), float("inf"), 86_401, True, "5", None]
)
def test_a_timeout_that_no_socket_can_wait_for_is_refused(timeout_s: Any) -> None:
    with pytest.raises(ValueError, match="timeout_s must be a number of sec") as caught:
        read_config("proj_a", "sk_proj_a", None, timeout_s, {})

    assert str(caught.value).endswith(f"over 0 and up to 86400, not {timeout_s!r}")


def test_the_key_and_the_password_of_the_endpoint_are_not_shown() -> None:
    config = read_config("proj_a", "sk_proj_secret", "http://me:p@w@h.example", 5.0, {})

    assert config.shown_endpoint == "http://***@h.example"
    assert "secret" not in repr(config)
    assert "p@w" not in repr(config)
