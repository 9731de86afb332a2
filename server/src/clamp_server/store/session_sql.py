"""The values that a server event takes from its visitor's browser session.

A server event belongs to the session that its visitor was last active in, where
that was at most 30 minutes before it; else to the one that starts within the 60
seconds after it, because browsers send late; else it takes the values of the
session last active, however long ago. All of this is worked out when a question
is asked, from when events happened and never from when they arrived.

A session's values are those of its first page view, or of its first event where
it has none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.store.schema import EVENTS

_EVENTS: LiteralString = """
    SELECT * FROM events
    WHERE project_id = $project_id AND sent_by = 'server'
      AND occurred_at >= $start AND occurred_at < $end
"""
# Named one by one: ClickHouse prefixes the columns of a joined `event.*`.
_SAME: LiteralString = ", ".join(f"event.{c.name} AS {c.name}" for c in EVENTS)


def first_values(dimensions: Collection[Dimension]) -> LiteralString:
    """Write a column `first_...` a dimension: a session's values, of its events.

    It binds `$pageview` to that event's name.
    """
    # Events sent together may have one instant. A known value then wins, the
    # first of the alphabet, and not the one that arrived first.
    order = "name <> $pageview, occurred_at"
    return ", ".join(
        f"argMin({name}, ({order}, {name} = '', {name})) AS first_{name}"
        for name in dimensions
    )


def server_events(
    dimensions: Collection[Dimension], among: LiteralString = "true"
) -> LiteralString:
    """Write the SELECT of a period's server events, with all columns of `events`.

    It binds `$project_id`, `$start`, `$end`, and `$pageview` to that event's name.

    Args:
        dimensions: Columns that take the session's value where the event has
            none; at least one. Each costs time, so name only what is looked at.
        among: A condition that narrows the server events.
    """
    events: LiteralString = f"{_EVENTS} AND {among}"
    sessions = _sessions(events)
    # Until the last moment at which a session of the last event may start.
    seen: LiteralString = f"""
        SELECT * FROM ({sessions}) AS session
        WHERE occurred_at < $end + INTERVAL 60 SECOND
    """
    columns = ", ".join(
        f"coalesce(nullif(event.{c.name}, ''), visit.first_{c.name}, '') AS {c.name}"
        if c.name in dimensions
        else f"event.{c.name} AS {c.name}"
        for c in EVENTS
    )
    return f"""
        SELECT {columns}
        FROM ({placed(events, seen, "before.session_id")}) AS event
        LEFT JOIN (
            SELECT anonymous_id, session_id, {first_values(dimensions)}
            FROM ({sessions}) AS session
            GROUP BY anonymous_id, session_id
        ) AS visit
            ON event.anonymous_id = visit.anonymous_id
            AND event.visit_id = visit.session_id
    """


def _sessions(events: LiteralString) -> LiteralString:
    """Write the SELECT of what the visitors of `events` ever did in a browser.

    A session's first page view may come after the period that is asked about, so
    this has no end.
    """
    return f"""
        SELECT * FROM events
        WHERE project_id = $project_id AND session_id <> '' AND anonymous_id <> ''
          AND anonymous_id IN (SELECT anonymous_id FROM ({events}) AS event)
    """


def placed(
    events: LiteralString,
    seen: LiteralString,
    otherwise: LiteralString = "''",
    columns: LiteralString = _SAME,
) -> LiteralString:
    """Write the SELECT of `events` with their session's id as `visit_id`.

    Args:
        events: A SELECT of server events.
        seen: A SELECT of what their visitors did in a browser.
        otherwise: What an event without a session has there; the session last
            active is `before.session_id`.
        columns: Those of `event` to keep, each under its own name.
    """
    # One row an instant. Of two sessions in the same millisecond any rule will do
    # that does not depend on the order of arrival.
    return f"""
        SELECT {columns}, CASE
            WHEN before.active_at >= event.occurred_at - INTERVAL 30 MINUTE
                THEN before.session_id
            WHEN after.started_at <= event.occurred_at + INTERVAL 60 SECOND
                THEN after.session_id
            ELSE {otherwise}
        END AS visit_id
        FROM ({events}) AS event
        ASOF LEFT JOIN (
            SELECT anonymous_id, occurred_at AS active_at, max(session_id) AS session_id
            FROM ({seen}) AS seen
            GROUP BY anonymous_id, occurred_at
        ) AS before
            ON event.anonymous_id = before.anonymous_id
            AND event.occurred_at >= before.active_at
        ASOF LEFT JOIN (
            SELECT anonymous_id, started_at, max(session_id) AS session_id
            FROM (
                SELECT anonymous_id, session_id, min(occurred_at) AS started_at
                FROM ({seen}) AS seen
                GROUP BY anonymous_id, session_id
            ) AS begun
            GROUP BY anonymous_id, started_at
        ) AS after
            ON event.anonymous_id = after.anonymous_id
            AND event.occurred_at < after.started_at
    """
