"""Every address of the pages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from clamp_server.clock import Clock
from clamp_server.errors import NotFoundError
from clamp_server.store.catalog import Catalog
from clamp_server.store.sql import EventStore
from clamp_server.web.account import Account
from clamp_server.web.attempts import Attempts
from clamp_server.web.border import Border
from clamp_server.web.project_page import ProjectPages
from clamp_server.web.session import Sessions
from clamp_server.web.sign_in import PasswordCheck, SignIn
from clamp_server.web.stream import Live
from clamp_server.web.template import assets


def routes(
    *,
    store: EventStore,
    catalog: Catalog,
    clock: Clock,
    live: Live,
    public_url: str | None,
) -> list[BaseRoute]:
    """Return the routes of the pages.

    Args:
        live: The caller closes it when the server is asked to stop, before it
            waits for open requests: a stream ends only then.
        public_url: Where people reach the server; None where nobody said.
    """
    sessions = Sessions(catalog, is_https=(public_url or "").startswith("https://"))
    border = Border(sessions)
    passwords = PasswordCheck(catalog, Attempts(clock))
    sign_in = SignIn(catalog, sessions, passwords)
    account = Account(catalog, sessions, passwords)
    pages = ProjectPages(store, catalog, clock, sessions, live, public_url)
    public, private = border.public, border.private
    return [
        Route("/", private(pages.home)),
        Route("/p/{project_id}", private(pages.show)),
        Route("/p/{project_id}/stream", private(pages.stream)),
        Route("/p/{project_id}/errors/{fingerprint}", private(pages.bug)),
        Route("/sign-in", public(sign_in.show)),
        Route("/sign-in", public(sign_in.submit), methods=["POST"]),
        Route("/sign-in/link", public(sign_in.show_link)),
        Route("/sign-in/link", public(sign_in.submit_link), methods=["POST"]),
        Route("/account", private(account.show)),
        Route("/account", private(account.submit), methods=["POST"]),
        Route("/sign-out", private(sign_in.sign_out), methods=["POST"]),
        Route("/static/{name}", public(_static)),
    ]


_BY_PATH = {asset.path: asset for asset in assets().values()}


async def _static(request: Request) -> Response:
    asset = _BY_PATH.get(request.url.path)
    if asset is None:
        raise NotFoundError("there is no such file")
    return Response(
        asset.body,
        media_type=asset.media_type,
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )
