"""The client object, and the one that the module functions use.

Version 0.2.0 was this one module, and tests of its users reach into it: for
`_reset_for_tests`, for a class to import, for `httpx` to patch. Those names are
kept here, and `_api` adds its functions.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone
from types import TracebackType

from clamp_analytics._config import DEFAULT_ENDPOINT as DEFAULT_ENDPOINT
from clamp_analytics._config import DEFAULT_TIMEOUT_S, read_config
from clamp_analytics._error_event import ERROR_EVENT, Context, error_properties
from clamp_analytics._wire import Event, encode_event
from clamp_analytics._wire import Money as Money
from clamp_analytics._wire import Properties as Properties
from clamp_analytics._wire import PropertyValue as PropertyValue
from clamp_analytics.errors import ClampError, ClampNotInitializedError
from clamp_analytics.errors import ClampHTTPError as ClampHTTPError


class Clamp:
    """Sends the events of one project; safe with threads, and after a fork.

        with Clamp("proj_xxx", "sk_proj_xxx") as clamp:
            clamp.track("signup", {"plan": "pro"})

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

    def __init__(
        self,
        project_id: str | None = None,
        api_key: str | None = None,
        endpoint: str | None = None,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> None:
        # Not at the top: it imports httpx, which takes longer than all the rest
        # of this package, and a process that sends nothing need not wait for it.
        from clamp_analytics._transport import HttpTransport

        self._config = read_config(project_id, api_key, endpoint, timeout_s, os.environ)
        self._transport = HttpTransport(self._config)
        self._is_closed = False

    def __repr__(self) -> str:
        config = self._config
        return f"Clamp({config.project_id!r}, endpoint={config.shown_endpoint!r})"

    def track(
        self,
        name: str,
        properties: Properties | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
        *,
        user_id: str | None = None,
    ) -> bool:
        """Send an event and wait until the server has it.

        Args:
            properties: Values are `str`, `int`, `float`, `bool` or `Money`.
            anonymous_id: The browser's id of the visitor, to link the two.
            timestamp: When it happened: a `datetime` (UTC where it is naive) or
                ISO 8601 text, sent as it is. None means now.
            user_id: Your own id of the user.

        Returns:
            True. Every failure is an exception.

        Raises:
            ValueError: If an argument cannot be sent; it names which, and what
                to write instead.
            ClampHTTPError: If the server answers anything but 2xx.
            ClampConnectionError: If it cannot be reached or does not answer.
            ClampError: If this client was closed.
        """
        if self._is_closed:
            raise ClampError("this Clamp was closed")
        if timestamp is None:
            timestamp = datetime.now(timezone.utc)
        event = Event(name, timestamp, properties, anonymous_id, user_id)
        body = encode_event(self._config.project_id, event)
        # There is such a name here only where a test put its own; see `__getattr__`.
        self._transport.post("/e/s", body, stand_in=globals().get("httpx"))
        return True

    def capture_error(
        self,
        exception: BaseException,
        context: Context | None = None,
        anonymous_id: str | None = None,
        timestamp: datetime | str | None = None,
        *,
        user_id: str | None = None,
    ) -> bool:
        """Send an exception as a `$error` event and wait until the server has it.

        Message, type and stack come from the exception, its causes and, in a
        group, its members; over 1,024, 64 and 16,384 characters they are cut.

        Args:
            context: Properties to add: `str`, `int`, `float`, `bool`. Other
                values and the key `handled` are left out in silence.
            anonymous_id: As in `track()`.
            timestamp: As in `track()`.
            user_id: As in `track()`.

        Returns:
            True. Every failure is an exception.

        Raises:
            TypeError: If `exception` is not an exception instance.
            ClampHTTPError: As in `track()`.
            ClampConnectionError: As in `track()`.
            ClampError: As in `track()`.
        """
        properties = error_properties(exception, context)
        return self.track(
            ERROR_EVENT, properties, anonymous_id, timestamp, user_id=user_id
        )

    def close(self) -> None:
        """Close the connections; calls under way on other threads finish first."""
        self._is_closed = True
        self._transport.retire()

    def _retire(self) -> None:
        self._transport.retire()

    def __enter__(self) -> Clamp:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_default: Clamp | None = None


def default_client(call: str) -> Clamp:
    """The client of the last `init()`.

    Args:
        call: Who asks, for the message.

    Raises:
        ClampNotInitializedError: If there was none.
    """
    if _default is None:
        raise ClampNotInitializedError(f"call init() before {call}()")
    return _default


def replace_default_client(client: Clamp | None) -> None:
    """Make `client` the default; calls under way on the one before it finish."""
    global _default
    before, _default = _default, client
    if before is not None:
        before._retire()


def _reset_for_tests() -> None:
    """Forget the last `init()`. Fixtures written for 0.2.0 call this."""
    replace_default_client(None)


def __getattr__(name: str) -> object:
    # For `patch("clamp_analytics._client.httpx")`, and `.post` of it, without
    # importing httpx for everybody else.
    if name == "httpx":
        from clamp_analytics import _transport

        return vars(_transport)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
