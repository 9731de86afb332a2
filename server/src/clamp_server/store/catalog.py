"""Projects, keys, people and what is saved: few rows, in any SQL database.

Of a secret (an API key, a sign-in link, a session's token) only its SHA-256 is
kept: a secret of 256 random bits cannot be guessed back, so the slow hash that a
password needs would only slow every request.
"""

from __future__ import annotations

from clamp_server.store.catalog_definitions import CatalogDefinitions
from clamp_server.store.catalog_people import CatalogPeople
from clamp_server.store.catalog_projects import CatalogProjects, ProjectChanges

__all__ = ["Catalog", "ProjectChanges"]


class Catalog(CatalogProjects, CatalogPeople, CatalogDefinitions):
    """The whole catalog, behind one door.

    Every method raises `StoreUnavailableError` when the database cannot be used
    now: locked by another process for too long, a full disk.
    """
