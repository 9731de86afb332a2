"""What one visitor did, as SQL.

A visitor has few events, so they are looked for once and then kept: everything
below reads them from `own`, which a statement defines in front.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from clamp_server.store.session_sql import placed

_BROWSED: LiteralString = "SELECT * FROM own WHERE session_id <> ''"
_SERVED: LiteralString = "SELECT * FROM own WHERE sent_by = 'server'"

_PLACING: tuple[LiteralString, ...] = (
    "anonymous_id",
    "occurred_at",
    "sent_by",
    "session_id",
)


def own_events(
    columns: Collection[LiteralString], condition: LiteralString
) -> LiteralString:
    """Write the definition of `own`: the visitor's events that `condition` holds for.

    It binds `$project_id` and `$anonymous_id`.

    Args:
        columns: What is read of them, beside what places them in sessions. All
            columns would take twice the time.
    """
    kept = ", ".join(sorted({*_PLACING, *columns}))
    return f"""
        own AS (
            SELECT {kept} FROM events
            WHERE project_id = $project_id AND anonymous_id = $anonymous_id
              AND {condition}
        )
    """


def events_of_visits(columns: Collection[LiteralString]) -> LiteralString:
    """Write the SELECT of `columns` of `own`, and each event's session as `visit_id`.

    What a server sent is in the session that it belongs to. In no session it has an
    empty `visit_id`: taking a session's values is not being a part of it.
    """
    names = ", ".join(columns)
    same = ", ".join(f"event.{name} AS {name}" for name in columns)
    served = placed(_SERVED, _BROWSED, columns=same)
    return f"""
        SELECT {names}, session_id AS visit_id FROM ({_BROWSED}) AS browsed
        UNION ALL
        SELECT {names}, visit_id FROM ({served}) AS served
    """
