"""Which events a question is about."""

from __future__ import annotations

from dataclasses import dataclass

from clamp_server.model.dimension import Dimension
from clamp_server.model.ids import ProjectId
from clamp_server.model.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One project's events in one period that every filter holds for.

    Attributes:
        filters: Exact values, at most one a dimension, in any order.
        leaves_out_bots: Whether visits of crawlers are not counted. A filter
            on `device_type` asks for one kind, so it wins over this.
    """

    project_id: ProjectId
    period: Period
    filters: tuple[tuple[Dimension, str], ...] = ()
    leaves_out_bots: bool = False

    @property
    def filtered(self) -> tuple[Dimension, ...]:
        """The dimensions that have a filter."""
        return tuple(dimension for dimension, _ in self.filters)

    @property
    def excludes_bots(self) -> bool:
        """Whether nothing of a crawler is in it."""
        return self.leaves_out_bots and "device_type" not in self.filtered
