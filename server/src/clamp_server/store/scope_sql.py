"""The events of a scope, as SQL.

Every question reads its events through `scoped` and never from the table, so
what an event's channel or country *is* gets decided in this one place.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from clamp_server.model.scope import Scope
from clamp_server.store.sql import Sql, Value

VISITORS: LiteralString = "count(DISTINCT nullif(anonymous_id, ''))"
"""The visitors of a group of events; one without an anonymous id has none."""

PEOPLE: LiteralString = (
    "count(DISTINCT coalesce(nullif(user_id, ''), nullif(anonymous_id, '')))"
)
"""The users of a group of events, by anonymous id where no user is known."""


def scoped(scope: Scope, start: datetime | None = None) -> Sql:
    """Write the SELECT of every column of the events in `scope`.

    It binds `$project_id`, `$start`, `$end` and one `$filter_...` a filter.

    Args:
        start: An earlier start than the period's, for what compares two
            periods; `$start` is then this one.
    """
    values: dict[str, Value] = {
        "project_id": scope.project_id,
        "start": start or scope.period.start,
        "end": scope.period.end,
    }
    conditions: list[LiteralString] = [
        "project_id = $project_id",
        "occurred_at >= $start",
        "occurred_at < $end",
    ]
    for dimension, value in scope.filters:
        conditions.append(f"{dimension} = $filter_{dimension}")
        values[f"filter_{dimension}"] = value
    if scope.leaves_out_bots and "device_type" not in dict(scope.filters):
        conditions.append("device_type <> 'bot'")
    return Sql("SELECT * FROM events WHERE " + " AND ".join(conditions), values)
