"""The events of a scope, as SQL.

Every question reads its events through `scoped` and never from the table, so
what an event's channel or country *is* gets decided in this one place.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.model.scope import Scope
from clamp_server.store.session_sql import server_events
from clamp_server.store.sql import Sql, Value

VISITORS: LiteralString = "count(DISTINCT nullif(anonymous_id, ''))"
"""The visitors of a group of events; one without an anonymous id has none."""

PEOPLE: LiteralString = (
    "count(DISTINCT coalesce(nullif(user_id, ''), nullif(anonymous_id, '')))"
)
"""The users of a group of events, by anonymous id where no user is known."""


def scoped(
    scope: Scope,
    start: datetime | None = None,
    *,
    from_sessions: Collection[Dimension] = (),
) -> Sql:
    """Write the SELECT of every column of the events in `scope`.

    It binds `$project_id`, `$start`, `$end` and one `$filter_...` a filter.

    Args:
        start: An earlier start than the period's, for what compares two
            periods; `$start` is then this one.
        from_sessions: Dimensions that a server event takes from its visitor's
            session, see `session_sql`; by default every event has its own.
    """
    values: dict[str, Value] = {
        "project_id": scope.project_id,
        "start": start or scope.period.start,
        "end": scope.period.end,
    }
    taken = set(from_sessions)
    among: LiteralString = "true"
    conditions: list[LiteralString] = []
    for dimension, value in scope.filters:
        conditions.append(f"{dimension} = $filter_{dimension}")
        values[f"filter_{dimension}"] = value
    if scope.leaves_out_bots and "device_type" not in scope.filtered:
        conditions.append("device_type <> 'bot'")
        # What a server tells of a bot's session is the bot's. Where nothing else
        # is taken from sessions, it is enough to look into those of such visitors.
        among = "true" if taken else _OF_BOTS
        taken.add("device_type")
    if not taken:
        return Sql(" AND ".join([_OWN, *conditions]), values)
    others: LiteralString = f"{_OWN} AND NOT (sent_by = 'server' AND {among})"
    joined: LiteralString = f"{others} UNION ALL {server_events(taken, among)}"
    values["pageview"] = "$pageview"
    condition: LiteralString = " AND ".join(conditions) or "true"
    return Sql(f"SELECT * FROM ({joined}) AS joined WHERE {condition}", values)


_OWN: LiteralString = """
    SELECT * FROM events
    WHERE project_id = $project_id AND occurred_at >= $start AND occurred_at < $end
"""
_OF_BOTS: LiteralString = """
    anonymous_id IN (
        SELECT anonymous_id FROM events
        WHERE project_id = $project_id AND device_type = 'bot' AND session_id <> ''
    )
"""
