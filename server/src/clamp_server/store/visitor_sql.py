"""What one visitor did, as SQL.

A visitor has few events, so they are looked for once and then kept: everything
below reads them from `own`, which a statement defines in front.
"""

from __future__ import annotations

from typing import LiteralString

from clamp_server.store.session_sql import placed

_BROWSED: LiteralString = "SELECT * FROM own WHERE session_id <> ''"
_SERVED: LiteralString = "SELECT * FROM own WHERE sent_by = 'server'"


def own_events(condition: LiteralString) -> LiteralString:
    """Write the definition of `own`: the visitor's events that `condition` holds for.

    It binds `$project_id` and `$anonymous_id`.
    """
    return f"""
        own AS (
            SELECT * FROM events
            WHERE project_id = $project_id AND anonymous_id = $anonymous_id
              AND {condition}
        )
    """


def events_of_visits(columns: LiteralString) -> LiteralString:
    """Write the SELECT of `columns` of `own`, and each event's session as `visit_id`.

    What a server sent is in the session that it belongs to. In no session it has an
    empty `visit_id`: taking a session's values is not being a part of it.
    """
    return f"""
        SELECT {columns}, session_id AS visit_id FROM ({_BROWSED}) AS browsed
        UNION ALL
        SELECT {columns}, visit_id FROM ({placed(_SERVED, _BROWSED)}) AS served
    """
