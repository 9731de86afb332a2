"""How far into a funnel visitors get, as SQL.

A session holds the steps in order where each has an event of its own, no earlier
than that of the step before. Events of one instant count in whichever order gets
the furthest, so that the order of arrival changes nothing. A session is the whole
that it is in every question, and has those events of servers that belong to it.

Of most sessions the first and the last instant of each step say how far they get.
There is a next step where its last event is after the latest instant at which the
steps so far are done, and none where it is before the earliest. Sessions of which
that says nothing are open; in ClickHouse all are.

The events of those are walked in their order, session by session, as numbers that have
an instant and, in the bits of a `mask`, the steps. Each takes a session one step
further, if it is an event of that step. That is all where no two of a session's events
have one instant.

Open sessions where two have are walked step by step instead. For each it is known at
which earliest instant the steps so far are done, since whatever can follow a later
one can follow that. Only at that instant may it matter which events are used up:
`used` has a bit for each, and a session has a row for each way to get there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from clamp_server.model.funnel import Predicate, Step
from clamp_server.model.scope import Scope
from clamp_server.store.property_sql import property_sql
from clamp_server.store.session_sql import in_sessions
from clamp_server.store.sql import Dialect, Row, Sql, Value, literal
from clamp_server.store.visit_sql import AROUND, visitors_of_visits

# Bits that are exact in a 64-bit float. More events of one instant are not looked
# at; each kind of them takes no more bits than it has steps.
_MOST_OF_AN_INSTANT: LiteralString = "50"


@dataclass(frozen=True, slots=True)
class FunnelParams:
    """One funnel, and whose sessions are looked at."""

    steps: Sequence[Step]
    scope: Scope


def select_depths(params: FunnelParams, dialect: Dialect) -> Sql:
    """Write the SQL of a row a `depth`, with the `visitors` who got no further."""
    visit = visitors_of_visits(params.scope)
    mask = _mask(params.steps, dialect)
    browsed = f"""
        SELECT session_key, {_matching("events", mask.text)}
        AND session_key <> 0 AND {_BROWSED}
    """
    if params.scope.excludes_bots:
        browsed += " AND device_type <> 'bot'"
    served = f"""
        SELECT seq, visitor_key, start_order, {_matching("ordered_events", mask.text)}
        AND visitor_key <> 0 AND NOT {_BROWSED}
    """
    last = len(params.steps)
    walk: LiteralString = ", ".join(_walked(number) for number in range(2, last + 1))
    return Sql(
        f"""
        WITH placed AS (
            SELECT visit_key AS session_key, occurred_at, mask
            FROM ({in_sessions(served, _KEPT, (), dialect, AROUND)}) AS event
            WHERE visit_key <> 0
        ),
        session AS ({_sessions(browsed, visit.rows.all(dialect), params, dialect)}),
        walked AS ({_walk_in_order(browsed, last, dialect)}),
        candidate AS ({_candidates(browsed, last)}),
        walked_1 AS ({_BEGUN}), {walk}
        SELECT depth, count(*) AS visitors
        FROM (
            SELECT visitor_key, max(depth) AS depth
            FROM (
                SELECT visitor_key, depth FROM session WHERE depth > 0
                UNION ALL
                SELECT visitor_key, depth FROM walked WHERE NOT is_tied
                UNION ALL
                SELECT visitor_key, depth FROM walked_{literal(last)}
            ) AS reached
            GROUP BY visitor_key
        ) AS visitor
        GROUP BY depth
        """,
        {**visit.values, **mask.values},
    )


def read_counts(params: FunnelParams, rows: Sequence[Row]) -> list[int]:
    """Return the visitors who got to each step or further."""
    numbers = range(1, len(params.steps) + 1)
    return [
        sum(row["visitors"] for row in rows if row["depth"] >= number)
        for number in numbers
    ]


_KEPT: tuple[LiteralString, ...] = ("visit_key", "occurred_at", "mask")
# The depth of a session that has to be walked.
_OPEN: LiteralString = "-1"
_BROWSED: LiteralString = "sent_by <> 'server'"


def _matching(table: LiteralString, mask: LiteralString) -> LiteralString:
    """Write the end of a SELECT: of the events that any step holds for."""
    return f"""
        occurred_at, {mask} AS mask
        FROM {table}
        WHERE project_id = $project_id AND {AROUND} AND ({mask}) > 0
    """


def _sessions(
    browsed: LiteralString,
    visits: LiteralString,
    params: FunnelParams,
    dialect: Dialect,
) -> LiteralString:
    """Write the SELECT of sessions, with how far they get or that they are open."""
    # ClickHouse writes out each part of a WITH wherever it is named. To look first
    # took it twice the time.
    if not dialect.joins_pieces:
        return f"""
            SELECT session_key, visitor_key, {_OPEN} AS depth
            FROM ({visits}) AS visit
            WHERE visitor_key <> 0
        """
    return f"""
        SELECT bounded.session_key AS session_key, visitor_key, depth
        FROM ({_bounded(browsed, params.steps)}) AS bounded
        JOIN ({visits}) AS visit ON bounded.session_key = visit.session_key
        WHERE visitor_key <> 0 AND depth <> 0
    """


def _bounded(browsed: LiteralString, steps: Sequence[Step]) -> LiteralString:
    """Write the SELECT of how far each session gets, `_OPEN` if that is not said."""
    kinds = _kinds(steps)
    bounds: LiteralString = ", ".join(_bounds(kind) for kind in sorted(set(kinds)))
    return f"""
        SELECT session_key, {_bounded_depth(kinds)} AS depth
        FROM (
            SELECT session_key, count(*) AS events, {bounds}
            FROM ({_events(browsed)}) AS event
            GROUP BY session_key
        ) AS bounds
    """


def _bounds(kind: int) -> LiteralString:
    """Write the first and the last instant of the events of a step."""
    name = literal(kind)
    instant: LiteralString = f"CASE WHEN {_has(kind)} THEN occurred_at END"
    return f"min({instant}) AS first_{name}, max({instant}) AS last_{name}"


def _bounded_depth(kinds: Sequence[int]) -> LiteralString:
    """Write how far a session gets by the first and the last event of each kind."""
    # When the steps so far are done, at the earliest and at the latest. All of it is
    # one expression: with a SELECT a step, DuckDB writes each into the next several
    # times over, and ten steps of 10,000,000 events take 14 s.
    low: LiteralString = "first_1"
    high: LiteralString = "first_1"
    ends: LiteralString = ""
    for number, kind in enumerate(kinds[1:], 2):
        first: LiteralString = f"first_{literal(kind)}"
        last: LiteralString = f"last_{literal(kind)}"
        may_be_further = f"{last} >= {low} AND events >= {literal(number)}"
        ends += f"""
            WHEN {last} IS NULL OR {last} <= {high}
                THEN CASE WHEN {may_be_further} THEN {_OPEN}
                    ELSE {literal(number - 1)} END
        """
        low = f"greatest({low}, {first})"
        high = f"CASE WHEN {first} > {high} THEN {first} ELSE {last} END"
    return f"CASE WHEN first_1 IS NULL THEN 0 {ends} ELSE {literal(len(kinds))} END"


def _has(number: int) -> LiteralString:
    """Write whether a `mask` has a step."""
    return f"mask % {literal(2**number)} >= {literal(2 ** (number - 1))}"


def _kinds(steps: Sequence[Step]) -> list[int]:
    """Return for each step the number of the first that holds for the same events."""
    held = [(step.event, step.path, step.is_prefix, step.predicates) for step in steps]
    return [held.index(one) + 1 for one in held]


def _events(browsed: LiteralString) -> LiteralString:
    """Write the SELECT of the events of all sessions that any step holds for."""
    return f"""
        {browsed} UNION ALL SELECT session_key, occurred_at, mask FROM placed
    """


# An event to walk is its instant and below that its mask. Of a session walked so far it
# is the instant of the last event, and below that a bit for each step that is done and
# _TIED once two events had one instant. So has one at `$around_start`, which is where a
# session begins that has none: to walk it step by step is right as well.
_INSTANT: LiteralString = "-1048576"
_TIED: LiteralString = "1024"
_DONE: LiteralString = "1023"
_PACKED: LiteralString = (
    "date_diff('millisecond', $around_start, occurred_at) * 1048576 + mask"
)


def _walk_in_order(
    browsed: LiteralString, steps: int, dialect: Dialect
) -> LiteralString:
    """Write the SELECT of how far each open session gets, if none of it `is_tied`."""
    bits = dialect.common_bits
    done = bits("state", _DONE)
    # The bit of the next step is one more than those of the steps that are done.
    state: LiteralString = f"""
        {bits("event", _INSTANT)}
        + CASE WHEN {bits("event", _INSTANT)} = {bits("state", _INSTANT)}
            THEN {_TIED} + {done} ELSE {done} + {bits("state", _TIED)} END
        + {bits("event", f"({done} + 1)")}
    """
    walked = dialect.folded("packed", "event", "state", state)
    depth: LiteralString = " + ".join(
        f"CASE WHEN {done} >= {literal(2**number - 1)} THEN 1 ELSE 0 END"
        for number in range(1, steps + 1)
    )
    return f"""
        SELECT session_key, visitor_key, CAST({depth} AS BIGINT) AS depth,
               CAST({bits("state", _TIED)} > 0 AS BOOLEAN) AS is_tied
        FROM (
            SELECT session_key, visitor_key, {walked} AS state
            FROM (
                SELECT event.session_key AS session_key, visitor_key,
                       {_PACKED} AS packed
                FROM ({_events(browsed)}) AS event
                JOIN (SELECT * FROM session WHERE depth = {_OPEN}) AS session
                    ON event.session_key = session.session_key
            ) AS numbered
            GROUP BY session_key, visitor_key
        ) AS walked
    """


def _candidates(browsed: LiteralString, steps: int) -> LiteralString:
    """Write the SELECT of the events of tied sessions, each with its bit: `slot`."""
    kinds: LiteralString = " + ".join(_bit(number) for number in range(1, steps + 1))
    return f"""
        SELECT session_key, visitor_key, occurred_at, mask,
               power(2, place - 1) AS slot
        FROM (
            SELECT *, row_number() OVER (
                PARTITION BY session_key, occurred_at ORDER BY copy, mask
            ) AS place
            FROM (
                SELECT event.session_key AS session_key, occurred_at, mask,
                       session.visitor_key AS visitor_key,
                       row_number() OVER (
                           PARTITION BY event.session_key, occurred_at, mask
                       ) AS copy
                FROM ({_events(browsed)}) AS event
                JOIN (SELECT * FROM walked WHERE is_tied) AS session
                    ON event.session_key = session.session_key
            ) AS counted
            WHERE copy <= {kinds}
        ) AS ranked
        WHERE place <= {_MOST_OF_AN_INSTANT}
    """


def _bit(number: int) -> LiteralString:
    """Write 1 for a `mask` with that step, else 0."""
    return f"floor(mask / {literal(2 ** (number - 1))}) % 2"


_BEGUN: LiteralString = f"""
    SELECT session_key, visitor_key, 1 AS depth, occurred_at AS reached_at, slot AS used
    FROM (
        SELECT *, min(occurred_at) OVER (PARTITION BY session_key) AS first_at
        FROM candidate WHERE {_bit(1)} = 1
    ) AS first
    WHERE occurred_at = first_at
"""


def _walked(number: int) -> LiteralString:
    """Write how far sessions are after one step more, as a part of a WITH.

    One that has no event for the step stays where it is.
    """
    step, before = literal(number), literal(number - 1)
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
                LEFT JOIN (SELECT * FROM candidate WHERE {_bit(number)} = 1) AS step
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


def _mask(steps: Sequence[Step], dialect: Dialect) -> Sql:
    """Write the number that has a bit for each step that holds for an event."""
    kinds = _kinds(steps)
    flags: list[LiteralString] = []
    values: dict[str, Value] = {}
    # To look at a text is most of what an event costs, so each kind is asked for once.
    for kind in sorted(set(kinds)):
        held = _held_step(steps[kind - 1], f"step_{literal(kind)}", dialect)
        bits = sum(2**place for place, other in enumerate(kinds) if other == kind)
        flags.append(f"CASE WHEN {held.text} THEN {literal(bits)} ELSE 0 END")
        values |= held.values
    return Sql(" + ".join(flags), values)


def _held_step(step: Step, hole: LiteralString, dialect: Dialect) -> Sql:
    """Write whether a step holds for an event."""
    conditions: list[LiteralString] = [f"name = ${hole}"]
    values: dict[str, Value] = {hole: step.event}
    if step.path is not None:
        path: LiteralString = f"${hole}_path"
        conditions.append(
            f"left(pathname, length({path})) = {path}"
            if step.is_prefix
            else f"pathname = {path}"
        )
        values[f"{hole}_path"] = step.path
    for place, predicate in enumerate(step.predicates, 1):
        held = _held(predicate, f"{hole}_{literal(place)}", dialect)
        conditions.append(held.text)
        values |= held.values
    return Sql(" AND ".join(conditions), values)


def _held(predicate: Predicate, hole: LiteralString, dialect: Dialect) -> Sql:
    """Write whether a predicate holds for an event."""
    if predicate.dimension is not None:
        return Sql(f"{predicate.dimension} = ${hole}", {hole: predicate.value})
    found = property_sql(predicate.key, predicate.kind, f"{hole}_key", dialect)
    return Sql(
        f"{found.present} AND {found.value} = ${hole}",
        {**found.values, hole: predicate.value},
    )
