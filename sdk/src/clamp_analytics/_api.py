"""The module-level functions: a thin layer over one default `Clamp`."""

from __future__ import annotations

from datetime import datetime

from clamp_analytics import _client
from clamp_analytics._client import Clamp, default_client, replace_default_client
from clamp_analytics._config import DEFAULT_TIMEOUT_S
from clamp_analytics._error_event import Context
from clamp_analytics._wire import Properties


def init(
    project_id: str | None = None,
    api_key: str | None = None,
    endpoint: str | None = None,
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> None:
    """Set the client that `track()` and `capture_error()` use.

    Call it once when the process starts. Another call replaces the client, and
    what other threads are just sending still arrives.

    Args:
        project_id: None means the environment's `CLAMP_PROJECT_ID`.
        api_key: None means the environment's `CLAMP_API_KEY`.
        endpoint: Base URL of the server. None means the environment's
            `CLAMP_ENDPOINT`, and without it the hosted service.
        timeout_s: Longest wait, in seconds, of each step of a call: to connect,
            to send, and for the next part of the answer.

    Raises:
        ClampError: If the project or the key is in neither place, or the key
            cannot be a header.
        ClampConnectionError: If the certificates that the environment names
            cannot be read.
        ValueError: If `timeout_s` is not over 0 and up to 86,400.
    """
    replace_default_client(Clamp(project_id, api_key, endpoint, timeout_s=timeout_s))


def track(
    name: str,
    properties: Properties | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
) -> bool:
    """Send an event with the client of `init()`; see `Clamp.track`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    client = default_client("track")
    return client.track(name, properties, anonymous_id, timestamp, user_id=user_id)


def capture_error(
    exception: BaseException,
    context: Context | None = None,
    anonymous_id: str | None = None,
    timestamp: datetime | str | None = None,
    *,
    user_id: str | None = None,
) -> bool:
    """Send an exception with the client of `init()`; see `Clamp.capture_error`.

    Raises:
        ClampNotInitializedError: If `init()` was not called.
    """
    client = default_client("capture_error")
    return client.capture_error(
        exception, context, anonymous_id, timestamp, user_id=user_id
    )


# Where version 0.2.0 defined them; see `_client`.
for _function in (init, track, capture_error):
    setattr(_client, _function.__name__, _function)
