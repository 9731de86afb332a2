"""Whose an event is, as SQL.

A person is a user, else the user whom the event's visitor was last linked to, else the
visitor.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString


def with_person(
    events: LiteralString,
    columns: Collection[LiteralString],
    *,
    asks_all: bool = False,
) -> LiteralString:
    """Write the SELECT of `columns` of `events`, and the `person` of each.

    It is NULL for nobody. It binds `$project_id`.

    Args:
        events: A SELECT with `columns`, `user_id`, `anonymous_id` and `visitor_key`.
        asks_all: Whether the users of all visitors are looked for. Those of these
            events' alone are found sooner, unless they are most visitors, or the
            events take long to select: that is done twice then.
    """
    names = ", ".join(f"event.{name} AS {name}" for name in columns)
    whose: LiteralString = "true"
    if not asks_all:
        # Servers name the user of nearly all that they send.
        unnamed = f"SELECT visitor_key FROM ({events}) AS event WHERE user_id = ''"
        whose = f"visitor_key IN ({unnamed})"
    return f"""
        SELECT coalesce(
            nullif(event.user_id, ''), owner.user_id, nullif(event.anonymous_id, '')
        ) AS person, {names}
        FROM ({events}) AS event
        LEFT JOIN ({owners(whose)}) AS owner ON event.visitor_key = owner.visitor_key
    """


def owners(whose: LiteralString = "true") -> LiteralString:
    """Write the SELECT of the user whom each visitor was last linked to.

    It has `visitor_key` and `user_id`, and binds `$project_id`.

    Args:
        whose: A condition on visitors.
    """
    # A visitor has few users and many events: to compare each event by two columns
    # takes 0.1 s longer.
    return f"""
        SELECT visitor_key, argMax(user_id, (linked_at, user_id)) AS user_id
        FROM (
            SELECT visitor_key, user_id, max(occurred_at) AS linked_at
            FROM events
            WHERE project_id = $project_id AND user_id <> '' AND visitor_key <> 0
              AND {whose}
            GROUP BY visitor_key, user_id
        ) AS link
        GROUP BY visitor_key
    """
