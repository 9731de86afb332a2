"""Saved funnels, cohorts and alerts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of what a project has saved."""
    op.create_table(
        "funnels",
        *_common(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("steps", sa.JSON, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "cohorts",
        *_common(),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "alerts",
        *_common(),
        sa.Column("metric", sa.String(64), nullable=False),
        sa.Column("condition", sa.String(64), nullable=False),
        sa.Column("threshold", sa.Float(53), nullable=False),
        sa.Column("period", sa.String(64), nullable=False),
        sa.Column("pathname", sa.Text, nullable=True),
    )


def _common() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column(
            "project_id",
            sa.String(64),
            sa.ForeignKey("projects.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
