"""Which hour, day, week or month an event is in, as SQL.

The offsets of a time zone go into the statement as values. So one time zone
database decides, the server's own, and not that of each engine; and adding a
number of seconds is an order of magnitude cheaper than a calendar a row.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from zoneinfo import ZoneInfo

from clamp_server.model.bucket import Granularity, encode_hour, offsets
from clamp_server.model.period import Period
from clamp_server.store.sql import Dialect, Row, Sql, Value


def bucket(
    period: Period,
    granularity: Granularity,
    zone: ZoneInfo,
    dialect: Dialect,
    instant: LiteralString = "occurred_at",
) -> Sql:
    """Write the bucket of `instant`; `read_bucket` reads what comes back."""
    if granularity == "hour":
        return Sql(f"date_trunc('hour', {instant})")
    *changes, last = offsets(period, zone)
    seconds: LiteralString = "$offset_seconds"
    values: dict[str, Value] = {"offset_seconds": last.seconds}
    # Latest first, so that each CASE wraps those after it. A number in a name
    # would not be literal text; there are two changes a year.
    for n, offset in reversed([*enumerate(changes, 1)]):
        name: LiteralString = "x" * n
        seconds = (
            f"CASE WHEN {instant} < $until_{name} THEN $offset_{name}"
            f" ELSE {seconds} END"
        )
        values |= {f"until_{name}": offset.end, f"offset_{name}": offset.seconds}
    local = dialect.plus_seconds(instant, seconds)
    return Sql(f"CAST(date_trunc('{granularity}', {local}) AS DATE)", values)


def bucket_bounds(start: Sql) -> list[datetime]:
    """Return the instants that what `bucket` wrote compares its instant with."""
    return [value for value in start.values.values() if isinstance(value, datetime)]


def bucket_ends(start: Sql) -> list[LiteralString]:
    """Return the names of these instants, in what `bucket` wrote.

    Between two of them, the later of two instants is not in the earlier bucket.
    """
    return [f"until_{'x' * n}" for n in range(1, len(bucket_bounds(start)) + 1)]


def read_bucket(row: Row) -> str:
    """Return the column `bucket` of a row as answers write it."""
    start = row["bucket"]
    return encode_hour(start) if isinstance(start, datetime) else str(start)
