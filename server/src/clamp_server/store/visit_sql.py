"""Sessions, as SQL.

A session counts in a period in which anything happened in it, and always as the
whole that it is: cutting it at midnight would make two bounces of two page views.
What its server did for the visitor has no session id, and is not part of it.

Where only sums are asked for, sessions of several pieces are not grouped either: a
piece that is joined has what it adds to its session, and when that began and ended as
far as it was known. The piece that was joined last knows it of all. So if no piece in
the period says that its session goes over an end of it, all are in there and add up to
the session, in whichever order they came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from clamp_server.model.scope import Scope
from clamp_server.store.any_row_sql import any_row
from clamp_server.store.piece_sql import (
    SLOT,
    bounds_within,
    pieces,
    slot_of,
    touches,
)
from clamp_server.store.scope_sql import filtered
from clamp_server.store.session_rows_sql import (
    OfSession,
    SessionRows,
    first_value,
    total,
)
from clamp_server.store.sql import Dialect, Value

AROUND: LiteralString = "occurred_at >= $around_start AND occurred_at < $around_end"
"""What is looked at for the sessions of a period; `Visits.values` binds it."""

# A session ends after 30 minutes without an event, so that hardly one is cut by
# this; without a limit, every question would read all events there are.
_REACH = timedelta(days=1)
_INSTANT = timedelta.resolution
_TOUCHES_PERIOD: LiteralString = touches("start", "end")


class Visits(NamedTuple):
    """A period's sessions, and what each of the texts binds."""

    rows: SessionRows
    values: Mapping[str, Value]


def visits(
    scope: Scope,
    columns: Mapping[LiteralString, OfSession] | None = None,
    bounds: Collection[datetime] = (),
) -> Visits:
    """Write the SELECT of a period's sessions that every filter holds for.

    Beside `columns`, it has `session_key`, the session's visitor as `visitor_key`,
    the count of its page views as `views`, `duration_ms`, and `entry_page` and
    `exit_page`, empty without a page view.

    Args:
        columns: More of a session, by name.
        bounds: Instants that `columns` compare `occurred_at` with; `touches` needs
            `bounds_within` alone.
    """
    return _visits(scope, {**_SHARED, **(columns or {})}, bounds, _READ)


def visitors_of_visits(scope: Scope) -> Visits:
    """Write what `visits` does, with `session_key` and `visitor_key` alone.

    The other columns of pieces would take longer to plan than these to read.
    """
    visitor: LiteralString = "visitor_key"
    return _visits(scope, {visitor: _SHARED[visitor]}, (), _OF_ANY)


def visit_sums(
    scope: Scope,
    dialect: Dialect,
    columns: Mapping[LiteralString, OfSession],
    parted: Collection[LiteralString],
    bounds: Collection[datetime] = (),
) -> Visits:
    """Write the SELECT of what adds up to the sessions that `visits` has.

    Beside `columns`, a row has the `sessions` that it adds, the `bounces`, which are
    those with exactly one page view, and the `duration_ms`. It is a session, or a piece
    of one.

    Args:
        columns: More of a session, by name.
        parted: All that may hold for `session_from` and `session_until` where one piece
            of a session has another of the `columns` than another piece.
        bounds: As in `visits`.
    """
    if not dialect.joins_pieces:
        return _visits(scope, {**_SUMS, **columns}, bounds, _READ)
    found = _visits(scope, {**_SUMS, **columns}, bounds, (*_READ, *_ADDED))
    split = _is_split(scope, parted)
    return found._replace(rows=replace(found.rows, is_split=split, is_read="true"))


def goes_over(end: LiteralString) -> LiteralString:
    """Write whether a session has events before `$end` and not before it."""
    return f"session_from < ${end} AND session_until >= ${end}"


def _is_split(scope: Scope, parted: Collection[LiteralString]) -> LiteralString:
    """Write what holds for a piece if those of its session do not just add up."""
    # The path of a piece is not its session's first.
    if "pathname" in scope.filtered:
        return "is_further"
    is_same: LiteralString = "is_alike" if scope.filters else "is_one_kind"
    ends = map(goes_over, ("start", "end"))
    return f"is_further AND (NOT {is_same} OR {' OR '.join((*ends, *parted))})"


def _visits(
    scope: Scope,
    columns: Mapping[LiteralString, OfSession],
    bounds: Collection[datetime],
    named: Collection[LiteralString],
) -> Visits:
    """Write the SELECT of sessions with `columns`, of those `named` of their pieces."""
    start, end = scope.period.start, scope.period.end
    condition: LiteralString = f"session_key <> 0 AND {AROUND}"
    if scope.excludes_bots:
        condition += " AND device_type <> 'bot'"
    read = dict.fromkeys((*named, *scope.filtered))
    piece = pieces(condition, (*bounds, *bounds_within(start, end)), columns=read)
    _, filters = filtered(scope)
    conditions = [OfSession(_TOUCHES_PERIOD, f"{any_row(_TOUCHES_PERIOD)} = 1")]
    for dimension in scope.filtered:
        value = first_value(dimension)
        wanted: LiteralString = f"= $filter_{dimension}"
        conditions.append(
            OfSession(f"{value.alone} {wanted}", f"{value.together} {wanted}")
        )
    rows = SessionRows(pieces=piece.text, columns=columns, conditions=conditions)
    return Visits(
        rows,
        {
            **piece.values,
            **filters,
            "project_id": scope.project_id,
            "start": start,
            "end": end,
            "around_start": slot_of(start - _REACH),
            "around_end": slot_of(end + _REACH + SLOT - _INSTANT),
        },
    )


_DURATION_MS: LiteralString = """greatest(
    date_diff('millisecond', min(occurred_at), max(last_at)),
    1000 * CAST(sum(engaged_s) AS BIGINT)
)"""
_SHARED: Mapping[LiteralString, OfSession] = {
    # Of two visitors who share a session any one will do that is always the same.
    "visitor_key": OfSession("visitor_key", "max(visitor_key)"),
    "views": total("page_views"),
    "duration_ms": OfSession(
        "greatest(date_diff('millisecond', occurred_at, last_at), 1000 * engaged_s)",
        _DURATION_MS,
    ),
    "entry_page": OfSession(
        "CASE WHEN page_views > 0 THEN pathname ELSE '' END",
        "CASE WHEN sum(page_views) > 0 THEN argMin(pathname, entry_order) ELSE '' END",
    ),
    "exit_page": OfSession(
        "CASE WHEN page_views > 0 THEN exit_pathname ELSE '' END",
        """CASE WHEN sum(page_views) > 0 THEN argMax(exit_pathname, exit_order)
            ELSE '' END""",
    ),
}
_SUMS: Mapping[LiteralString, OfSession] = {
    "sessions": OfSession("CASE WHEN is_further THEN 0 ELSE 1 END", "1"),
    "bounces": OfSession(
        "added_bounces", "CASE WHEN sum(page_views) = 1 THEN 1 ELSE 0 END"
    ),
    "duration_ms": OfSession("added_ms", _DURATION_MS),
}
# Of a piece: what says which sessions there are, whose, and their first values.
_OF_ANY: tuple[LiteralString, ...] = (
    "session_key",
    "visitor_key",
    "occurred_at",
    "last_at",
    "entry_order",
    "is_further",
)
# What the texts above, and those of whoever asks, read.
_READ: tuple[LiteralString, ...] = (
    *_OF_ANY,
    "pathname",
    "exit_pathname",
    "exit_order",
    "page_views",
    "engaged_s",
)
_ADDED: tuple[LiteralString, ...] = (
    "added_ms",
    "added_bounces",
    "session_from",
    "session_until",
    "is_alike",
    "is_one_kind",
)
