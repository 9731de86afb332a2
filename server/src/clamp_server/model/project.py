"""Projects, their keys, and the people who may look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.ids import KeyId, ProjectId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One product whose events are kept apart from all others.

    Attributes:
        time_zone: IANA name; calendar days in answers are days there.
        allowed_origins: Web origins whose browsers may send, such as
            `https://shop.example`; empty allows every origin.
        rate_limit_per_s: Events a second, sustained, with a burst of the same
            size; None for no limit.
    """

    id: ProjectId
    name: str
    created_at: datetime
    time_zone: str = "UTC"
    allowed_origins: tuple[str, ...] = ()
    rate_limit_per_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A project's API key, without its secret.

    Attributes:
        hint: Last four characters of the secret, to tell keys apart.
    """

    id: KeyId
    project_id: ProjectId
    hint: str
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key at its making: the only time that its secret exists in the clear."""

    key: Key
    api_key: str

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r}, api_key='sk_proj_...')"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who may sign in and see every project of this server."""

    id: UserId
    email: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """One browser that is signed in to the pages.

    Attributes:
        user: Who signed in; None for the bearer of a one-time sign-in link.
    """

    user: User | None
    created_at: datetime
    expires_at: datetime
