"""How far into a funnel visitors get, as SQL.

A session holds the steps in order where each has an event of its own, no earlier
than that of the step before. Events of one instant count in whichever order gets
the furthest, so that the order of arrival changes nothing. A session is the whole
that it is in every question, and has those events of servers that belong to it.

The statement walks the steps one by one. For every session it knows the earliest
instant at which the steps so far are done, since whatever can follow a later one
can follow that. Only at that instant may it matter which events are used up:
`used` has a bit for each, and a session has a row for each way to get there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from clamp_server.model.funnel import Predicate, Step
from clamp_server.model.scope import Scope
from clamp_server.store.property_sql import property_sql
from clamp_server.store.session_sql import placed
from clamp_server.store.sql import Dialect, Row, Sql, Value
from clamp_server.store.visit_sql import REACH, session_events, visits

# Bits that are exact in a 64-bit float. More events of one instant are not looked
# at; each kind of them takes no more bits than it has steps.
_MOST_OF_AN_INSTANT: LiteralString = "50"
_DIGITS: tuple[LiteralString, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


@dataclass(frozen=True, slots=True)
class FunnelParams:
    """One funnel, and whose sessions are looked at."""

    steps: Sequence[Step]
    scope: Scope


def select_depths(params: FunnelParams, dialect: Dialect) -> Sql:
    """Write the SQL of a row a `depth`, with the `visitors` who got no further."""
    visit = visits(params.scope, dialect)
    flags, values = _flags(params.steps, dialect)
    last = len(params.steps)
    walk: LiteralString = ", ".join(_walked(number) for number in range(2, last + 1))
    return Sql(
        f"""
        WITH candidate AS ({_candidates(params.scope, visit.text, flags)}),
        walked_1 AS ({_BEGUN}), {walk}
        SELECT depth, count(*) AS visitors
        FROM (
            SELECT anonymous_id, max(depth) AS depth FROM walked_{_number(last)}
            GROUP BY anonymous_id
        ) AS visitor
        GROUP BY depth
        """,
        {**visit.values, **values},
    )


def read_counts(params: FunnelParams, rows: Sequence[Row]) -> list[int]:
    """Return the visitors who got to each step or further."""
    numbers = range(1, len(params.steps) + 1)
    return [
        sum(row["visitors"] for row in rows if row["depth"] >= number)
        for number in numbers
    ]


def _candidates(
    scope: Scope, visit: LiteralString, flags: Sequence[LiteralString]
) -> LiteralString:
    """Write the SELECT of the events of sessions that any step holds for.

    Each has a flag a step, and its bit of its instant as `slot`.
    """
    any_step = " OR ".join(flags)
    named = ", ".join(
        f"CASE WHEN {flag} THEN 1 ELSE 0 END AS is_{_number(number)}"
        for number, flag in enumerate(flags, 1)
    )
    names = ", ".join(f"is_{_number(number)}" for number, _ in enumerate(flags, 1))
    kinds = names.replace(", ", " + ")
    browsed: LiteralString = f"{session_events(scope)} AND {_AROUND} AND ({any_step})"
    served: LiteralString = f"""
        SELECT * FROM events
        WHERE project_id = $project_id AND sent_by = 'server' AND anonymous_id <> ''
          AND {_AROUND} AND ({any_step})
    """
    seen: LiteralString = f"""
        SELECT * FROM events
        WHERE project_id = $project_id AND session_id <> ''
          AND occurred_at >= $start - {REACH} - {REACH}
          AND occurred_at < $end + {REACH} + {REACH}
          AND anonymous_id IN (SELECT anonymous_id FROM ({served}) AS event)
    """
    return f"""
        SELECT session_id, anonymous_id, occurred_at, {names},
               power(2, place - 1) AS slot
        FROM (
            SELECT *, row_number() OVER (
                PARTITION BY session_id, occurred_at ORDER BY copy, {names}
            ) AS place
            FROM (
                SELECT event.session_id AS session_id, occurred_at, {names},
                       visit.anonymous_id AS anonymous_id,
                       row_number() OVER (
                           PARTITION BY event.session_id, occurred_at, {names}
                       ) AS copy
                FROM (
                    SELECT session_id, occurred_at, {named}
                    FROM ({browsed}) AS browsed
                    UNION ALL
                    SELECT visit_id AS session_id, occurred_at, {named}
                    FROM ({placed(served, seen)}) AS served WHERE visit_id <> ''
                ) AS event
                JOIN ({visit}) AS visit ON event.session_id = visit.session_id
                WHERE visit.anonymous_id <> ''
            ) AS counted
            WHERE copy <= {kinds}
        ) AS ranked
        WHERE place <= {_MOST_OF_AN_INSTANT}
    """


_AROUND: LiteralString = (
    f"occurred_at >= $start - {REACH} AND occurred_at < $end + {REACH}"
)
_BEGUN: LiteralString = """
    SELECT session_id, anonymous_id, 1 AS depth, occurred_at AS reached_at, slot AS used
    FROM (
        SELECT *, min(occurred_at) OVER (PARTITION BY session_id) AS first_at
        FROM candidate WHERE is_1 = 1
    ) AS first
    WHERE occurred_at = first_at
"""


def _walked(number: int) -> LiteralString:
    """Write how far sessions are after one step more, as a part of a WITH.

    One that has no event for the step stays where it is.
    """
    step, before = _number(number), _number(number - 1)
    return f"""
        walked_{step} AS (
            SELECT DISTINCT session_id, anonymous_id, depth, reached_at, used
            FROM (
                SELECT walked.session_id AS session_id,
                       walked.anonymous_id AS anonymous_id,
                       CASE WHEN step.slot IS NULL THEN depth ELSE {step} END AS depth,
                       coalesce(step.occurred_at, reached_at) AS reached_at,
                       CASE WHEN step.occurred_at > reached_at THEN 0 ELSE used END
                           + coalesce(step.slot, 0) AS used,
                       step.occurred_at AS step_at,
                       min(step.occurred_at) OVER (
                           PARTITION BY walked.session_id
                       ) AS first_at
                FROM walked_{before} AS walked
                LEFT JOIN (SELECT * FROM candidate WHERE is_{step} = 1) AS step
                    ON walked.session_id = step.session_id
                    AND walked.depth = {before}
                    AND (
                        step.occurred_at > reached_at
                        OR (
                            step.occurred_at = reached_at
                            AND floor(used / step.slot) % 2 = 0
                        )
                    )
            ) AS next
            WHERE first_at IS NULL OR step_at = first_at
        )
    """


def _flags(
    steps: Sequence[Step], dialect: Dialect
) -> tuple[list[LiteralString], dict[str, Value]]:
    """Write a condition a step on one event, and what they bind."""
    flags: list[LiteralString] = []
    values: dict[str, Value] = {}
    for number, step in enumerate(steps, 1):
        hole: LiteralString = f"step_{_number(number)}"
        conditions: list[LiteralString] = [f"name = ${hole}"]
        values[hole] = step.event
        if step.path is not None:
            path: LiteralString = f"${hole}_path"
            conditions.append(
                f"left(pathname, length({path})) = {path}"
                if step.is_prefix
                else f"pathname = {path}"
            )
            values[f"{hole}_path"] = step.path
        for place, predicate in enumerate(step.predicates, 1):
            held = _held(predicate, f"{hole}_{_number(place)}", dialect)
            conditions.append(held.text)
            values |= held.values
        flags.append(f"({' AND '.join(conditions)})")
    return flags, values


def _held(predicate: Predicate, hole: LiteralString, dialect: Dialect) -> Sql:
    """Write whether a predicate holds for an event."""
    if predicate.dimension is not None:
        return Sql(f"{predicate.dimension} = ${hole}", {hole: predicate.value})
    found = property_sql(predicate.key, predicate.kind, f"{hole}_key", dialect)
    return Sql(
        f"{found.present} AND {found.value} = ${hole}",
        {**found.values, hole: predicate.value},
    )


def _number(number: int) -> LiteralString:
    """Write a number as literal text, which that of a caller cannot become."""
    return "".join(_DIGITS[int(digit)] for digit in str(number))
