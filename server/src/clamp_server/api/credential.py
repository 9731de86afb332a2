"""Whose key a request brings: answered from memory, at most a second old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from clamp_server.errors import UnauthorizedError
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project
from clamp_server.store.catalog_snapshot import CatalogSnapshot

# A key that is revoked, and a setting that is changed, hold after this long.
FRESH_S = 1.0
# Who is unknown is looked up again, so that a key works the moment it is made;
# but all strangers together cause no more than ten reads of the catalog a second.
MIN_READ_EVERY_S = 0.1

_NOTHING = CatalogSnapshot(projects={}, keys={})


class Credentials:
    """Projects and keys for requests, without a database query for each.

    Args:
        read: Reads the catalog; called in a thread, one call at a time.
    """

    def __init__(
        self,
        read: Callable[[], CatalogSnapshot],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._monotonic_s = monotonic_s
        self._known = _NOTHING
        self._known_at_s = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def project_of_key(self, api_key: str | None) -> Project:
        """Return the project that a key belongs to.

        Raises:
            UnauthorizedError: No key, an unknown key or a revoked one.
            StoreUnavailableError: The catalog cannot be read now.
        """
        if not api_key:
            raise UnauthorizedError(
                "x-clamp-key: got nothing; a project's API key is needed"
            )
        asked_at_s = self._monotonic_s()
        if self._known_at_s < asked_at_s - FRESH_S:
            await self._read_since(asked_at_s - FRESH_S)
        found = self._known.project_and_key(api_key)
        if found is None:
            await self._read_since(asked_at_s)
            found = self._known.project_and_key(api_key)
        if found is None:
            raise UnauthorizedError(
                "x-clamp-key: got an unknown key; `clamp key create` makes one"
            )
        project, key = found
        if key.revoked_at is not None:
            raise UnauthorizedError(
                "x-clamp-key: got a revoked key; `clamp key create` makes another"
            )
        return project

    async def project(self, project_id: ProjectId) -> Project | None:
        """Return a project; None when there is none.

        Raises:
            StoreUnavailableError: The catalog cannot be read now.
        """
        asked_at_s = self._monotonic_s()
        await self._read_since(asked_at_s - FRESH_S)
        if project_id not in self._known.projects:
            await self._read_since(asked_at_s)
        return self._known.projects.get(project_id)

    async def check(self) -> None:
        """Check that the catalog can be read.

        Raises:
            StoreUnavailableError: It cannot.
        """
        await self._read_since(self._monotonic_s() - FRESH_S)

    async def _read_since(self, instant_s: float) -> None:
        while self._known_at_s < instant_s:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read_again())
            # Shielded: whoever goes away takes no other's answer along.
            await asyncio.shield(self._reading)

    async def _read_again(self) -> None:
        try:
            wait_s = self._known_at_s + MIN_READ_EVERY_S - self._monotonic_s()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            started_at_s = self._monotonic_s()
            self._known = await asyncio.to_thread(self._read)
            self._known_at_s = started_at_s
        finally:
            self._reading = None
