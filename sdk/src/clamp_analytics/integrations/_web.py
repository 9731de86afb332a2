"""What the web integrations do with a request, the same in all of them.

Nothing personal is read but what the application asks for: no address, no query, no
form, no header but the visitor's id, and of the path only the route's template.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Optional, Union

from clamp_analytics import Clamp, context
from clamp_analytics.integrations import _visitor
from clamp_analytics.integrations._captured import capture
from clamp_analytics.integrations._guard import guarded, sender
from clamp_analytics.integrations._start import start

REQUEST_EVENT = "request"

# Gets the framework's request and returns an id, or None for a visitor without.
ReadId = Callable[[Any], Optional[object]]
# Gives what `described` does.
Describe = Callable[[], Mapping[str, Union[str, int]]]


@dataclass(frozen=True)
class WebOptions:
    """What an application can choose.

    Attributes:
        client: Sends the events. None means that of `init()`, which is then called
            with the options that are not listed here.
        anonymous_id: Reads the visitor's id from a request, in place of the cookie
            and the header.
        user_id: Reads the application's own id of the user. None means that events
            carry none.
        capture_errors: Whether exceptions that nothing handled are captured.
        track_requests: Whether each request is an event.
    """

    client: Clamp | None = None
    anonymous_id: ReadId | None = None
    user_id: ReadId | None = None
    capture_errors: bool = True
    track_requests: bool = False


WEB_OPTIONS = frozenset(field.name for field in fields(WebOptions))


def started(options: Mapping[str, Any]) -> WebOptions:
    """Part `options` in those of an integration and those of `init()`, and call it.

    An option that is None counts as not given.
    """
    given = {name: value for name, value in options.items() if value is not None}
    web = WebOptions(**{name: given.pop(name) for name in WEB_OPTIONS & given.keys()})
    if web.client is None:
        start(given)
    return web


@dataclass(frozen=True)
class Visit:
    """One request, and whose it is."""

    options: WebOptions
    anonymous_id: str | None
    user_id: str | None
    started_s: float

    def context(self) -> context:
        """Gives events of the request its visitor and user."""
        return context(self.anonymous_id, self.user_id)

    def failed(self, error: BaseException, describe: Describe) -> None:
        """Capture what nothing handled; never raises."""
        if self.options.capture_errors:
            with guarded(), self.context():
                capture(error, describe(), self.options.client, handled=False)

    def answered(self, describe: Describe) -> None:
        """Track the request, where that is asked for; never raises."""
        if self.options.track_requests:
            duration_ms = round((time.perf_counter() - self.started_s) * 1000)
            with guarded(), self.context():
                sender(self.options.client).track(
                    REQUEST_EVENT, {**describe(), "duration_ms": duration_ms}
                )


def visit(
    options: WebOptions,
    request: Callable[[], object],
    cookie: str | None,
    header: str | None,
) -> Visit:
    """Read whose request this is; never raises.

    Args:
        request: Makes what the application's own functions get.
        cookie: The value of `clamp_aid`.
        header: The value of `x-clamp-anonymous-id`.
    """
    if options.anonymous_id is None:
        anonymous_id = _visitor.anonymous_id(cookie, header)
    else:
        anonymous_id = _read(options.anonymous_id, request)
    user_id = None if options.user_id is None else _read(options.user_id, request)
    return Visit(options, anonymous_id, user_id, time.perf_counter())


def described(
    route: str | None, endpoint: str | None, method: str | None, status: int
) -> dict[str, str | int]:
    """A request as properties: without what the framework does not know.

    Args:
        route: The template, such as `/posts/{id}`; never the path itself.
        endpoint: The framework's own name for what answers there.
    """
    names = {"route": route, "endpoint": endpoint, "method": method}
    known: dict[str, str | int] = {name: text for name, text in names.items() if text}
    return {**known, "status": status}


def _read(read: ReadId, request: Callable[[], object]) -> str | None:
    with guarded():
        found = read(request())
        return None if found is None else _visitor.usable_id(str(found))
    return None
