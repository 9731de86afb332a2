"""The catalog's tables as the newest migration leaves them; a test compares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy import Column as SqlColumn


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, kept without its zone because SQLite has none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Take the zone off."""
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Put the zone back on."""
        return value and value.replace(tzinfo=UTC)


METADATA = MetaData()

PROJECTS = Table(
    "projects",
    METADATA,
    SqlColumn("id", String(64), primary_key=True),
    SqlColumn("name", String(200), nullable=False),
    SqlColumn("created_at", Instant, nullable=False),
    SqlColumn("time_zone", String(64), nullable=False),
    # Space-separated: an origin has no space in it.
    SqlColumn("allowed_origins", Text, nullable=False),
    SqlColumn("rate_limit_per_s", Integer, nullable=True),
)

KEYS = Table(
    "keys",
    METADATA,
    SqlColumn("id", String(64), primary_key=True),
    SqlColumn("project_id", ForeignKey("projects.id"), nullable=False, index=True),
    SqlColumn("api_key_sha256", String(64), nullable=False, unique=True),
    SqlColumn("hint", String(4), nullable=False),
    SqlColumn("created_at", Instant, nullable=False),
    SqlColumn("revoked_at", Instant, nullable=True),
)

USERS = Table(
    "users",
    METADATA,
    SqlColumn("id", String(64), primary_key=True),
    SqlColumn("email", String(254), nullable=False, unique=True),
    SqlColumn("password_hash", Text, nullable=False),
    SqlColumn("created_at", Instant, nullable=False),
)

SIGN_IN_LINKS = Table(
    "sign_in_links",
    METADATA,
    SqlColumn("token_sha256", String(64), primary_key=True),
    SqlColumn("expires_at", Instant, nullable=False),
)

WEB_SESSIONS = Table(
    "web_sessions",
    METADATA,
    SqlColumn("token_sha256", String(64), primary_key=True),
    SqlColumn("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=True),
    SqlColumn("created_at", Instant, nullable=False),
    SqlColumn("expires_at", Instant, nullable=False),
)


def _saved(name: str, *columns: SqlColumn[Any] | UniqueConstraint) -> Table:
    return Table(
        name,
        METADATA,
        SqlColumn("id", String(64), primary_key=True),
        SqlColumn("project_id", ForeignKey("projects.id"), nullable=False, index=True),
        SqlColumn("created_at", Instant, nullable=False),
        *columns,
    )


FUNNELS = _saved(
    "funnels",
    SqlColumn("name", String(200), nullable=False),
    SqlColumn("steps", JSON, nullable=False),
    UniqueConstraint("project_id", "name"),
)

COHORTS = _saved(
    "cohorts",
    SqlColumn("name", String(200), nullable=False),
    SqlColumn("definition", JSON, nullable=False),
    UniqueConstraint("project_id", "name"),
)

ALERTS = _saved(
    "alerts",
    SqlColumn("metric", String(64), nullable=False),
    SqlColumn("condition", String(64), nullable=False),
    SqlColumn("threshold", Float(53), nullable=False),
    SqlColumn("period", String(64), nullable=False),
    SqlColumn("pathname", Text, nullable=True),
)
