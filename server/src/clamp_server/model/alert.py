"""Alerts: what somebody wants to be told of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

Condition: TypeAlias = Literal["above", "below", "drops_by", "increases_by"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
DEFAULT_ALERT_PERIOD = "7d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A saved alert.

    Attributes:
        id: A UUID.
        threshold: In the metric's unit, and in percent of the period before where
            the condition is a change.
        pathname: The one page that it is about; None for all.
    """

    id: str
    metric: str
    condition: Condition
    threshold: float
    period: str
    pathname: str | None
    created_at: datetime
