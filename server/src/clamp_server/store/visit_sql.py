"""Sessions, as SQL.

A session counts in a period in which anything happened in it, and always as the
whole that it is: cutting it at midnight would make two bounces of two page views.
What its server did for the visitor has no session id, and is not part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from clamp_server.model.scope import Scope
from clamp_server.store.any_row_sql import any_row
from clamp_server.store.piece_sql import SLOT, bounds_within, pieces, slot_of, touches
from clamp_server.store.scope_sql import filtered
from clamp_server.store.session_rows_sql import (
    OfSession,
    SessionRows,
    first_value,
    of_several,
    total,
)
from clamp_server.store.sql import Value

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
    start, end = scope.period.start, scope.period.end
    condition: LiteralString = f"session_key <> 0 AND {AROUND}"
    if scope.excludes_bots:
        condition += " AND device_type <> 'bot'"
    piece = pieces(condition, (*bounds, *bounds_within(start, end)))
    _, filters = filtered(scope)
    conditions = [OfSession(_TOUCHES_PERIOD, f"{any_row(_TOUCHES_PERIOD)} = 1")]
    for dimension in scope.filtered:
        value = first_value(dimension)
        wanted: LiteralString = f"= $filter_{dimension}"
        conditions.append(
            OfSession(f"{value.alone} {wanted}", f"{value.together} {wanted}")
        )
    rows = SessionRows(
        pieces=piece.text,
        several=of_several(piece.text),
        columns={**_SHARED, **(columns or {})},
        conditions=conditions,
    )
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


_SHARED: Mapping[LiteralString, OfSession] = {
    # Of two visitors who share a session any one will do that is always the same.
    "visitor_key": OfSession("visitor_key", "max(visitor_key)"),
    "views": total("page_views"),
    "duration_ms": OfSession(
        "greatest(date_diff('millisecond', occurred_at, last_at), 1000 * engaged_s)",
        """greatest(
            date_diff('millisecond', min(occurred_at), max(last_at)),
            1000 * CAST(sum(engaged_s) AS BIGINT)
        )""",
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
