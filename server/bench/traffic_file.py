"""A DuckDB file of made-up traffic, written by SQL: ten million events in minutes.

A session has one to seven page views, each with its end, and one in five has two
events of the server; a visitor comes back four times. The same number of events
gives the same file.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from clamp_server.store.on_duckdb import (
    INSERT,
    JOIN_AT_EVENTS,
    DuckDBFile,
    join_pieces,
)
from clamp_server.store.schema import EVENTS, Column

PROJECT_ID = "proj_bench"
DAYS = 90
# The last event is just before it.
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVENTS_A_SESSION = 6.4

_ROLL = """
CREATE TEMP MACRO roll(which, sides) AS (hash(which) % sides)::BIGINT
"""
_SESSIONS = """
CREATE OR REPLACE TEMP TABLE visit AS
SELECT n, roll((n, 'visitor'), $visitors) AS visitor,
       1 + roll((n, 'length'), 7) * (roll((n, 'bounces'), 3) > 0)::BIGINT AS views,
       roll((n, 'server'), 5) = 0 AS is_served,
       $day + to_milliseconds(roll((n, 'start'), 86400000)) AS started_at
FROM range($first::BIGINT, $last::BIGINT) AS session(n)
"""
# What one event in a session is, by its place: page view and end take turns.
_EVENTS = """
CREATE OR REPLACE TEMP TABLE made AS
SELECT n, visitor, k, started_at + to_milliseconds((20000 * k)::BIGINT) AS occurred_at,
       CASE WHEN k >= 2 * views
                THEN CASE WHEN roll((n, k), 8) = 0 THEN '$error' ELSE 'order_paid' END
            WHEN k % 2 = 0 THEN '$pageview' ELSE '$pageview_end' END AS name,
       k >= 2 * views AS is_server, roll((n, k // 2, 'path'), 300) AS path
FROM (SELECT *, unnest(range(2 * views + 2 * is_served::BIGINT)) AS k FROM visit)
WHERE started_at < $now
"""
_DAY = "CREATE OR REPLACE TEMP TABLE day AS SELECT {cells} FROM made ORDER BY seq"
# As many at a time as the store joins.
_INCOMING = """
CREATE OR REPLACE TEMP VIEW incoming AS SELECT * FROM day LIMIT {most} OFFSET {skipped}
"""
_COLUMNS = {
    "project_id": f"'{PROJECT_ID}'",
    # Above those of the day before, also where its sessions go on after midnight.
    "seq": "epoch_us((SELECT min(occurred_at) FROM made))"
    " + row_number() OVER (ORDER BY occurred_at)",
    "name": "name",
    "sent_by": "CASE WHEN is_server THEN 'server' ELSE 'browser' END",
    "occurred_at": "occurred_at",
    "received_at": "occurred_at",
    "anonymous_id": "'aid_' || md5(visitor::VARCHAR)[:24]",
    "user_id": "CASE WHEN is_server THEN 'user_' || visitor ELSE '' END",
}
_IN_BROWSER = {
    "session_id": "'ses_' || md5(n::VARCHAR)[:24]",
    "url": "'https://shop.example/p/' || path",
    "hostname": "'shop.example'",
    "pathname": "'/p/' || path",
    "utm_source": "['', '', '', 'newsletter', 'ads'][1 + roll((n, 'utm'), 5)]",
    "utm_campaign": "['', '', '', 'spring', 'summer'][1 + roll((n, 'utm'), 5)]",
    "referrer_host": "['', 'google.com', 'bing.com', 't.co'][1 + roll((n, 'ref'), 4)]",
    "channel": "['direct', 'organic_search', 'organic_search', 'organic_social']"
    "[1 + roll((n, 'ref'), 4)]",
    "browser": "['Chrome', 'Firefox', 'Safari'][1 + visitor % 3]",
    "browser_version": "(120 + visitor % 10)::VARCHAR",
    "os": "['Windows', 'iOS', 'Android', 'macOS'][1 + visitor % 4]",
    "os_version": "(10 + visitor % 5)::VARCHAR",
    "device_type": "CASE WHEN visitor % 50 = 0 THEN 'bot'"
    " ELSE ['desktop', 'mobile', 'tablet'][1 + visitor % 3] END",
    "country": "['DE', 'US', 'FR', 'GB', 'IN', 'BR'][1 + visitor % 6]",
    "region": "'Region ' || visitor % 60",
    "city": "'City ' || visitor % 600",
    "language": "'en-GB'",
    "platform": "'web'",
}
_OTHERS = {
    "strings": "CASE WHEN name = '$pageview_end' THEN MAP {'engagement_seconds':"
    " (roll((n, k), 60))::VARCHAR, 'max_scroll_pct': (roll((n, k), 101))::VARCHAR}"
    " WHEN is_server THEN MAP {'plan': 'pro'} ELSE MAP {} END",
    "numbers": "MAP {}",
    "booleans": "MAP {}",
    "money_amounts": "CASE WHEN name = 'order_paid' THEN MAP {'total':"
    " (roll((n, 'paid'), 10000) / 100)::DECIMAL(38, 18)} ELSE MAP {} END",
    "money_currencies": "CASE WHEN name = 'order_paid' THEN MAP {'total': 'USD'}"
    " ELSE MAP {} END",
    "error_message": "CASE WHEN name = '$error' THEN 'bad thing ' || n % 40"
    " ELSE '' END",
    "error_type": "CASE WHEN name = '$error' THEN 'ValueError' ELSE '' END",
    "error_fingerprint": "CASE WHEN name = '$error' THEN md5((n % 40)::VARCHAR)[:16]"
    " ELSE '' END",
}


def visitor_id(number: int) -> str:
    """Return the anonymous id of one visitor."""
    return f"aid_{hashlib.md5(str(number).encode()).hexdigest()[:24]}"


def fill(path: Path, events: int) -> None:
    """Write about so many events into a new file, in the order in which they came."""
    DuckDBFile(path).close()
    sessions = int(events / EVENTS_A_SESSION)
    connection = duckdb.connect(str(path), config={"memory_limit": "1GB"})
    connection.execute(_ROLL)
    day_sql = _DAY.format(cells=", ".join(map(_column, EVENTS)))
    first_day = NOW.replace(hour=0, tzinfo=None) - timedelta(days=DAYS - 1)
    for day in range(DAYS):
        connection.execute(
            _SESSIONS,
            {
                "visitors": max(1, sessions // 4),
                "day": first_day + timedelta(days=day),
                "first": sessions * day // DAYS,
                "last": sessions * (day + 1) // DAYS,
            },
        )
        connection.execute(_EVENTS, {"now": NOW.replace(tzinfo=None)})
        connection.execute(day_sql)
        ((of_day,),) = connection.execute("SELECT count(*) FROM day").fetchall()
        for skipped in range(0, of_day, JOIN_AT_EVENTS):
            connection.execute(_INCOMING.format(most=JOIN_AT_EVENTS, skipped=skipped))
            connection.execute(INSERT)
            join_pieces(connection)
    connection.close()


def _column(column: Column) -> str:
    name = column.name
    if name in _IN_BROWSER:
        return f"CASE WHEN is_server THEN '' ELSE {_IN_BROWSER[name]} END AS {name}"
    value = {**_COLUMNS, **_OTHERS}.get(name)
    if value is None:
        nothing = {"INTEGER": "0", "BOOLEAN": "false"}
        value = nothing.get(column.duckdb, "''")
    return f"{value} AS {name}"
