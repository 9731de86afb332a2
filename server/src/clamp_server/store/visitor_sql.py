"""What one visitor did, as SQL.

A visitor has few events, so they are looked for once and then kept: everything
below reads them from `own`, which a statement defines in front. They are looked for by
the visitor's number, which takes a quarter of the time that the id itself takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import LiteralString

from clamp_server.store.session_sql import placed

_SERVED: LiteralString = "(SELECT * FROM own WHERE sent_by = 'server')"
_SESSIONS: LiteralString = """(
    SELECT visitor_key, session_key,
           min(start_order) AS start_order, max(start_order) AS end_order
    FROM own
    WHERE session_key <> 0
    GROUP BY visitor_key, session_key
)"""

_PLACING: tuple[LiteralString, ...] = (
    "occurred_at",
    "sent_by",
    "session_key",
    "start_order",
    "visitor_key",
)


def visitor_key(anonymous_id: str) -> int:
    """Return the number of a visitor, as the column of this name has it.

    >>> visitor_key("ann")
    12858566505536735484
    """
    digest = hashlib.md5(anonymous_id.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little")


def own_events(
    columns: Collection[LiteralString], condition: LiteralString
) -> LiteralString:
    """Write the definition of `own`: the visitor's events that `condition` holds for.

    It binds `$project_id` and `$visitor_key`.

    Args:
        columns: What is read of them, beside what places them in sessions. All
            columns would take twice the time.
    """
    kept = ", ".join(sorted({*_PLACING, *columns}))
    return f"""
        own AS (
            SELECT {kept} FROM ordered_events
            WHERE project_id = $project_id AND visitor_key = $visitor_key
              AND {condition}
        )
    """


def events_of_visits(columns: Collection[LiteralString]) -> LiteralString:
    """Write the SELECT of `columns` of `own`, and each event's session as `visit_key`.

    What a server sent is in the session that it belongs to. In no session its
    `visit_key` is 0: taking a session's values is not being a part of it.
    """
    names = ", ".join(columns)
    served = placed(_SERVED, _SESSIONS, columns)
    return f"""
        SELECT {names}, session_key AS visit_key FROM own WHERE session_key <> 0
        UNION ALL
        SELECT {names}, visit_key FROM ({served}) AS served
    """
