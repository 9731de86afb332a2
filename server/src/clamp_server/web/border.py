"""What every page's request passes on its way in and out.

In: a POST comes from a page of ours, and a private page is for the signed-in.
Out: a refusal becomes a page that says what to do, and every answer carries the
headers that keep other sites and their scripts out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clamp_server.errors import ForbiddenError, RefusedError, UnauthorizedError
from clamp_server.model.project import WebSession
from clamp_server.web.session import Sessions
from clamp_server.web.template import render

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
PrivateEndpoint: TypeAlias = Callable[[Request, WebSession], Awaitable[Response]]

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    # `no-referrer` would be stricter, but makes browsers send `Origin: null`
    # with our own forms, and then `_is_from_here` knows nothing.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
}


class Border:
    """Wraps the pages' handlers."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def public(self, handler: Endpoint) -> Endpoint:
        """Let everybody in."""

        async def endpoint(request: Request) -> Response:
            return await _answered(request, handler)

        return endpoint

    def private(self, handler: PrivateEndpoint) -> Endpoint:
        """Let the signed-in in, and send the others to the sign-in page."""

        async def inside(request: Request) -> Response:
            session = await self._sessions.session(request)
            if session is None:
                return _sign_in_first(request)
            return await handler(request, session)

        return self.public(inside)


async def _answered(request: Request, handler: Endpoint) -> Response:
    try:
        if request.method == "POST" and not _is_from_here(request):
            raise ForbiddenError(
                "this request came from another site, or from a program that did"
                " not say where from; open the page in a browser and try again"
            )
        response = await handler(request)
    except RefusedError as error:
        response = _refusal(error)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _is_from_here(request: Request) -> bool:
    """Tell whether the browser says that a page of this server sent this."""
    # Browsers name the relation on https and localhost, and the origin always.
    if relation := request.headers.get("sec-fetch-site"):
        return relation in ("same-origin", "none")
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    # Either scheme: the one that a proxy took in may be another than ours.
    return origin in (f"https://{host}", f"http://{host}")


def _sign_in_first(request: Request) -> Response:
    # A script's stream cannot follow a redirect to a page of HTML.
    if "text/event-stream" in request.headers.get("accept", ""):
        raise UnauthorizedError("sign in first, at /sign-in")
    path = request.url.path
    if request.url.query:
        path += f"?{request.url.query}"
    query = "?" + urlencode({"next": path}) if request.method == "GET" else ""
    return RedirectResponse(f"/sign-in{query}", status_code=303)


def _refusal(error: RefusedError) -> Response:
    response = HTMLResponse(
        render("refusal.html", status=error.status, message=error.message),
        status_code=error.status,
    )
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(error.retry_after_s)
    return response
