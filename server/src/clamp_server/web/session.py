"""Who is signed in: the session's cookie and its row in the catalog."""

from __future__ import annotations

from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clamp_server.model.ids import UserId
from clamp_server.model.project import WebSession
from clamp_server.store.catalog import Catalog

SESSION_LIFETIME = timedelta(days=30)
# Long enough to look around after `clamp serve`; a password makes it lasting.
LINK_SESSION_LIFETIME = timedelta(hours=12)


class Sessions:
    """The browsers that are signed in to this server.

    Args:
        is_https: Whether people reach the server over https: then the cookie
            never travels in the clear, and no other host can set it.
    """

    def __init__(self, catalog: Catalog, is_https: bool) -> None:
        self._catalog = catalog
        self._is_https = is_https
        # A browser takes the prefix only on a Secure cookie of this host alone.
        self._cookie = "__Host-clamp_session" if is_https else "clamp_session"

    async def session(self, request: Request) -> WebSession | None:
        """Return who sent `request`; None when nobody is signed in."""
        token = request.cookies.get(self._cookie)
        if token is None:
            return None
        return await run_in_threadpool(self._catalog.web_session, token)

    async def start(
        self, request: Request, response: Response, user_id: UserId | None
    ) -> None:
        """Sign the browser in; a session that it had before ends.

        Args:
            user_id: None for the bearer of a one-time link.
        """
        await self._end(request)
        lifetime = LINK_SESSION_LIFETIME if user_id is None else SESSION_LIFETIME
        token = await run_in_threadpool(
            self._catalog.create_web_session, user_id, lifetime
        )
        response.set_cookie(
            self._cookie,
            token,
            max_age=int(lifetime.total_seconds()),
            secure=self._is_https,
            httponly=True,
            samesite="lax",
        )

    async def end(self, request: Request, response: Response) -> None:
        """Sign the browser out, here and in the catalog."""
        await self._end(request)
        response.delete_cookie(
            self._cookie, secure=self._is_https, httponly=True, samesite="lax"
        )

    async def _end(self, request: Request) -> None:
        if token := request.cookies.get(self._cookie):
            await run_in_threadpool(self._catalog.delete_web_session, token)
