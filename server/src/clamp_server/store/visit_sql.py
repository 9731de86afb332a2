"""Sessions, as SQL.

A session counts in a period in which anything happened in it, and always as the
whole that it is: cutting it at midnight would make two bounces of two page views.
What its server did for the visitor has no session id, and is not part of it.
"""

from __future__ import annotations

from typing import LiteralString

from clamp_server.model.scope import Scope
from clamp_server.store.session_sql import first_values
from clamp_server.store.sql import Dialect, Sql, Value

# A session ends after 30 minutes without an event, so that hardly one is cut by
# this; without a limit, every question would read all events there are.
REACH: LiteralString = "INTERVAL 1 DAY"
IN_PERIOD: LiteralString = "occurred_at >= $start AND occurred_at < $end"


def visits(scope: Scope, dialect: Dialect, *columns: LiteralString) -> Sql:
    """Write the SELECT of a period's sessions that every filter holds for.

    Beside `columns`, it has `session_id`, the session's visitor as
    `anonymous_id`, the count of its page views as `views`, `duration_ms`, and
    `entry_page` and `exit_page`, empty without a page view.

    Args:
        columns: More aggregates of a session's events, each with its name.
    """
    values: dict[str, Value] = {
        "project_id": scope.project_id,
        "start": scope.period.start,
        "end": scope.period.end,
        "pageview": "$pageview",
        "page_end": "$pageview_end",
    }
    conditions: list[LiteralString] = [f"count(*) FILTER (WHERE {IN_PERIOD}) > 0"]
    for dimension, value in scope.filters:
        conditions.append(f"first_{dimension} = $filter_{dimension}")
        values[f"filter_{dimension}"] = value
    if scope.filters:
        columns = (*columns, first_values(scope.filtered))
    return Sql(
        f"""
        SELECT {", ".join((_shared(dialect), *columns))}
        FROM ({session_events(scope)}
              AND occurred_at >= $start - {REACH} AND occurred_at < $end + {REACH}
        ) AS event
        GROUP BY session_id
        HAVING {" AND ".join(conditions)}
        """,
        values,
    )


def _shared(dialect: Dialect) -> LiteralString:
    seconds = dialect.digits("strings['engagement_seconds']")
    is_view: LiteralString = "FILTER (WHERE name = $pageview)"
    # Of page views in the same millisecond the first of the alphabet is the entry
    # and the last the exit: any rule will do that is not that of arrival.
    return f"""
        session_id, max(anonymous_id) AS anonymous_id, count(*) {is_view} AS views,
        greatest(
            date_diff('millisecond', min(occurred_at), max(occurred_at)),
            1000 * coalesce(sum(CASE WHEN name = $page_end THEN {seconds} END), 0)
        ) AS duration_ms,
        coalesce(
            argMin(pathname, (occurred_at, pathname = '', pathname)) {is_view}, ''
        ) AS entry_page,
        coalesce(argMax(pathname, (occurred_at, pathname)) {is_view}, '') AS exit_page
    """


def session_events(scope: Scope) -> LiteralString:
    """Write the SELECT of every event of a session, without regard to time."""
    own: LiteralString = (
        "SELECT * FROM events WHERE project_id = $project_id AND session_id <> ''"
    )
    if scope.leaves_out_bots and "device_type" not in scope.filtered:
        return f"{own} AND device_type <> 'bot'"
    return own
