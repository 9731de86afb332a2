"""The values that a server event takes from its visitor's browser session.

A session is open from its first event until 30 minutes after its last. A server
event belongs to the session of its visitor that is open then: of several to the one
begun last, and where that one is over, to the one that ends last. Else it belongs
to the one that starts within the 60 seconds after it, because browsers send late.
Else it takes the values of the session that ended last, however long ago. All of
this follows from when events happened and never from when they arrived.

A session's values are those of its first page view, or of its first event where
it has none.

ClickHouse works this out with every question. DuckDB keeps what came of it beside the
events (see `placing_sql`), and works it out for visitors of whom that may be out of
date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.store.session_rows_sql import (
    OfSession,
    SessionRows,
    first_values,
)
from clamp_server.store.sql import Dialect

# How far apart two orders are; a millisecond is 2^20. The bits below it are not time:
# within a minute is what is less than a minute and a millisecond away.
_HALF_HOUR: LiteralString = "1887436800000"
A_MINUTE: LiteralString = "62915608576"
"""A server event takes values of a session that begins less than this after it."""

# Nobody's sessions belong to nobody's events: each may be of another.
_PIECES: LiteralString = """
    SELECT * FROM visit_pieces
    WHERE project_id = $project_id AND session_key <> 0 AND visitor_key <> 0
"""
UNPLACED: LiteralString = """
    SELECT visitor_key FROM unplaced_visitors WHERE project_id = $project_id
"""
"""Visitors of whom DuckDB's `placed_events` may be out of date."""


def in_sessions(
    events: LiteralString,
    columns: Collection[LiteralString],
    dimensions: Collection[Dimension],
    dialect: Dialect,
    kept_if: LiteralString,
) -> LiteralString:
    """Write the SELECT of `columns` of server events, `dimensions` as described.

    It binds `$project_id` and what `kept_if` does.

    Args:
        events: A SELECT with `visitor_key`, `start_order` and `columns`; with `seq`
            as well where pieces are joined.
        columns: Beside those of `events`, `visit_key` may be one: the key of the
            session that an event belongs to, 0 without one.
        dimensions: Columns that take the session's value where the event has none.
            Each costs time, so name only what is looked at.
        kept_if: What holds for the `occurred_at` of all `events`, and may hold for the
            `first_...` of `dimensions`, the values of their sessions: those whose
            session it does not hold for are as those without one.
    """
    own = ", ".join(
        f"coalesce(nullif({name}, ''), first_{name}, '') AS {name}"
        if name in dimensions
        else name
        for name in columns
    )
    kept: list[LiteralString] = [name for name in columns if name != "visit_key"]
    known: LiteralString = ""
    rest: LiteralString = "served"
    # What is joined has its session beside it already, as far as that can be trusted.
    if dialect.joins_pieces:
        placed_before = _with_kept_sessions(kept, dimensions, kept_if)
        known = f"""
            SELECT {own} FROM ({placed_before}) AS event
            UNION ALL
        """
        # Not IN, as in `SessionRows.together`: these are a few keys.
        rest = f"""
            (SELECT * FROM served WHERE NOT (visitor_key NOT IN ({UNPLACED}))) AS rest
        """
    session = sessions_of(rest, first_values(dimensions))
    return f"""
        SELECT * FROM (
            WITH served AS ({events})
            {known}
            SELECT {own}
            FROM ({with_sessions(rest, kept, dimensions, session)}) AS event
        ) AS event
    """


def _with_kept_sessions(
    columns: Collection[LiteralString],
    dimensions: Collection[Dimension],
    kept_if: LiteralString,
) -> LiteralString:
    """Write what `with_sessions` does, of the table `served`, from `placed_events`."""
    kept = ", ".join(f"event.{name} AS {name}" for name in columns)
    first = "".join(f", visit.first_{name} AS first_{name}" for name in dimensions)
    return f"""
        SELECT {kept}, coalesce(visit_key, 0) AS visit_key{first}
        FROM served AS event
        LEFT JOIN (
            SELECT * FROM placed_events WHERE project_id = $project_id AND {kept_if}
        ) AS visit ON event.seq = visit.seq
        WHERE event.visitor_key NOT IN ({UNPLACED})
    """


def with_sessions(
    events: LiteralString,
    columns: Collection[LiteralString],
    dimensions: Collection[Dimension],
    sessions: SessionRows,
) -> LiteralString:
    """Write the SELECT of `columns` of server events, and of what their sessions give.

    That is `visit_key`, as in `in_sessions`, and `first_...` a dimension, NULL where
    there is no session to take it from.

    Args:
        events: A table of what `placed` takes.
        sessions: What `sessions_of` returns for it, with a `first_...` a dimension.
    """
    *whose, _ = sessions.keys
    keys = " AND ".join(f"event.{name} = visit.{name}" for name in whose)
    kept = ", ".join(f"event.{name} AS {name}" for name in (*columns, "visit_key"))
    first = "".join(f", visit.first_{name} AS first_{name}" for name in dimensions)
    found = placed(events, "session", columns, whose)
    return f"""
        SELECT * FROM (
            WITH session AS ({sessions.together()})
            SELECT {kept}{first}
            FROM ({found}) AS event
            LEFT JOIN session AS visit
                ON {keys} AND event.values_key = visit.session_key
        ) AS event
    """


def sessions_of(
    events: LiteralString,
    columns: Mapping[LiteralString, OfSession] | None = None,
) -> SessionRows:
    """Return the sessions of the visitors of `events`, a table.

    They are made of all pieces there are, because a session may begin long before the
    period that is asked about, and its first page view come after.

    Args:
        columns: Beside its `visitor_key`, `session_key`, `start_order` and
            `end_order`, by name.
    """
    return SessionRows(
        pieces=f"""
            {_PIECES}
            AND visitor_key IN (SELECT visitor_key FROM {events})
        """,
        columns={**SPAN, **(columns or {})},
        keys=("visitor_key", "session_key"),
    )


SPAN: Mapping[LiteralString, OfSession] = {
    "start_order": OfSession("start_order", "min(start_order)"),
    "end_order": OfSession("end_order", "max(end_order)"),
}
"""When a session begins and ends, over its pieces."""


def placed(
    events: LiteralString,
    sessions: LiteralString,
    columns: Collection[LiteralString],
    whose: Sequence[LiteralString] = ("visitor_key",),
) -> LiteralString:
    """Write the SELECT of server events with the keys of sessions, 0 for none.

    That is the one it belongs to as `visit_key`, and the one it takes values from as
    `values_key`.

    Args:
        events: A table with `start_order`, `columns` and `whose`.
        sessions: A table of what `sessions_of` selects.
        columns: Those of `events` to keep, beside `whose`.
        whose: The columns that say whose an event and a session are.
    """
    # Named one by one: ClickHouse prefixes the columns of a joined `event.*`.
    names: set[LiteralString] = {*columns, *whose}
    kept = ", ".join(f"event.{name} AS {name}" for name in sorted(names))
    before = " AND ".join(f"event.{name} = before.{name}" for name in whose)
    after = " AND ".join(f"event.{name} = after.{name}" for name in whose)
    visit: LiteralString = f"""
        CASE
            WHEN event.start_order <= before.end_order + {_HALF_HOUR}
                THEN before.session_key
            WHEN event.start_order <= before.longest_order + {_HALF_HOUR}
                THEN before.longest_key
            WHEN after.start_order < event.start_order + {A_MINUTE}
                THEN after.session_key
            ELSE 0
        END
    """
    # An event is after whatever begins in the same millisecond.
    return f"""
        SELECT {kept}, {visit} AS visit_key,
               coalesce(nullif({visit}, 0), before.longest_key, 0) AS values_key
        FROM (SELECT *, start_order + 1048575 AS at_order FROM {events}) AS event
        ASOF LEFT JOIN (
            SELECT *, max(end_order) OVER begun AS longest_order,
                   argMax(session_key, end_order) OVER begun AS longest_key
            FROM {sessions}
            WINDOW begun AS (PARTITION BY {", ".join(whose)} ORDER BY start_order)
        ) AS before
            ON {before} AND event.at_order >= before.start_order
        ASOF LEFT JOIN {sessions} AS after
            ON {after} AND event.at_order < after.start_order
    """
