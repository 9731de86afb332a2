"""Middleware for any ASGI application.

    from clamp_analytics.integrations.asgi import ClampMiddleware

    app = ClampMiddleware(app, project_id="proj_xxx", api_key="sk_proj_xxx")

A bare `track("signup")` in the application is linked to the visitor, and what no
handler catches is captured. Messages pass as they are: streams and websockets too.
Starlette: `app.add_middleware(ClampMiddleware, project_id=...)`, and the lifespan.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from clamp_analytics import Clamp
from clamp_analytics.integrations._guard import guarded, sender
from clamp_analytics.integrations._visitor import COOKIE, HEADER, cookie_of
from clamp_analytics.integrations._web import (
    ReadId,
    Visit,
    described,
    started,
    visit,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Where the application finds the `Visit`, as it finds the session of others.
VISIT = "clamp_analytics.visit"

# What a server that stops may wait for the last events, in seconds.
FLUSH_TIMEOUT_S = 5.0

_COOKIE, _COOKIE_NAME, _HEADER = b"cookie", COOKIE.encode(), HEADER.encode()


class ClampMiddleware:
    """Links the events of a request to its visitor, and captures its errors.

    Args:
        project_id: As in `clamp_analytics.init`, and so are `api_key` and `endpoint`.
            Delivery is in the background. Without any of them the client of an
            `init()` before is used, which takes more options, or the environment.
        client: Sends the events, in place of the client of `init()`.
        anonymous_id: Gets the ASGI scope and returns the visitor's id or None, in
            place of the cookie `clamp_aid` and the header `x-clamp-anonymous-id`.
        user_id: Gets the scope and returns the user's id. None means that events
            carry none.
        capture_errors: Capture exceptions that the application does not handle.
        track_requests: Send an event named `request` for each HTTP request.
    """

    def __init__(
        self,
        app: App,
        project_id: str | None = None,
        api_key: str | None = None,
        endpoint: str | None = None,
        *,
        client: Clamp | None = None,
        anonymous_id: ReadId | None = None,
        user_id: ReadId | None = None,
        capture_errors: bool = True,
        track_requests: bool = False,
    ) -> None:
        self._app = app
        self._options = started(
            {
                "project_id": project_id,
                "api_key": api_key,
                "endpoint": endpoint,
                "client": client,
                "anonymous_id": anonymous_id,
                "user_id": user_id,
                "capture_errors": capture_errors,
                "track_requests": track_requests,
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request as the application does."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        cookie, header = _ids_of(scope)
        came = visit(self._options, lambda: self._request(scope), cookie, header)
        scope[VISIT] = came
        with came.context():
            if scope["type"] == "http":
                await self._answer(came, scope, receive, send)
            else:
                await self._converse(came, scope, receive, send)

    async def _answer(
        self, came: Visit, scope: Scope, receive: Receive, send: Send
    ) -> None:
        # What a server answers for an application that raised before it answered.
        status = 500
        root_path = scope.get("root_path", "")

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            came.failed(error, lambda: _described(scope, root_path, status))
            raise
        finally:
            came.answered(lambda: _described(scope, root_path, status))

    async def _converse(
        self, came: Visit, scope: Scope, receive: Receive, send: Send
    ) -> None:
        root_path = scope.get("root_path", "")
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            # 1011 is what a server closes a websocket with for an error of its own.
            came.failed(error, lambda: _described(scope, root_path, 1011))
            raise

    def _request(self, scope: Scope) -> object:
        return scope


@asynccontextmanager
async def clamp_lifespan(app: object) -> AsyncIterator[None]:
    """Deliver what waits when the server stops, for 5 seconds at most.

    As `Starlette(lifespan=clamp_lifespan)`, or in a lifespan of your own:

        async with clamp_lifespan(app):
            yield

    uvicorn ends with the signal that stopped it, and a process that a signal ends
    has no other moment for this.
    """
    yield
    with guarded():
        await asyncio.to_thread(sender(None).flush, FLUSH_TIMEOUT_S)


def _ids_of(scope: Scope) -> tuple[str | None, str | None]:
    cookie = header = None
    for name, value in scope["headers"]:
        # HTTP/2 may split the cookies over several headers.
        if name == _COOKIE and _COOKIE_NAME in value:
            cookie = cookie_of(value.decode("latin-1")) or cookie
        elif name == _HEADER:
            header = value.decode("latin-1")
    return cookie, header


def _described(scope: Scope, root_path: str, status: int) -> dict[str, str | int]:
    endpoint = getattr(scope.get("endpoint"), "__name__", None)
    route = _route_of(scope, root_path)
    return described(route, endpoint, scope.get("method"), status)


def _route_of(scope: Scope, root_path: str) -> str | None:
    """The template that Starlette or FastAPI matched; None with other routers."""
    # A router that FastAPI includes knows its own part of the template only.
    whole = scope.get("fastapi", {}).get("effective_route_context")
    route = scope.get("route")
    template = getattr(whole, "path", None) or getattr(route, "path", None)
    if not isinstance(template, str):
        return None
    # What a mount took off the path is written with its parameters' values.
    mounted = scope.get("root_path", "").removeprefix(root_path)
    names = {
        str(value): name
        for name, value in scope.get("path_params", {}).items()
        if f"{{{name}" not in template
    }
    parts = (f"{{{names[p]}}}" if p in names else p for p in mounted.split("/"))
    return "/".join(parts) + template
