"""The values that a server event takes from its visitor's browser session.

A session is open from its first event until 30 minutes after its last. A server
event belongs to the session of its visitor that is open then: of several to the one
begun last, and where that one is over, to the one that ends last. Else it belongs
to the one that starts within the 60 seconds after it, because browsers send late.
Else it takes the values of the session that ended last, however long ago. All of
this is worked out when a question is asked, from when events happened and never
from when they arrived.

A session's values are those of its first page view, or of its first event where
it has none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.store.session_rows_sql import (
    OfSession,
    SessionRows,
    first_values,
    of_several,
)
from clamp_server.store.sql import Dialect


def with_session_values(
    events: LiteralString,
    columns: Collection[LiteralString],
    dimensions: Collection[Dimension],
    dialect: Dialect,
) -> LiteralString:
    """Write the SELECT of `columns` of server events, `dimensions` as described.

    It binds `$project_id`, `$start` and `$end`.

    Args:
        events: A SELECT with `visitor_key`, `start_order` and `columns`, of what
            occurred between `$start` and `$end`.
        dimensions: Columns that take the session's value where the event has
            none; at least one. Each costs time, so name only what is looked at.
    """
    own = ", ".join(
        f"coalesce(nullif(event.{name}, ''), first_{name}, '') AS {name}"
        if name in dimensions
        else f"event.{name} AS {name}"
        for name in columns
    )
    first = first_values(dimensions)
    tables: LiteralString = f"served AS ({events})"
    easy, rest = "", "served"
    # Nearly all belong to a session begun since shortly before the period. Those are
    # found in half the time, without a look at what ends last or begins next.
    if dialect.joins_pieces:
        tables += f", {_tried(first)}"
        easy = f"SELECT {own} FROM tried AS event WHERE is_sure UNION ALL"
        rest = "(SELECT * FROM tried WHERE NOT is_sure) AS rest"
    tables += f", session AS ({sessions_of(rest, first).together()})"
    return f"""
        SELECT * FROM (
            WITH {tables}
            {easy}
            SELECT {own}
            FROM ({placed(rest, "session", columns, "before.longest_key")}) AS event
            LEFT JOIN session AS visit
                ON event.visitor_key = visit.visitor_key
                AND event.visit_key = visit.session_key
        ) AS event
    """


def _tried(columns: Mapping[LiteralString, OfSession]) -> LiteralString:
    """Write the table `tried`: `served` with the values of sessions begun lately.

    Where the one begun last before an event is among these, and still open, it is the
    event's, and the row `is_sure`: every session that begins later is seen as well, as
    its first piece is. What is not sure has to be placed among all sessions.
    """
    lately: LiteralString = f"{_PIECES} AND {_LATELY}"
    rows = SessionRows(
        pieces=lately,
        several=of_several(_PIECES),
        columns={
            **SPAN,
            "begun_at": OfSession("occurred_at", "min(occurred_at)"),
            **columns,
        },
        keys=("visitor_key", "session_key"),
    )
    # All pieces of those that have any of late, to know when they began.
    seen_lately: LiteralString = f"""
        SELECT session_key FROM ({lately}) AS piece
        WHERE is_further OR session_key IN ({rows.several})
    """
    together = replace(rows, pieces=_PIECES).together(seen_lately)
    names = ", ".join(columns)
    return f"""
        tried AS MATERIALIZED (
            SELECT event.* EXCLUDE (at_order), {names},
                   coalesce(
                       event.start_order <= visit.end_order + {_HALF_HOUR}
                       AND begun_at >= $start - INTERVAL 30 MINUTE,
                       false
                   ) AS is_sure
            FROM (SELECT *, start_order + 1048575 AS at_order FROM served) AS event
            ASOF LEFT JOIN ({rows.alone()} UNION ALL {together}) AS visit
                ON event.visitor_key = visit.visitor_key
                AND event.at_order >= visit.start_order
        )
    """


def sessions_of(
    events: LiteralString,
    columns: Mapping[LiteralString, OfSession] | None = None,
    within: LiteralString = "true",
) -> SessionRows:
    """Return the sessions of the visitors of `events`, a table.

    Args:
        columns: Beside its `visitor_key`, `session_key`, `start_order` and
            `end_order`, by name.
        within: Of which pieces; by default of all there are, because a session may
            begin long before the period that is asked about, and its first page
            view come after.
    """
    pieces: LiteralString = f"{_PIECES} AND {within}"
    return SessionRows(
        pieces=f"""
            {pieces}
            AND visitor_key IN (SELECT visitor_key FROM {events})
        """,
        several=of_several(pieces),
        columns={**SPAN, **(columns or {})},
        keys=("visitor_key", "session_key"),
    )


# Nobody's sessions belong to nobody's events: each may be of another.
_PIECES: LiteralString = """
    SELECT * FROM visit_pieces
    WHERE project_id = $project_id AND session_key <> 0 AND visitor_key <> 0
"""
# Any time before the period will do: sessions begun before it are looked for again.
_LATELY: LiteralString = """
    occurred_at >= $start - INTERVAL 30 MINUTE AND occurred_at < $end
"""
# How far apart two orders are; a millisecond is 2^20. The bits below it are not time:
# within a minute is what is less than a minute and a millisecond away.
_HALF_HOUR: LiteralString = "1887436800000"
_MINUTE: LiteralString = "62915608576"
SPAN: Mapping[LiteralString, OfSession] = {
    "start_order": OfSession("start_order", "min(start_order)"),
    "end_order": OfSession("end_order", "max(end_order)"),
}
"""When a session begins and ends, over its pieces."""


def placed(
    events: LiteralString,
    sessions: LiteralString,
    columns: Collection[LiteralString],
    otherwise: LiteralString = "0",
) -> LiteralString:
    """Write the SELECT of server events, with the key of their session: `visit_key`.

    Args:
        events: A table with `visitor_key`, `start_order` and `columns`.
        sessions: A table of what `sessions_of` selects.
        columns: Those of `events` to keep, beside `visitor_key`.
        otherwise: What an event without a session has; the session that ended
            last is `before.longest_key`.
    """
    # Named one by one: ClickHouse prefixes the columns of a joined `event.*`.
    names: set[LiteralString] = {*columns, "visitor_key"}
    kept = ", ".join(f"event.{name} AS {name}" for name in sorted(names))
    # An event is after whatever begins in the same millisecond.
    return f"""
        SELECT {kept}, CASE
            WHEN event.start_order <= before.end_order + {_HALF_HOUR}
                THEN before.session_key
            WHEN event.start_order <= before.longest_order + {_HALF_HOUR}
                THEN before.longest_key
            WHEN after.start_order < event.start_order + {_MINUTE}
                THEN after.session_key
            ELSE {otherwise}
        END AS visit_key
        FROM (SELECT *, start_order + 1048575 AS at_order FROM {events}) AS event
        ASOF LEFT JOIN (
            SELECT *, max(end_order) OVER begun AS longest_order,
                   argMax(session_key, end_order) OVER begun AS longest_key
            FROM {sessions}
            WINDOW begun AS (PARTITION BY visitor_key ORDER BY start_order)
        ) AS before
            ON event.visitor_key = before.visitor_key
            AND event.at_order >= before.start_order
        ASOF LEFT JOIN {sessions} AS after
            ON event.visitor_key = after.visitor_key
            AND event.at_order < after.start_order
    """
