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
changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.store.session_sql import first_values, placed

_LINKED: LiteralString = """
    FROM events
    WHERE project_id = $project_id AND anonymous_id <> '' AND user_id <> ''
"""
_LINKS: LiteralString = f"SELECT DISTINCT anonymous_id, user_id {_LINKED}"
OWNERS: LiteralString = f"""
    SELECT anonymous_id, argMax(user_id, (occurred_at, user_id)) AS user_id {_LINKED}
    GROUP BY anonymous_id
"""
"""The user whom each visitor was last linked to; it binds `$project_id`."""


def first_touches(
    events: LiteralString, dimensions: Collection[Dimension]
) -> LiteralString:
    """Write the SELECT of `seq` and a `touch_...` column a dimension.

    An event without a first touch has no row. It binds `$project_id`, and
    `$pageview` to that event's name.

    Args:
        events: A SELECT with the columns `seq`, `occurred_at`, `anonymous_id`
            and `user_id`.
        dimensions: At least one.
    """
    visitors = _visitors(events)
    names = ", ".join(f"first_{name}" for name in dimensions)
    touches = ", ".join(
        f"argMin(first_{name}, (started_at, session_id, anonymous_id)) AS touch_{name}"
        for name in dimensions
    )
    return f"""
        SELECT seq, {touches}
        FROM (
            SELECT visitor.seq AS seq, visitor.anonymous_id AS anonymous_id,
                   session_id, started_at, {names}
            FROM ({visitors}) AS visitor
            JOIN (
                SELECT anonymous_id, session_id, min(occurred_at) AS started_at,
                       {first_values(dimensions)}
                FROM events
                WHERE project_id = $project_id AND session_id <> ''
                  AND anonymous_id IN (SELECT anonymous_id FROM ({visitors}) AS v)
                GROUP BY anonymous_id, session_id
            ) AS visit ON visitor.anonymous_id = visit.anonymous_id
            WHERE started_at <= visitor.occurred_at + INTERVAL 60 SECOND
        ) AS touch
        GROUP BY seq
    """


def last_touches(
    events: LiteralString, dimensions: Collection[Dimension]
) -> LiteralString:
    """Write the SELECT of `seq` and a `touch_...` column a dimension.

    An event without a last touch has no row. It binds `$project_id`, and
    `$pageview` to that event's name.

    Args:
        events: A SELECT with the columns `seq`, `occurred_at`, `anonymous_id`
            and `user_id`, of events that servers sent.
        dimensions: At least one.
    """
    touches = ", ".join(f"visit.first_{name} AS touch_{name}" for name in dimensions)
    # Where `placed` has the visitor, here is whoever the sessions are looked for by.
    # A visitor may have the id of a user, so a letter tells them apart.
    of_somebody: LiteralString = f"""
        SELECT seq, occurred_at, CASE WHEN anonymous_id <> ''
            THEN concat('v', anonymous_id) ELSE concat('u', user_id)
        END AS anonymous_id
        FROM ({events}) AS served
    """
    seen = _sessions(events, dimensions)
    columns: LiteralString = "event.seq AS seq, event.anonymous_id AS anonymous_id"
    return f"""
        SELECT event.seq AS seq, {touches}
        FROM ({placed(of_somebody, seen, "before.session_id", columns)}) AS event
        JOIN (
            SELECT anonymous_id, session_id, {first_values(dimensions)}
            FROM ({seen}) AS seen
            GROUP BY anonymous_id, session_id
        ) AS visit
            ON event.anonymous_id = visit.anonymous_id
            AND event.visit_id = visit.session_id
    """


def _sessions(
    events: LiteralString, dimensions: Collection[Dimension]
) -> LiteralString:
    """Write the SELECT of what was done in a browser by whoever `events` name."""
    values = ", ".join(f"event.{name} AS {name}" for name in dimensions)
    return f"""
        SELECT whose.id AS anonymous_id, event.session_id AS session_id,
               event.occurred_at AS occurred_at, event.name AS name, {values}
        FROM events AS event
        JOIN (
            SELECT DISTINCT anonymous_id, concat('v', anonymous_id) AS id
            FROM ({events}) AS served WHERE anonymous_id <> ''
            UNION ALL
            SELECT DISTINCT anonymous_id, concat('u', user_id) AS id {_LINKED}
              AND user_id IN (
                  SELECT user_id FROM ({events}) AS served WHERE anonymous_id = ''
              )
        ) AS whose ON event.anonymous_id = whose.anonymous_id
        WHERE event.project_id = $project_id AND event.session_id <> ''
    """


def _visitors(events: LiteralString) -> LiteralString:
    """Write the SELECT of every visitor who may be the person of an event."""
    payers: LiteralString = f"""
        SELECT event.seq AS seq, event.occurred_at AS occurred_at,
               event.anonymous_id AS anonymous_id,
               coalesce(nullif(event.user_id, ''), owner.user_id, '') AS user_id
        FROM ({events}) AS event
        LEFT JOIN ({OWNERS}) AS owner ON event.anonymous_id = owner.anonymous_id
    """
    return f"""
        SELECT seq, occurred_at, anonymous_id FROM ({payers}) AS payer
        WHERE user_id = '' AND anonymous_id <> ''
        UNION ALL
        SELECT payer.seq AS seq, payer.occurred_at AS occurred_at,
               link.anonymous_id AS anonymous_id
        FROM ({payers}) AS payer
        JOIN ({_LINKS}) AS link ON payer.user_id = link.user_id
    """
