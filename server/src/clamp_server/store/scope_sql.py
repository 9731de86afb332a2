"""The events of a scope, as SQL.

Every question reads its events through `scoped`, or the pieces of them through
`scoped_pieces`, and never from the table, so what an event's channel or country
*is* gets decided in this one place.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.model.scope import Scope
from clamp_server.store.piece_sql import pieces, served_pieces
from clamp_server.store.schema import COLUMN_NAMES
from clamp_server.store.session_sql import in_sessions
from clamp_server.store.sql import Dialect, Sql, Value

VISITORS: LiteralString = "count(DISTINCT nullif(visitor_key, 0))"
"""The visitors of a group of events or pieces; one without an anonymous id has none."""

PEOPLE: LiteralString = (
    "count(DISTINCT coalesce(nullif(user_id, ''), nullif(anonymous_id, '')))"
)
"""The users of a group of events, by anonymous id where no user is known."""

IN_PERIOD: LiteralString = "occurred_at >= $start AND occurred_at < $end"


def scoped(scope: Scope, start: datetime | None = None) -> Sql:
    """Write the SELECT of every column of the events in `scope`.

    It binds `$project_id`, `$start`, `$end` and one `$filter_...` a filter.

    Args:
        start: An earlier start than the period's, for what compares two
            periods; `$start` is then this one.
    """
    condition, values = _condition(scope, start)
    if scope.excludes_bots:
        condition += (
            f" AND (sent_by <> 'server' OR {_is_no_bot('events', 'occurred_at')})"
        )
    return Sql(f"{_OWN} AND {condition}", values)


def scoped_from_sessions(
    scope: Scope,
    dialect: Dialect,
    start: datetime | None = None,
    dimensions: Collection[Dimension] = (),
) -> Sql:
    """Write what `scoped` does, server events with values of their sessions.

    Args:
        start: As in `scoped`.
        dimensions: What is looked at beside the filters, see `session_sql`.
    """
    wanted: list[Dimension] = sorted({*scope.filtered, *dimensions})
    if not wanted:
        return scoped(scope, start)
    condition, values = _condition(scope, start)
    served: LiteralString = f"{_PLACED} AND sent_by = 'server' AND {_of_people(scope)}"
    kept = _kept_sessions(scope, wanted)
    servers = in_sessions(served, COLUMN_NAMES, wanted, dialect, kept)
    both: LiteralString = f"{_OWN} AND sent_by <> 'server' UNION ALL {servers}"
    return Sql(f"SELECT * FROM ({both}) AS event WHERE {condition}", values)


def scoped_pieces(
    scope: Scope,
    dialect: Dialect,
    dimensions: Collection[Dimension] = (),
    bounds: Collection[datetime] = (),
) -> Sql:
    """Write the SELECT of the pieces (see `piece_sql`) of the events in `scope`.

    It has their `visitor_key`, `occurred_at`, `events` and `page_views`, and the
    dimensions that are looked at. It binds what `scoped` does.

    Args:
        dimensions: What is looked at beside the filters: the values of a server's
            events are those of its visitor's session.
        bounds: Instants that `occurred_at` is compared with, beside the period's.
    """
    condition, values = _condition(scope)
    wanted: list[Dimension] = sorted({*scope.filtered, *dimensions})
    columns = _piece_columns(wanted)
    bounds = (scope.period.start, scope.period.end, *bounds)
    own: LiteralString = f"{IN_PERIOD} AND sent_by <> 'server'"
    browsers = pieces(own, bounds, wanted, columns)
    if wanted:
        more: tuple[LiteralString, ...] = ("seq",) if dialect.joins_pieces else ()
        served = _served_pieces(scope, (*more, "start_order", *columns))
        kept = _kept_sessions(scope, wanted)
        servers = in_sessions(served, columns, wanted, dialect, kept)
    else:
        servers = _served_pieces(scope, columns)
    both: LiteralString = f"{browsers.text} UNION ALL {servers}"
    return Sql(
        f"SELECT * FROM ({both}) AS piece WHERE {condition}",
        {**browsers.values, **values},
    )


def _kept_sessions(scope: Scope, dimensions: Collection[Dimension]) -> LiteralString:
    """Write which sessions of server events are looked at."""
    # If there is one filter and nothing else, only one with that value brings an event
    # into the scope. An event that has none is as one without a session: of '' then.
    if len(dimensions) == 1 and scope.filters:
        (name,) = dimensions
        return f"{IN_PERIOD} AND $filter_{name} IN ('', first_{name})"
    return IN_PERIOD


def _piece_columns(dimensions: Collection[Dimension]) -> Collection[LiteralString]:
    # The kind of device says whose pieces are left out.
    named: set[LiteralString] = {"device_type", *dimensions}
    return ("visitor_key", *sorted(named), "occurred_at", "events", "page_views")


def _served_pieces(scope: Scope, columns: Collection[LiteralString]) -> LiteralString:
    return served_pieces(f"{IN_PERIOD} AND {_of_people(scope)}", columns)


def filtered(scope: Scope) -> tuple[list[LiteralString], dict[str, Value]]:
    """Write a condition for each filter, and return what they bind."""
    return (
        [f"{dimension} = $filter_{dimension}" for dimension in scope.filtered],
        {f"filter_{dimension}": value for dimension, value in scope.filters},
    )


def _condition(
    scope: Scope, start: datetime | None = None
) -> tuple[LiteralString, dict[str, Value]]:
    """Write what holds for everything in scope, and what the statement binds."""
    conditions, filters = filtered(scope)
    values: dict[str, Value] = {
        "project_id": scope.project_id,
        "start": start or scope.period.start,
        "end": scope.period.end,
        **filters,
    }
    if scope.excludes_bots:
        conditions.append("device_type <> 'bot'")
    return " AND ".join(conditions) or "true", values


def _of_people(scope: Scope) -> LiteralString:
    # Not asked of what browsers sent: that says by itself that it is a bot's.
    return _is_no_bot("visit_pieces", "last_at") if scope.excludes_bots else "true"


def _is_no_bot(table: LiteralString, last_at: LiteralString) -> LiteralString:
    """Write that no browser of the visitor's was a bot's.

    Args:
        table: `events`; or `visit_pieces`, which is sooner read and later planned.
        last_at: Its column with the last instant of a row.
    """
    # A server does not know that it serves a bot; the browser whose id it was given
    # does. Bots are looked for within a day: in all events there are, that would take
    # longer than the question about the last five minutes.
    return f"""
        visitor_key NOT IN (
            SELECT visitor_key FROM {table}
            WHERE project_id = $project_id AND device_type = 'bot' AND visitor_key <> 0
              AND {last_at} >= $start - INTERVAL 1 DAY
              AND occurred_at < $end + INTERVAL 1 DAY
        )
    """


# Named one by one: a store may have columns of its own beside these, and both parts
# of a UNION need the same.
_OWN: LiteralString = f"""
    SELECT {", ".join(COLUMN_NAMES)} FROM events
    WHERE project_id = $project_id AND {IN_PERIOD}
"""
_PLACED: LiteralString = f"""
    SELECT {", ".join((*COLUMN_NAMES, "start_order"))} FROM ordered_events
    WHERE project_id = $project_id AND {IN_PERIOD}
"""
