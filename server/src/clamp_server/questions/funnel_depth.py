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
from clamp_server.store.session_sql import placed, sessions_of
from clamp_server.store.sql import Dialect, Row, Sql, Value
from clamp_server.store.visit_sql import AROUND, visits

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
    visit = visits(params.scope)
    flags, values = _flags(params.steps, dialect)
    last = len(params.steps)
    walk: LiteralString = ", ".join(_walked(number) for number in range(2, last + 1))
    return Sql(
        f"""
        WITH {_candidates(params.scope, visit.text, flags)},
        walked_1 AS ({_BEGUN}), {walk}
        SELECT depth, count(*) AS visitors
        FROM (
            SELECT visitor_key, max(depth) AS depth FROM walked_{_number(last)}
            GROUP BY visitor_key
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
    """Write `candidate`, as a part of a WITH: what of a session any step holds for.

    Each of these events has a flag a step, and its bit of its instant as `slot`.
    """
    any_step = " OR ".join(flags)
    is_steps: list[LiteralString] = [
        f"is_{_number(number)}" for number, _ in enumerate(flags, 1)
    ]
    named = ", ".join(
        f"CASE WHEN {flag} THEN 1 ELSE 0 END AS {is_step}"
        for is_step, flag in zip(is_steps, flags, strict=True)
    )
    names, kinds = ", ".join(is_steps), " + ".join(is_steps)
    browsed: LiteralString = "device_type <> 'bot'" if scope.excludes_bots else "true"
    return f"""
        around AS (
            SELECT session_key, visitor_key, sent_by, device_type, start_order,
                   occurred_at, {named}
            FROM ordered_events
            WHERE project_id = $project_id AND {AROUND} AND ({any_step})
        ),
        served AS (
            SELECT * FROM around WHERE sent_by = 'server' AND visitor_key <> 0
        ),
        seen AS ({sessions_of("served")}),
        candidate AS (
            SELECT session_key, visitor_key, occurred_at, {names},
                   power(2, place - 1) AS slot
            FROM (
                SELECT *, row_number() OVER (
                    PARTITION BY session_key, occurred_at ORDER BY copy, {names}
                ) AS place
                FROM (
                    SELECT event.session_key AS session_key, occurred_at, {names},
                           visit.visitor_key AS visitor_key,
                           row_number() OVER (
                               PARTITION BY event.session_key, occurred_at, {names}
                           ) AS copy
                    FROM (
                        SELECT session_key, occurred_at, {names}
                        FROM around WHERE session_key <> 0 AND {browsed}
                        UNION ALL
                        SELECT visit_key AS session_key, occurred_at, {names}
                        FROM ({placed("served", "seen", ["occurred_at", *is_steps])})
                            AS event
                        WHERE visit_key <> 0
                    ) AS event
                    JOIN ({visit}) AS visit ON event.session_key = visit.session_key
                    WHERE visit.visitor_key <> 0
                ) AS counted
                WHERE copy <= {kinds}
            ) AS ranked
            WHERE place <= {_MOST_OF_AN_INSTANT}
        )
    """


_BEGUN: LiteralString = """
    SELECT session_key, visitor_key, 1 AS depth, occurred_at AS reached_at, slot AS used
    FROM (
        SELECT *, min(occurred_at) OVER (PARTITION BY session_key) AS first_at
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
            SELECT DISTINCT session_key, visitor_key, depth, reached_at, used
            FROM (
                SELECT walked.session_key AS session_key,
                       walked.visitor_key AS visitor_key,
                       CASE WHEN step.slot IS NULL THEN depth ELSE {step} END AS depth,
                       coalesce(step.occurred_at, reached_at) AS reached_at,
                       CASE WHEN step.occurred_at > reached_at THEN 0 ELSE used END
                           + coalesce(step.slot, 0) AS used,
                       step.occurred_at AS step_at,
                       min(step.occurred_at) OVER (
                           PARTITION BY walked.session_key
                       ) AS first_at
                FROM walked_{before} AS walked
                LEFT JOIN (SELECT * FROM candidate WHERE is_{step} = 1) AS step
                    ON walked.session_key = step.session_key
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
