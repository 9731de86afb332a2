"""The catalog's projects and keys as they were at one instant."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Key, Project


@dataclass(frozen=True, slots=True)
class CatalogSnapshot:
    """What decides whether a request may come in, without asking a database.

    Attributes:
        keys: Every key, revoked ones too, by the SHA-256 of its secret.
    """

    projects: Mapping[ProjectId, Project]
    keys: Mapping[str, Key]

    def project_and_key(self, api_key: str) -> tuple[Project, Key] | None:
        """Find whose key this is; None when nobody's.

        A revoked key is found too: the caller looks at `revoked_at`.
        """
        key = self.keys.get(secret_sha256(api_key))
        project = self.projects.get(key.project_id) if key else None
        return (project, key) if project and key else None


def secret_sha256(secret: str) -> str:
    """Return the form in which the catalog keeps a secret, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()
