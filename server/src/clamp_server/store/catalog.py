"""Projects, keys and people: few rows that change, in any SQL database.

Of a secret (an API key, a sign-in link, a session's token) only its SHA-256 is
kept: a secret of 256 random bits cannot be guessed back, so the slow hash that a
password needs would only slow every request.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypedDict, Unpack

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from clamp_server.clock import Clock
from clamp_server.errors import CatalogError, ConfigError, StoreUnavailableError
from clamp_server.model.ids import API_KEY_PREFIX, KeyId, ProjectId, UserId
from clamp_server.model.project import Key, NewKey, Project, User, WebSession
from clamp_server.store.catalog_migration import migrate_catalog
from clamp_server.store.catalog_rules import (
    checked_email,
    checked_name,
    checked_origins,
    checked_rate_limit,
    checked_time_zone,
)
from clamp_server.store.catalog_snapshot import CatalogSnapshot, secret_sha256
from clamp_server.store.catalog_tables import (
    KEYS,
    PROJECTS,
    SIGN_IN_LINKS,
    USERS,
    WEB_SESSIONS,
)
from clamp_server.store.private_path import make_private_directory, make_private_file

# How long a statement waits for another process to finish its change.
BUSY_TIMEOUT_S = 10.0
ID_CHARACTERS = 16


class ProjectChanges(TypedDict, total=False):
    """What can be changed about a project; what is left out stays."""

    name: str
    time_zone: str
    allowed_origins: tuple[str, ...]
    rate_limit_per_s: int | None


class Catalog:
    """The catalog at one database URL; several processes may use it at once.

    Args:
        url: SQLAlchemy URL; a SQLite file is made when it is missing.
        token: Draws a fresh secret: 43 URL-safe characters, 256 random bits.
    """

    def __init__(self, url: str, clock: Clock, token: Callable[[], str]) -> None:
        self._clock = clock
        self._token = token
        self._engine = _engine(url)
        self._writing = self._engine.execution_options(clamp_writes=True)

    def migrate(self) -> None:
        """Bring the tables up to this release; does nothing when they are.

        Raises:
            ConfigError: A newer release has written this catalog, or the
                database cannot be opened.
        """
        try:
            with self._writing.begin() as connection:
                migrate_catalog(connection)
        except DBAPIError as error:
            raise ConfigError(
                f"cannot open the catalog {self._engine.url!s}: {error.orig}"
            ) from error

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    def create_project(
        self,
        name: str,
        *,
        time_zone: str = "UTC",
        allowed_origins: tuple[str, ...] = (),
        rate_limit_per_s: int | None = None,
    ) -> Project:
        """Make a project.

        Raises:
            CatalogError: A value is outside of what `catalog_rules.py` allows.
        """
        project = Project(
            id=ProjectId(f"proj_{self._token()[:ID_CHARACTERS]}"),
            name=checked_name(name),
            created_at=self._clock(),
            time_zone=checked_time_zone(time_zone),
            allowed_origins=checked_origins(allowed_origins),
            rate_limit_per_s=checked_rate_limit(rate_limit_per_s),
        )
        with self._writing.begin() as connection:
            connection.execute(
                insert(PROJECTS).values(
                    id=project.id,
                    name=project.name,
                    created_at=project.created_at,
                    time_zone=project.time_zone,
                    allowed_origins=" ".join(project.allowed_origins),
                    rate_limit_per_s=project.rate_limit_per_s,
                )
            )
        return project

    def update_project(
        self, project_id: ProjectId, **changes: Unpack[ProjectChanges]
    ) -> Project:
        """Change what `changes` names, and return the whole project.

        Raises:
            CatalogError: There is no such project, or a value is not allowed.
        """
        with self._writing.begin() as connection:
            row = connection.execute(
                update(PROJECTS)
                .where(PROJECTS.c.id == project_id)
                # The id, so that no change at all is a statement as well.
                .values({"id": project_id, **_checked(changes)})
                .returning(PROJECTS)
            ).one_or_none()
        if row is None:
            raise _no_project(project_id)
        return _project(row)

    def project(self, project_id: ProjectId) -> Project | None:
        """Return one project; None when there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(PROJECTS).where(PROJECTS.c.id == project_id)
            ).one_or_none()
        return None if row is None else _project(row)

    def projects(self) -> list[Project]:
        """Return every project, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(PROJECTS).order_by(PROJECTS.c.created_at, PROJECTS.c.id)
            ).all()
        return [_project(row) for row in rows]

    def create_key(self, project_id: ProjectId) -> NewKey:
        """Make an API key; its secret is in the answer and nowhere else.

        Raises:
            CatalogError: There is no such project.
        """
        api_key = API_KEY_PREFIX + self._token()
        key = Key(
            id=KeyId(f"key_{self._token()[:ID_CHARACTERS]}"),
            project_id=project_id,
            hint=api_key[-4:],
            created_at=self._clock(),
        )
        try:
            with self._writing.begin() as connection:
                connection.execute(
                    insert(KEYS).values(
                        id=key.id,
                        project_id=project_id,
                        api_key_sha256=secret_sha256(api_key),
                        hint=key.hint,
                        created_at=key.created_at,
                    )
                )
        except IntegrityError as error:
            raise _no_project(project_id) from error
        return NewKey(key=key, api_key=api_key)

    def keys(self, project_id: ProjectId) -> list[Key]:
        """Return a project's keys, oldest first, revoked ones too."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(KEYS)
                .where(KEYS.c.project_id == project_id)
                .order_by(KEYS.c.created_at, KEYS.c.id)
            ).all()
        return [_key(row) for row in rows]

    def revoke_key(self, key_id: KeyId) -> Key:
        """End a key; one that has ended keeps the time of its first end.

        Raises:
            CatalogError: There is no such key.
        """
        with self._writing.begin() as connection:
            connection.execute(
                update(KEYS)
                .where(KEYS.c.id == key_id, KEYS.c.revoked_at.is_(None))
                .values(revoked_at=self._clock())
            )
            row = connection.execute(
                select(KEYS).where(KEYS.c.id == key_id)
            ).one_or_none()
        if row is None:
            raise CatalogError(
                f"there is no key {key_id!r}; `clamp key list PROJECT_ID` shows them"
            )
        return _key(row)

    def project_and_key(self, api_key: str) -> tuple[Project, Key] | None:
        """Find whose key this is; None when nobody's.

        A revoked key is found too: the caller looks at `revoked_at`.
        """
        with self._engine.connect() as connection:
            key = connection.execute(
                select(KEYS).where(KEYS.c.api_key_sha256 == secret_sha256(api_key))
            ).one_or_none()
            if key is None:
                return None
            project = connection.execute(
                select(PROJECTS).where(PROJECTS.c.id == key.project_id)
            ).one()
        return _project(project), _key(key)

    def snapshot(self) -> CatalogSnapshot:
        """Read every project and key at one instant.

        Raises:
            StoreUnavailableError: The database cannot answer now.
        """
        try:
            with self._engine.connect() as connection:
                projects = connection.execute(select(PROJECTS)).all()
                keys = connection.execute(select(KEYS)).all()
        except DBAPIError as error:
            raise StoreUnavailableError("the catalog cannot be read") from error
        return CatalogSnapshot(
            projects={row.id: _project(row) for row in projects},
            keys={row.api_key_sha256: _key(row) for row in keys},
        )

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
            with self._writing.begin() as connection:
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
        with self._writing.begin() as connection:
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
        with self._engine.connect() as connection:
            row = connection.execute(
                select(USERS).where(USERS.c.email == email.strip().lower())
            ).one_or_none()
        return None if row is None else (_user(row), row.password_hash)

    def users(self) -> list[User]:
        """Return everybody who may sign in, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(USERS).order_by(USERS.c.created_at, USERS.c.id)
            ).all()
        return [_user(row) for row in rows]

    def delete_user(self, email: str) -> None:
        """Remove a person, and sign them out everywhere.

        Raises:
            CatalogError: There is no such user.
        """
        with self._writing.begin() as connection:
            found = connection.execute(
                delete(USERS).where(USERS.c.email == checked_email(email))
            )
        if found.rowcount == 0:
            raise _no_user(email)

    def create_sign_in_link(self, lifetime: timedelta) -> str:
        """Return a token that signs in once, within `lifetime`."""
        token = self._token()
        with self._writing.begin() as connection:
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
        with self._writing.begin() as connection:
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
        with self._writing.begin() as connection:
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
        with self._engine.connect() as connection:
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
        with self._writing.begin() as connection:
            connection.execute(
                delete(WEB_SESSIONS).where(
                    WEB_SESSIONS.c.token_sha256 == secret_sha256(token)
                )
            )


def _engine(url: str) -> Engine:
    engine = create_engine(url)
    path = engine.url.database
    if engine.dialect.name == "sqlite" and path:
        make_private_directory(Path(path).parent)
        make_private_file(Path(path))
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Python's own driver would begin transactions by itself, and only before
    # some statements; `_begin_sqlite` does it for all.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads before it writes cannot wait for another writer:
    # SQLite ends it with "database is locked" at once. So a writer says so
    # first, and waits there.
    writes = connection.get_execution_options().get("clamp_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _checked(changes: ProjectChanges) -> dict[str, str | int | None]:
    checked: dict[str, str | int | None] = {}
    if "name" in changes:
        checked["name"] = checked_name(changes["name"])
    if "time_zone" in changes:
        checked["time_zone"] = checked_time_zone(changes["time_zone"])
    if "allowed_origins" in changes:
        origins = checked_origins(changes["allowed_origins"])
        checked["allowed_origins"] = " ".join(origins)
    if "rate_limit_per_s" in changes:
        checked["rate_limit_per_s"] = checked_rate_limit(changes["rate_limit_per_s"])
    return checked


def _project(row: Row[Any]) -> Project:
    return Project(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        time_zone=row.time_zone,
        allowed_origins=tuple(row.allowed_origins.split()),
        rate_limit_per_s=row.rate_limit_per_s,
    )


def _key(row: Row[Any]) -> Key:
    return Key(
        id=row.id,
        project_id=row.project_id,
        hint=row.hint,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def _user(row: Row[Any]) -> User:
    return User(id=row.id, email=row.email, created_at=row.created_at)


def _no_project(project_id: ProjectId) -> CatalogError:
    return CatalogError(
        f"there is no project {project_id!r}; `clamp project list` shows them"
    )


def _no_user(email: str) -> CatalogError:
    return CatalogError(f"there is no user {email!r}; `clamp user list` shows them")
