"""The catalog's saved funnels, cohorts and alerts.

What is written into it has been checked: `model` says what is allowed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from clamp_server.errors import ConflictError, InvalidRequestError, NotFoundError
from clamp_server.model.alert import Alert, Condition
from clamp_server.model.cohort import Cohort, CohortDefinition
from clamp_server.model.funnel import Funnel
from clamp_server.model.ids import ProjectId
from clamp_server.store.catalog_database import ID_CHARACTERS, CatalogDatabase
from clamp_server.store.catalog_snapshot import secret_sha256
from clamp_server.store.catalog_tables import ALERTS, COHORTS, FUNNELS

# Of each kind in a project. A list asks the store once for every funnel or cohort in
# it; of more, it would take minutes where there are ten million events.
MOST_SAVED = 50

Saved = TypeVar("Saved", Funnel, Cohort, Alert)


class CatalogDefinitions(CatalogDatabase):
    """What is asked and changed about a project's funnels, cohorts and alerts."""

    def save_funnel(
        self, project_id: ProjectId, name: str, steps: tuple[str, ...]
    ) -> Funnel:
        """Save a funnel.

        Raises:
            ConflictError: The project has one of this name.
            InvalidRequestError: It has `MOST_SAVED` already.
        """
        funnel = Funnel(
            id=f"funnel_{self._token()[:ID_CHARACTERS]}",
            name=name,
            steps=steps,
            created_at=self._clock(),
        )
        self._save(FUNNELS, project_id, funnel)
        return funnel

    def funnels(self, project_id: ProjectId) -> list[Funnel]:
        """Return a project's funnels, oldest first."""
        return [_funnel(row) for row in self._saved(FUNNELS, project_id)]

    def funnel(self, project_id: ProjectId, name: str) -> Funnel:
        """Return one funnel.

        Raises:
            NotFoundError: There is none of this name.
        """
        return _funnel(self._one(FUNNELS, project_id, "name", name))

    def delete_funnel(self, project_id: ProjectId, name: str) -> None:
        """Delete a funnel.

        Raises:
            NotFoundError: There is none of this name.
        """
        self._delete(FUNNELS, project_id, "name", name)

    def save_cohort(
        self, project_id: ProjectId, name: str, definition: CohortDefinition
    ) -> Cohort:
        """Save a cohort.

        Raises:
            ConflictError: The project has one of this name.
            InvalidRequestError: It has `MOST_SAVED` already.
        """
        cohort = Cohort(
            id=f"cohort_{self._token()[:ID_CHARACTERS]}",
            name=name,
            definition=definition,
            created_at=self._clock(),
        )
        self._save(COHORTS, project_id, cohort)
        return cohort

    def cohorts(self, project_id: ProjectId) -> list[Cohort]:
        """Return a project's cohorts, oldest first."""
        return [_cohort(row) for row in self._saved(COHORTS, project_id)]

    def cohort(self, project_id: ProjectId, name: str) -> Cohort:
        """Return one cohort.

        Raises:
            NotFoundError: There is none of this name.
        """
        return _cohort(self._one(COHORTS, project_id, "name", name))

    def delete_cohort(self, project_id: ProjectId, name: str) -> None:
        """Delete a cohort.

        Raises:
            NotFoundError: There is none of this name.
        """
        self._delete(COHORTS, project_id, "name", name)

    def save_alert(
        self,
        project_id: ProjectId,
        *,
        metric: str,
        condition: Condition,
        threshold: float,
        period: str,
        pathname: str | None,
    ) -> Alert:
        """Save an alert; two that are alike are two.

        Raises:
            InvalidRequestError: The project has `MOST_SAVED` already.
        """
        # The token is random enough; the catalog has no other dice.
        digest = bytes.fromhex(secret_sha256(self._token()))
        alert = Alert(
            id=str(UUID(bytes=digest[:16], version=4)),
            metric=metric,
            condition=condition,
            threshold=threshold,
            period=period,
            pathname=pathname,
            created_at=self._clock(),
        )
        self._save(ALERTS, project_id, alert)
        return alert

    def alerts(self, project_id: ProjectId) -> list[Alert]:
        """Return a project's alerts, oldest first."""
        return [_alert(row) for row in self._saved(ALERTS, project_id)]

    def delete_alert(self, project_id: ProjectId, id_: str) -> None:
        """Delete an alert.

        Raises:
            NotFoundError: There is none of this id.
        """
        self._delete(ALERTS, project_id, "id", id_)

    def _save(self, table: Table, project_id: ProjectId, saved: Saved) -> None:
        # As JSON has them, but for the instant, which has a type of its own.
        columns = msgspec.to_builtins(saved, builtin_types=(datetime,))
        try:
            with self._changes() as connection:
                connection.execute(
                    insert(table).values(project_id=project_id, **columns)
                )
                # Afterwards: a name that exists is the better answer of the two.
                _check_count(connection, table, project_id)
        except IntegrityError as error:
            raise ConflictError(
                f"name: there is a {_kind(table)} {columns['name'][:60]!r} already;"
                " delete that one or choose another name"
            ) from error

    def _saved(self, table: Table, project_id: ProjectId) -> list[Row[Any]]:
        with self._reads() as connection:
            return [
                *connection.execute(
                    select(table)
                    .where(table.c.project_id == project_id)
                    .order_by(table.c.created_at, table.c.id)
                )
            ]

    def _one(
        self, table: Table, project_id: ProjectId, column: str, value: str
    ) -> Row[Any]:
        with self._reads() as connection:
            row = connection.execute(
                select(table).where(*_is(table, project_id, column, value))
            ).one_or_none()
        if row is None:
            raise _nothing(table, column, value)
        return row

    def _delete(
        self, table: Table, project_id: ProjectId, column: str, value: str
    ) -> None:
        with self._changes() as connection:
            deleted = connection.execute(
                delete(table).where(*_is(table, project_id, column, value))
            ).rowcount
        if not deleted:
            raise _nothing(table, column, value)


def _check_count(connection: Connection, table: Table, project_id: ProjectId) -> None:
    """Raise, and so undo the change, where a project now has too many."""
    count = connection.execute(
        select(func.count()).select_from(table).where(table.c.project_id == project_id)
    ).scalar_one()
    if count > MOST_SAVED:
        raise InvalidRequestError(
            f"{table.name}: a project can save {MOST_SAVED}, and this one has;"
            " delete one that nobody needs"
        )


def _is(
    table: Table, project_id: ProjectId, column: str, value: str
) -> tuple[ColumnElement[bool], ...]:
    return table.c.project_id == project_id, table.c[column] == value


def _kind(table: Table) -> str:
    return table.name.removesuffix("s")


def _nothing(table: Table, column: str, value: str) -> NotFoundError:
    return NotFoundError(
        f"{column}: there is no {_kind(table)} {value[:60]!r} in this project"
    )


def _funnel(row: Row[Any]) -> Funnel:
    return Funnel(
        id=row.id, name=row.name, steps=tuple(row.steps), created_at=row.created_at
    )


def _cohort(row: Row[Any]) -> Cohort:
    return Cohort(
        id=row.id,
        name=row.name,
        definition=msgspec.convert(row.definition, CohortDefinition),
        created_at=row.created_at,
    )


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        id=row.id,
        metric=row.metric,
        condition=row.condition,
        threshold=row.threshold,
        period=row.period,
        pathname=row.pathname,
        created_at=row.created_at,
    )
