"""Sessions, as SQL.

A session counts in a period in which anything happened in it, and always as the
whole that it is: cutting it at midnight would make two bounces of two page views.
What its server did for the visitor has no session id, and is not part of it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import LiteralString

from clamp_server.model.scope import Scope
from clamp_server.store.any_row_sql import any_row
from clamp_server.store.piece_sql import pieces
from clamp_server.store.scope_sql import IN_PERIOD, filtered
from clamp_server.store.session_sql import first_values
from clamp_server.store.sql import Sql

# A session ends after 30 minutes without an event, so that hardly one is cut by
# this; without a limit, every question would read all events there are.
REACH: LiteralString = "INTERVAL 1 DAY"
AROUND: LiteralString = (
    f"occurred_at >= $start - {REACH} AND occurred_at < $end + {REACH}"
)
_REACH = timedelta(days=1)


def visits(
    scope: Scope,
    *columns: LiteralString,
    bounds: Collection[datetime] = (),
) -> Sql:
    """Write the SELECT of a period's sessions that every filter holds for.

    Beside `columns`, it has `session_key`, the session's visitor as `visitor_key`,
    the count of its page views as `views`, `duration_ms`, and `entry_page` and
    `exit_page`, empty without a page view.

    Args:
        columns: More aggregates of a session's pieces (see `piece_sql`), each with
            its name.
        bounds: Instants that `columns` compare with, beside the period's.
    """
    conditions, values = filtered(scope, "first_")
    conditions.append(f"{any_row(IN_PERIOD)} = 1")
    if scope.filters:
        columns = (*columns, first_values(scope.filtered))
    piece = session_pieces(scope, bounds)
    return Sql(
        f"""
        SELECT {", ".join((_SHARED, *columns))}
        FROM ({piece.text}) AS piece
        GROUP BY session_key
        HAVING {" AND ".join(conditions)}
        """,
        {**piece.values, **values},
    )


# Of two visitors who share a session any one will do that is always the same.
_SHARED: LiteralString = """
    session_key, max(visitor_key) AS visitor_key, sum(page_views) AS views,
    greatest(
        date_diff('millisecond', min(occurred_at), max(last_at)), 1000 * sum(engaged_s)
    ) AS duration_ms,
    CASE WHEN sum(page_views) > 0 THEN argMin(pathname, entry_order) ELSE '' END
        AS entry_page,
    CASE WHEN sum(page_views) > 0 THEN argMax(exit_pathname, exit_order) ELSE '' END
        AS exit_page
"""


def session_pieces(scope: Scope, bounds: Collection[datetime] = ()) -> Sql:
    """Write the SELECT of the pieces of all sessions in and around a period."""
    condition: LiteralString = f"session_key <> 0 AND {AROUND}"
    if scope.excludes_bots:
        condition += " AND device_type <> 'bot'"
    start, end = scope.period.start, scope.period.end
    piece = pieces(condition, (start - _REACH, start, end, end + _REACH, *bounds))
    return Sql(
        piece.text,
        {**piece.values, "project_id": scope.project_id, "start": start, "end": end},
    )
