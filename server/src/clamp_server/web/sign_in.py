"""Signing in: with a password, or with a one-time link; and out again."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clamp_server.errors import ForbiddenError, RateLimitedError
from clamp_server.model.project import User, WebSession
from clamp_server.store.catalog import Catalog
from clamp_server.store.catalog_rules import MAX_EMAIL_CHARACTERS
from clamp_server.web.attempts import Attempts
from clamp_server.web.form import form
from clamp_server.web.password import is_password
from clamp_server.web.session import Sessions
from clamp_server.web.template import render

# The first start may be days before somebody reads the log; a later link is
# asked for by somebody who is there.
FIRST_LINK_LIFETIME = timedelta(days=3)
LINK_LIFETIME = timedelta(hours=1)

# The only addresses that `next` may lead to, spelled out: everything else, such
# as //elsewhere.example, leads to the start.
_NEXT = re.compile(r"/(p/proj_[A-Za-z0-9_-]+(/errors/[0-9a-f]{16})?(\?period=\w+)?)?")


def sign_in_link(catalog: Catalog, public_url: str, lifetime: timedelta) -> str:
    """Make a link that signs one browser in, once."""
    token = catalog.create_sign_in_link(lifetime)
    return f"{public_url.rstrip('/')}/sign-in/link?{urlencode({'token': token})}"


def first_link(catalog: Catalog, public_url: str) -> str | None:
    """Return the link that `clamp serve` prints; None once there is a user.

    Args:
        public_url: Where people reach the server, such as https://clamp.example.
    """
    if catalog.users():
        return None
    return sign_in_link(catalog, public_url, FIRST_LINK_LIFETIME)


def safe_next(path: str) -> str:
    """Return `path` where it leads to a page of ours, else the start page.

    >>> safe_next("/p/proj_shop?period=7d"), safe_next("//elsewhere.example")
    ('/p/proj_shop?period=7d', '/')
    """
    return path if _NEXT.fullmatch(path) else "/"


class PasswordCheck:
    """Passwords against the catalog: limited, off the event loop, two at a time."""

    def __init__(self, catalog: Catalog, attempts: Attempts) -> None:
        self._catalog = catalog
        self._attempts = attempts
        # A hash holds 19 MiB and a core for as long as it takes.
        self._at_once = anyio.CapacityLimiter(2)

    async def user(self, email: str, password: str) -> User | None:
        """Return whose password this is; None when it is nobody's.

        Raises:
            RateLimitedError: Too many wrong ones of late.
        """
        # Cut, because what was tried is remembered for a while.
        account = email.strip().lower()[:MAX_EMAIL_CHARACTERS]
        if wait_s := self._attempts.wait_s(account):
            raise RateLimitedError(
                f"too many tries: wait {wait_s} seconds, or run `clamp user link` on"
                " the server for a link that signs you in",
                retry_after_s=wait_s,
            )
        found = await run_in_threadpool(self._catalog.user_by_email, account)
        known_hash = None if found is None else found[1]
        is_right = await anyio.to_thread.run_sync(
            is_password, password, known_hash, limiter=self._at_once
        )
        if found is None or not is_right:
            return None
        self._attempts.forget(account)
        return found[0]


class SignIn:
    """The pages around signing in."""

    def __init__(
        self, catalog: Catalog, sessions: Sessions, passwords: PasswordCheck
    ) -> None:
        self._catalog = catalog
        self._sessions = sessions
        self._passwords = passwords

    async def show(self, request: Request) -> Response:
        """`GET /sign-in`."""
        goal = safe_next(request.query_params.get("next", "/"))
        if await self._sessions.session(request):
            return RedirectResponse(goal, status_code=303)
        users = await run_in_threadpool(self._catalog.users)
        return HTMLResponse(_sign_in_page(goal, has_users=bool(users)))

    async def submit(self, request: Request) -> Response:
        """`POST /sign-in`."""
        fields = await form(request)
        email, goal = fields.get("email", ""), safe_next(fields.get("next", "/"))
        try:
            user = await self._passwords.user(email, fields.get("password", ""))
        except RateLimitedError as error:
            page = _sign_in_page(goal, email=email, problem=error.message)
            headers = {"retry-after": str(error.retry_after_s)}
            return HTMLResponse(page, status_code=error.status, headers=headers)
        if user is None:
            problem = "That email and password do not belong together."
            page = _sign_in_page(goal, email=email, problem=problem)
            return HTMLResponse(page, status_code=403)
        response = RedirectResponse(goal, status_code=303)
        await self._sessions.start(request, response, user.id)
        return response

    async def show_link(self, request: Request) -> Response:
        """`GET /sign-in/link`: a button only.

        Chat programs and virus scanners open the links that they see; one that
        signed in by itself would be used up before its reader came.
        """
        token = request.query_params.get("token", "")
        return HTMLResponse(render("link.html", token=token))

    async def submit_link(self, request: Request) -> Response:
        """`POST /sign-in/link`."""
        token = (await form(request)).get("token", "")
        if not await run_in_threadpool(self._catalog.redeem_sign_in_link, token):
            raise ForbiddenError(
                "this link was used already or is too old; run `clamp user link` on"
                " the server for a new one"
            )
        response = RedirectResponse("/account", status_code=303)
        await self._sessions.start(request, response, None)
        return response

    async def sign_out(self, request: Request, _: WebSession) -> Response:
        """`POST /sign-out`."""
        response = RedirectResponse("/sign-in", status_code=303)
        await self._sessions.end(request, response)
        return response


def _sign_in_page(
    goal: str, *, email: str = "", problem: str = "", has_users: bool = True
) -> str:
    return render(
        "sign_in.html", goal=goal, email=email, problem=problem, has_users=has_users
    )
