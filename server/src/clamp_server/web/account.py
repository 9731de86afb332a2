"""The account page: a first email and password, or another password."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clamp_server.errors import CatalogError, RateLimitedError
from clamp_server.model.project import User, WebSession
from clamp_server.store.catalog import Catalog
from clamp_server.web.form import form
from clamp_server.web.password import MIN_PASSWORD_CHARACTERS, password_hash
from clamp_server.web.session import Sessions
from clamp_server.web.sign_in import PasswordCheck
from clamp_server.web.template import render


class Account:
    """The page of the one who is signed in."""

    def __init__(
        self, catalog: Catalog, sessions: Sessions, passwords: PasswordCheck
    ) -> None:
        self._catalog = catalog
        self._sessions = sessions
        self._passwords = passwords

    async def show(self, request: Request, session: WebSession) -> Response:
        """`GET /account`."""
        is_saved = "saved" in request.query_params
        return HTMLResponse(_account_page(session.user, is_saved=is_saved))

    async def submit(self, request: Request, session: WebSession) -> Response:
        """`POST /account`; whoever came by a link may set anybody's password.

        Only somebody with the server's files can make a link, and could as well
        run `clamp user password`.
        """
        fields = await form(request)
        email, password = fields.get("email", ""), fields.get("password", "")
        try:
            if session.user is None:
                user = await run_in_threadpool(self._set_password, email, password)
            else:
                user = session.user
                current = fields.get("current", "")
                await self._change_password(user, current, password)
        except CatalogError as error:
            page = _account_page(session.user, email=email, problem=str(error))
            return HTMLResponse(page, status_code=400)
        except RateLimitedError as error:
            page = _account_page(session.user, problem=error.message)
            headers = {"retry-after": str(error.retry_after_s)}
            return HTMLResponse(page, status_code=error.status, headers=headers)
        goal = "/" if session.user is None else "/account?saved"
        response = RedirectResponse(goal, status_code=303)
        await self._sessions.start(request, response, user.id)
        return response

    async def _change_password(self, user: User, current: str, new: str) -> None:
        if await self._passwords.user(user.email, current) is None:
            raise CatalogError("the current password is another one")
        new_hash = await run_in_threadpool(password_hash, new)
        await run_in_threadpool(self._catalog.set_password_hash, user.email, new_hash)

    def _set_password(self, email: str, password: str) -> User:
        new_hash = password_hash(password)
        known = self._catalog.user_by_email(email)
        if known is None:
            return self._catalog.create_user(email, new_hash)
        self._catalog.set_password_hash(email, new_hash)
        return known[0]


def _account_page(
    user: User | None, *, email: str = "", problem: str = "", is_saved: bool = False
) -> str:
    return render(
        "account.html",
        user=user,
        email=email,
        problem=problem,
        is_saved=is_saved,
        min_characters=MIN_PASSWORD_CHARACTERS,
    )
