"""Server events beside their sessions: what DuckDB keeps of `session_sql`.

The table `placed_events` has a row for each joined event (see `piece_sql`) that a
server sent for a visitor with a session to take values from. With every join come
those that are new, and those of before whose session, or its values, may be another
now: all from a minute before the start of any session that has a new piece. Whatever
begins later than a minute after an event changes nothing for it.

A visitor may have so many of those, in a session that never ends, that to place them
again and again would hold up what takes events. Such a visitor is `crowded`: nothing is
kept of those events any more, and questions work them out.

All statements are of all projects at once, so that here and there more is looked at
than has to be: an id that two projects have. `$after` and `$until` are the `seq` after
which and until which events were joined.
"""

from __future__ import annotations

from typing import LiteralString

from clamp_server.model.dimension import DIMENSIONS
from clamp_server.store.session_rows_sql import SessionRows, first_values
from clamp_server.store.session_sql import A_MINUTE, SPAN, with_sessions

_NEW: LiteralString = "seq > $after AND seq <= $until AND visitor_key <> 0"
# In one join. To place so many takes 20 ms.
_CROWDED: LiteralString = "10000"
_SERVED: LiteralString = "project_id, seq, visitor_key, start_order"

NOTE: LiteralString = f"""
    INSERT INTO joined_served BY NAME
    SELECT project_id, seq, session_key, visitor_key, {", ".join(DIMENSIONS)},
           occurred_at, page_views
    FROM event_pieces
    WHERE seq > $after AND seq <= $until AND sent_by = 'server'
"""
"""Keep the new ones apart from all other events, those of nobody as well."""

CHOOSE: LiteralString = f"""
    CREATE TEMPORARY TABLE to_place AS
    SELECT * FROM (
        SELECT {_SERVED} FROM served_events
        WHERE {_NEW} AND visitor_key IN (
            SELECT visitor_key FROM joined_pieces WHERE session_key <> 0
        )
        UNION ALL
        SELECT event.project_id, seq, event.visitor_key, event.start_order
        FROM served_events AS event
        JOIN (
            SELECT project_id, visitor_key, min(start_order) AS start_order
            FROM ordered_pieces
            WHERE session_key IN (
                SELECT session_key FROM events
                WHERE {_NEW} AND sent_by <> 'server' AND session_key <> 0
            )
            GROUP BY project_id, visitor_key
        ) AS visit USING (project_id, visitor_key)
        WHERE seq <= $after AND event.start_order > visit.start_order - {A_MINUTE}
    ) AS event
    ANTI JOIN crowded_visitors USING (project_id, visitor_key)
"""
"""Choose the events that have to be placed; their number is the answer."""

GIVE_UP: tuple[LiteralString, LiteralString] = (
    f"""
    INSERT INTO crowded_visitors
    SELECT project_id, visitor_key FROM to_place
    GROUP BY project_id, visitor_key HAVING count(*) > {_CROWDED}
    """,
    """
    DELETE FROM to_place USING crowded_visitors AS crowded
    WHERE to_place.project_id = crowded.project_id
      AND to_place.visitor_key = crowded.visitor_key
    """,
)
"""Choose none of visitors who have too many, now and later."""

FORGET: LiteralString = (
    "DELETE FROM placed_events WHERE seq IN (SELECT seq FROM to_place)"
)
"""Drop what is known of them."""

_PIECES: LiteralString = """
    SELECT * FROM ordered_pieces
    WHERE session_key <> 0 AND visitor_key IN (SELECT visitor_key FROM to_place)
"""
_SESSIONS = SessionRows(
    pieces=_PIECES,
    columns={**SPAN, **first_values(DIMENSIONS)},
    keys=("project_id", "visitor_key", "session_key"),
)
_KEPT: tuple[LiteralString, ...] = ("project_id", "seq", "start_order")
# No session's first path is NULL.
PLACE: LiteralString = f"""
    INSERT INTO placed_events BY NAME
    SELECT * EXCLUDE (start_order), make_timestamp_ms(start_order >> 20) AS occurred_at
    FROM ({with_sessions("to_place", _KEPT, DIMENSIONS, _SESSIONS)}) AS event
    WHERE first_pathname IS NOT NULL
"""
"""Keep them with their sessions, as far as there is one."""

DONE: LiteralString = "DROP TABLE to_place"
