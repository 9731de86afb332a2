"""The catalog's people: who may sign in, and which browsers are signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from clamp_server.errors import CatalogError
from clamp_server.model.ids import UserId
from clamp_server.model.project import User, WebSession
from clamp_server.store.catalog_database import ID_CHARACTERS, CatalogDatabase
from clamp_server.store.catalog_rules import checked_email
from clamp_server.store.catalog_snapshot import secret_sha256
from clamp_server.store.catalog_tables import SIGN_IN_LINKS, USERS, WEB_SESSIONS


class CatalogPeople(CatalogDatabase):
    """What is asked and changed about users, sign-in links and web sessions."""

    def create_user(self, email: str, password_hash: str) -> User:
        """Make a person who may sign in.

        Raises:
            CatalogError: The address is malformed or taken.
        """
        user = User(
            id=UserId(f"user_{self._token()[:ID_CHARACTERS]}"),
            email=checked_email(email),
            created_at=self._clock(),
        )
        try:
            with self._changes() as connection:
                connection.execute(
                    insert(USERS).values(
                        id=user.id,
                        email=user.email,
                        password_hash=password_hash,
                        created_at=user.created_at,
                    )
                )
        except IntegrityError as error:
            raise CatalogError(f"there is a user {user.email} already") from error
        return user

    def set_password_hash(self, email: str, password_hash: str) -> None:
        """Replace a password, and sign that person out everywhere.

        Raises:
            CatalogError: There is no such user.
        """
        with self._changes() as connection:
            user_id = connection.execute(
                update(USERS)
                .where(USERS.c.email == checked_email(email))
                .values(password_hash=password_hash)
                .returning(USERS.c.id)
            ).scalar_one_or_none()
            if user_id is None:
                raise _no_user(email)
            connection.execute(
                delete(WEB_SESSIONS).where(WEB_SESSIONS.c.user_id == user_id)
            )

    def user_by_email(self, email: str) -> tuple[User, str] | None:
        """Return a person and the hash of their password; None for a stranger."""
        with self._reads() as connection:
            row = connection.execute(
                select(USERS).where(USERS.c.email == email.strip().lower())
            ).one_or_none()
        return None if row is None else (_user(row), row.password_hash)

    def users(self) -> list[User]:
        """Return everybody who may sign in, oldest first."""
        with self._reads() as connection:
            rows = connection.execute(
                select(USERS).order_by(USERS.c.created_at, USERS.c.id)
            ).all()
        return [_user(row) for row in rows]

    def delete_user(self, email: str) -> None:
        """Remove a person, and sign them out everywhere.

        Raises:
            CatalogError: There is no such user.
        """
        with self._changes() as connection:
            found = connection.execute(
                delete(USERS).where(USERS.c.email == checked_email(email))
            )
        if found.rowcount == 0:
            raise _no_user(email)

    def create_sign_in_link(self, lifetime: timedelta) -> str:
        """Return a token that signs in once, within `lifetime`."""
        token = self._token()
        with self._changes() as connection:
            connection.execute(
                insert(SIGN_IN_LINKS).values(
                    token_sha256=secret_sha256(token),
                    expires_at=self._clock() + lifetime,
                )
            )
        return token

    def redeem_sign_in_link(self, token: str) -> bool:
        """Use a link up: True for exactly one caller, and only in time."""
        now = self._clock()
        with self._changes() as connection:
            expires_at = connection.execute(
                delete(SIGN_IN_LINKS)
                .where(SIGN_IN_LINKS.c.token_sha256 == secret_sha256(token))
                .returning(SIGN_IN_LINKS.c.expires_at)
            ).scalar_one_or_none()
            connection.execute(
                delete(SIGN_IN_LINKS).where(SIGN_IN_LINKS.c.expires_at <= now)
            )
        return expires_at is not None and now < expires_at

    def create_web_session(self, user_id: UserId | None, lifetime: timedelta) -> str:
        """Sign a browser in and return its token; None is a link's bearer."""
        token, now = self._token(), self._clock()
        with self._changes() as connection:
            connection.execute(
                delete(WEB_SESSIONS).where(WEB_SESSIONS.c.expires_at <= now)
            )
            connection.execute(
                insert(WEB_SESSIONS).values(
                    token_sha256=secret_sha256(token),
                    user_id=user_id,
                    created_at=now,
                    expires_at=now + lifetime,
                )
            )
        return token

    def web_session(self, token: str) -> WebSession | None:
        """Return who this token signed in; None when unknown or over."""
        with self._reads() as connection:
            row = connection.execute(
                select(WEB_SESSIONS).where(
                    WEB_SESSIONS.c.token_sha256 == secret_sha256(token),
                    WEB_SESSIONS.c.expires_at > self._clock(),
                )
            ).one_or_none()
            if row is None:
                return None
            user = connection.execute(
                select(USERS).where(USERS.c.id == row.user_id)
            ).one_or_none()
        return WebSession(
            user=None if user is None else _user(user),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )

    def delete_web_session(self, token: str) -> None:
        """Sign a browser out; an unknown token is no error."""
        with self._changes() as connection:
            connection.execute(
                delete(WEB_SESSIONS).where(
                    WEB_SESSIONS.c.token_sha256 == secret_sha256(token)
                )
            )


def _user(row: Row[Any]) -> User:
    return User(id=row.id, email=row.email, created_at=row.created_at)


def _no_user(email: str) -> CatalogError:
    return CatalogError(f"there is no user {email!r}; `clamp user list` shows them")
