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
from clamp_server.store.schema import EVENTS
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
    among: LiteralString = "true"
    conditions: list[LiteralString] = []
    for dimension, value in scope.filters:
        conditions.append(f"{dimension} = $filter_{dimension}")
        values[f"filter_{dimension}"] = value
    if scope.leaves_out_bots and "device_type" not in scope.filtered:
        conditions.append("device_type <> 'bot'")
        among = _NOT_OF_BOTS
    if from_sessions:
        servers = server_events(from_sessions, among)
        values["pageview"] = "$pageview"
    else:
        servers = f"{_OWN} AND sent_by = 'server' AND {among}"
    if not from_sessions and among == "true":
        return Sql(" AND ".join([_OWN, *conditions]), values)
    # In two parts, so that only the events of servers are held against the bots.
    both: LiteralString = f"{_OWN} AND sent_by <> 'server' UNION ALL {servers}"
    condition: LiteralString = " AND ".join(conditions) or "true"
    return Sql(f"SELECT * FROM ({both}) AS event WHERE {condition}", values)


# Named one by one: a store may have columns of its own beside these, and both parts
# of a UNION need the same.
_COLUMNS: LiteralString = ", ".join(column.name for column in EVENTS)
_OWN: LiteralString = f"""
    SELECT {_COLUMNS} FROM events
    WHERE project_id = $project_id AND occurred_at >= $start AND occurred_at < $end
"""
# A server does not know that it serves a bot; the browser whose id it was given
# does. Bots are looked for within a day: in all events there are, that would take
# longer than the question about the last five minutes.
_NOT_OF_BOTS: LiteralString = """
    anonymous_id NOT IN (
        SELECT anonymous_id FROM events
        WHERE project_id = $project_id AND device_type = 'bot' AND anonymous_id <> ''
          AND occurred_at >= $start - INTERVAL 1 DAY
          AND occurred_at < $end + INTERVAL 1 DAY
    )
"""
