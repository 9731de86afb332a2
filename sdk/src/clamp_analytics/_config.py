"""What a client is told, and where it comes from. No I/O in here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from clamp_analytics.errors import ClampError

DEFAULT_ENDPOINT = "https://api.clamp.sh"
# For each of: connecting, sending, and silence while waiting for the answer.
# The same 5 s that httpx, and with it version 0.2.0, waits.
DEFAULT_TIMEOUT_S = 5.0
# An idle connection is used again for this long. uvicorn and Node close theirs
# after 5 s: staying below that keeps a request off a connection that the server
# is just closing.
KEEP_IDLE_S = 4.0
# Sockets take no infinity; nobody waits longer than a day.
MAX_TIMEOUT_S = 86_400.0

PROJECT_ID_VARIABLE = "CLAMP_PROJECT_ID"
API_KEY_VARIABLE = "CLAMP_API_KEY"
ENDPOINT_VARIABLE = "CLAMP_ENDPOINT"
DISABLED_VARIABLE = "CLAMP_DISABLED"
# What people write for "no"; anything else in that variable is a yes.
_NO = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Config:
    """Where one client sends, and as whom.

    Attributes:
        endpoint: Base URL of the server, without a slash at the end.
        timeout_s: Longest wait of one step, in seconds.
    """

    project_id: str
    api_key: str = field(repr=False)
    endpoint: str = field(repr=False)
    timeout_s: float

    @property
    def shown_endpoint(self) -> str:
        """The endpoint without the password that it may carry, for messages."""
        return re.sub(r"//[^/]*@", "//***@", self.endpoint)


def read_config(
    project_id: str | None,
    api_key: str | None,
    endpoint: str | None,
    timeout_s: float,
    environ: Mapping[str, str],
) -> Config:
    """Fill what was not given from the environment.

    Raises:
        ClampError: If the project or the key is in neither place, or the key
            cannot be a header.
        ValueError: If no socket can wait for `timeout_s`.
    """
    if project_id is None:
        project_id = environ.get(PROJECT_ID_VARIABLE) or None
    if api_key is None:
        api_key = environ.get(API_KEY_VARIABLE) or None
    if project_id is None or api_key is None:
        raise ClampError(_missing(project_id is None, api_key is None))
    _check_key(api_key)
    _check_timeout(timeout_s)
    base = endpoint or environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT
    # Settings hold addresses as objects, such as `httpx.URL`; 0.2.0 took those.
    return Config(project_id, api_key, str(base).rstrip("/"), timeout_s)


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether the environment's off switch is on.

    >>> [is_disabled({"CLAMP_DISABLED": text}) for text in ("1", "true", "0", "")]
    [True, True, False, False]
    """
    return environ.get(DISABLED_VARIABLE, "").strip().lower() not in _NO


def _missing(lacks_project_id: bool, lacks_api_key: bool) -> str:
    lacking = []
    if lacks_project_id:
        lacking.append(("project_id", PROJECT_ID_VARIABLE))
    if lacks_api_key:
        lacking.append(("api_key", API_KEY_VARIABLE))
    arguments = " and ".join(argument for argument, _ in lacking)
    variables = " and ".join(variable for _, variable in lacking)
    return f"missing {arguments}: pass it, or set {variables} in the environment"


def _check_key(api_key: str) -> None:
    # Checked here because the HTTP library's own complaint quotes the value.
    if not isinstance(api_key, str):
        raise ClampError(f"api_key must be a str, not {type(api_key).__name__}")
    if not (api_key.isascii() and api_key.isprintable() and api_key.strip() == api_key):
        raise ClampError(
            "api_key has a space or line end around it, or a character that no"
            " HTTP header can carry; keys look like sk_proj_ and 32 characters"
        )


def _check_timeout(timeout_s: float) -> None:
    is_number = isinstance(timeout_s, (int, float)) and not isinstance(timeout_s, bool)
    if not (is_number and 0 < timeout_s <= MAX_TIMEOUT_S):
        raise ValueError(
            f"timeout_s must be a number of seconds, over 0 and up to"
            f" {MAX_TIMEOUT_S:.0f}, not {timeout_s!r}"
        )
