"""The catalog's projects and their API keys."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from clamp_server.errors import CatalogError
from clamp_server.model.ids import API_KEY_PREFIX, KeyId, ProjectId
from clamp_server.model.project import Key, NewKey, Project
from clamp_server.store.catalog_database import ID_CHARACTERS, CatalogDatabase
from clamp_server.store.catalog_rules import (
    checked_name,
    checked_origins,
    checked_rate_limit,
    checked_time_zone,
)
from clamp_server.store.catalog_snapshot import CatalogSnapshot, secret_sha256
from clamp_server.store.catalog_tables import KEYS, PROJECTS


class ProjectChanges(TypedDict, total=False):
    """What can be changed about a project; what is left out stays."""

    name: str
    time_zone: str
    allowed_origins: tuple[str, ...]
    rate_limit_per_s: int | None


class CatalogProjects(CatalogDatabase):
    """What is asked and changed about projects and keys."""

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
        with self._changes() as connection:
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
        with self._changes() as connection:
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
        with self._reads() as connection:
            row = connection.execute(
                select(PROJECTS).where(PROJECTS.c.id == project_id)
            ).one_or_none()
        return None if row is None else _project(row)

    def projects(self) -> list[Project]:
        """Return every project, oldest first."""
        with self._reads() as connection:
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
            with self._changes() as connection:
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
        with self._reads() as connection:
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
        with self._changes() as connection:
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
        with self._reads() as connection:
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
        """Read every project and key at one instant."""
        with self._reads() as connection:
            projects = connection.execute(select(PROJECTS)).all()
            keys = connection.execute(select(KEYS)).all()
        return CatalogSnapshot(
            projects={row.id: _project(row) for row in projects},
            keys={row.api_key_sha256: _key(row) for row in keys},
        )


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


def _no_project(project_id: ProjectId) -> CatalogError:
    return CatalogError(
        f"there is no project {project_id!r}; `clamp project list` shows them"
    )
