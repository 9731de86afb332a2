"""Whose an event is, as SQL.

A person is a user, else the user whom the event's visitor was last linked to, else the
visitor.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString


def with_person(
    events: LiteralString, columns: Collection[LiteralString]
) -> LiteralString:
    """Write the SELECT of `columns` of `events`, and the `person` of each.

    It is NULL for nobody. It binds `$project_id`.

    Args:
        events: A SELECT with `columns`, `user_id`, `anonymous_id` and `visitor_key`.
            It is written three times.
    """
    own = ", ".join(columns)
    names = ", ".join(f"event.{name} AS {name}" for name in columns)
    visitors: LiteralString = f"""
        SELECT visitor_key, anonymous_id, {own} FROM ({events}) AS event
        WHERE user_id = ''
    """
    # An event that names its user is not joined with anything, and who else a visitor
    # was is asked of the visitors of the others alone: to know that of everybody, and
    # to look all up by a text, takes ten times as long.
    return f"""
        SELECT user_id AS person, {own} FROM ({events}) AS event
        WHERE user_id <> ''
        UNION ALL
        SELECT coalesce(owner.user_id, nullif(event.anonymous_id, '')) AS person,
               {names}
        FROM ({visitors}) AS event
        LEFT JOIN (
            SELECT visitor_key, argMax(user_id, (occurred_at, user_id)) AS user_id
            FROM events
            WHERE project_id = $project_id AND user_id <> '' AND visitor_key <> 0
              AND visitor_key IN (SELECT visitor_key FROM ({visitors}) AS visitor)
            GROUP BY visitor_key
        ) AS owner ON event.visitor_key = owner.visitor_key
    """
