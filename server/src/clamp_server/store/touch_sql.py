"""Where a person first came from, and where a user last did.

A person is a user with every visitor who was ever linked to that user, by an
event that carries both ids; else a visitor alone. An event without a user is the
user's whom its visitor was last linked to. The first touch is the earliest
session of the person, unless even that begins after the event: it may begin 60
seconds later, as in `session_sql`, because browsers send late.

The last touch of an event is the session that `session_sql` says it takes its values
from. Where it names a user and no visitor, that is found by the same rules among the
sessions of all of the user's visitors, as if one had had them all.

All of it is worked out when a question is asked, so that the order of arrival
changes nothing; but for the last touches of visitors that DuckDB keeps (see
`placing_sql`), and keeps right.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.store.person_sql import owners
from clamp_server.store.session_rows_sql import (
    OfSession,
    SessionRows,
    first_values,
)
from clamp_server.store.session_sql import SPAN, UNPLACED, placed, sessions_of
from clamp_server.store.sql import Dialect

_LINKED: LiteralString = """
    FROM events
    WHERE project_id = $project_id AND anonymous_id <> '' AND user_id <> ''
"""
_LINKS: LiteralString = f"SELECT DISTINCT visitor_key, user_id {_LINKED}"


def first_touches(
    events: LiteralString, dimensions: Collection[Dimension], dialect: Dialect
) -> LiteralString:
    """Write the SELECT of `seq` and a `touch_...` column a dimension.

    An event without a first touch has no row. It binds `$project_id`.

    Args:
        events: A SELECT with the columns `seq`, `occurred_at`, `anonymous_id`,
            `visitor_key` and `user_id`.
        dimensions: At least one.
    """
    visitors = _visitors(events)
    visits = sessions_of(
        f"({visitors}) AS visitor",
        {
            "started_at": OfSession("occurred_at", "min(occurred_at)"),
            **first_values(dimensions),
        },
    )
    names = ", ".join(f"first_{name}" for name in dimensions)
    # Visitors who share a session may begin it in one millisecond.
    touches = ", ".join(
        f"argMin(first_{name}, (start_order, visitor_key)) AS touch_{name}"
        for name in dimensions
    )
    return f"""
        SELECT seq, {touches}
        FROM (
            SELECT visitor.seq AS seq, visit.visitor_key AS visitor_key,
                   start_order, {names}
            FROM ({visitors}) AS visitor
            JOIN ({visits.all(dialect)}) AS visit
                ON visitor.visitor_key = visit.visitor_key
            WHERE started_at <= visitor.occurred_at + INTERVAL 60 SECOND
        ) AS touch
        GROUP BY seq
    """


def last_touches(
    events: LiteralString, dimensions: Collection[Dimension], dialect: Dialect
) -> LiteralString:
    """Write the SELECT of `seq` and a `touch_...` column a dimension.

    An event without a last touch has no row. It binds `$project_id`.

    Args:
        events: A SELECT with the columns `seq`, `start_order`, `anonymous_id`,
            `visitor_key` and `user_id`, of events that servers sent.
        dimensions: At least one.
    """
    touches = ", ".join(f"visit.first_{name} AS touch_{name}" for name in dimensions)
    kept = ", ".join(f"piece.{name} AS {name}" for name in (*_PLACING, *dimensions))
    sessions = SessionRows(
        pieces="SELECT * FROM piece",
        columns={**SPAN, **first_values(dimensions)},
        keys=("visitor_key", "session_key"),
    )
    known: LiteralString = ""
    unknown: LiteralString = "SELECT * FROM paying"
    # As in `in_sessions`; what a user's visitors had together is kept nowhere.
    if dialect.joins_pieces:
        known = f"""
            SELECT event.seq AS seq, {touches} FROM paying AS event
            JOIN (SELECT * FROM placed_events WHERE project_id = $project_id) AS visit
                ON event.seq = visit.seq
            WHERE event.visitor_key NOT IN ({UNPLACED})
            UNION ALL
        """
        unknown += f" WHERE anonymous_id = '' OR NOT (visitor_key NOT IN ({UNPLACED}))"
    # Where `placed` has the visitor, here is whoever the sessions are looked for by.
    # A visitor may have the id of a user, so a letter tells them apart.
    return f"""
        SELECT * FROM (
            WITH paying AS ({events}),
            unknown AS ({unknown}),
            served AS (
                SELECT seq, start_order, CASE WHEN anonymous_id <> ''
                    THEN concat('v', anonymous_id) ELSE concat('u', user_id)
                END AS visitor_key
                FROM unknown
            ),
            piece AS (
                SELECT whose.id AS visitor_key, {kept}
                FROM visit_pieces AS piece
                JOIN ({_LOOKED_FOR}) AS whose ON piece.visitor_key = whose.visitor_key
                WHERE piece.project_id = $project_id AND piece.session_key <> 0
            ),
            session AS ({sessions.all(dialect)})
            {known}
            SELECT event.seq AS seq, {touches}
            FROM ({placed("served", "session", ["seq"])}) AS event
            JOIN session AS visit
                ON event.visitor_key = visit.visitor_key
                AND event.values_key = visit.session_key
        ) AS touched
    """


_PLACING: tuple[LiteralString, ...] = (
    "session_key",
    "start_order",
    "end_order",
    "entry_order",
    "is_further",
)
_LOOKED_FOR: LiteralString = f"""
    SELECT DISTINCT visitor_key, concat('v', anonymous_id) AS id
    FROM unknown WHERE anonymous_id <> ''
    UNION ALL
    SELECT DISTINCT visitor_key, concat('u', user_id) AS id {_LINKED}
      AND user_id IN (SELECT user_id FROM unknown WHERE anonymous_id = '')
"""


def _visitors(events: LiteralString) -> LiteralString:
    """Write the SELECT of every visitor who may be the person of an event."""
    payers: LiteralString = f"""
        SELECT event.seq AS seq, event.occurred_at AS occurred_at,
               event.visitor_key AS visitor_key,
               coalesce(nullif(event.user_id, ''), owner.user_id, '') AS user_id
        FROM ({events}) AS event
        LEFT JOIN ({owners()}) AS owner ON event.visitor_key = owner.visitor_key
    """
    return f"""
        SELECT seq, occurred_at, visitor_key FROM ({payers}) AS payer
        WHERE user_id = '' AND visitor_key <> 0
        UNION ALL
        SELECT payer.seq AS seq, payer.occurred_at AS occurred_at,
               link.visitor_key AS visitor_key
        FROM ({payers}) AS payer
        JOIN ({_LINKS}) AS link ON payer.user_id = link.user_id
    """
