"""The table `events`: the one place where ingest and questions meet.

Both engines have these columns under these names. No column is ever NULL: an
absent text is '', an absent size 0. A question reads a property from the map of
its type and asks for the key's presence where absence matters, because a
missing key reads as NULL in one engine and as a default in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `events`.

    Attributes:
        duckdb: Its type in DuckDB.
        clickhouse: Its type in ClickHouse.
        meaning: What it holds, in one sentence.
    """

    name: LiteralString
    duckdb: LiteralString
    clickhouse: LiteralString
    meaning: str


_TEXT = ("VARCHAR", "String")
_WORD = ("VARCHAR", "LowCardinality(String)")
# Microseconds in DuckDB's TIMESTAMP, milliseconds kept: the wire has no finer.
_INSTANT = ("TIMESTAMP", "DateTime64(3, 'UTC')")

EVENTS: tuple[Column, ...] = (
    Column("project_id", *_WORD, "The project that the event belongs to."),
    Column(
        "seq",
        "BIGINT",
        "Int64",
        "Order of storing: microseconds since 1970 at the store's append, strictly"
        " increasing; breaks ties and is the cursor of the live stream.",
    ),
    Column("id", *_TEXT, "The client's idempotency id; '' when it gave none."),
    Column("name", *_WORD, "The event's name, `$` first for those Clamp defines."),
    Column("sent_by", *_WORD, "'browser' or 'server'."),
    Column("occurred_at", *_INSTANT, "When it happened, UTC."),
    Column("received_at", *_INSTANT, "The server's clock at receipt, UTC."),
    Column("anonymous_id", *_TEXT, "The visitor."),
    Column("user_id", *_TEXT, "The identified user."),
    Column("session_id", *_TEXT, "The browser session; '' on server events."),
    Column("url", *_TEXT, "As sent, at most 2,048 characters."),
    Column("hostname", *_WORD, "Host of `url`."),
    Column("pathname", *_TEXT, "Path of `url`."),
    Column("utm_source", *_WORD, "From `url`."),
    Column("utm_medium", *_WORD, "From `url`."),
    Column("utm_campaign", *_WORD, "From `url`."),
    Column("utm_content", *_WORD, "From `url`."),
    Column("utm_term", *_WORD, "From `url`."),
    Column("referrer", *_TEXT, "As sent, at most 2,048 characters."),
    Column("referrer_host", *_WORD, "Host of `referrer`, '' for the site's own."),
    Column("channel", *_WORD, "Kind of source; '' on server events."),
    Column("browser", *_WORD, "From the User-Agent."),
    Column("browser_version", *_WORD, "From the User-Agent."),
    Column("os", *_WORD, "From the User-Agent."),
    Column("os_version", *_WORD, "From the User-Agent."),
    Column("device_type", *_WORD, "desktop, mobile, tablet, bot; '' on server events."),
    Column("country", *_WORD, "ISO 3166-1 alpha-2."),
    Column("region", *_WORD, "Name of the region."),
    Column("city", *_WORD, "Name of the city."),
    Column("screen_width", "INTEGER", "Int32", "In CSS pixels; 0 when unknown."),
    Column("screen_height", "INTEGER", "Int32", "In CSS pixels; 0 when unknown."),
    Column("language", *_WORD, "As sent, such as en-GB."),
    Column("platform", *_WORD, "web, ios, android or ''."),
    Column(
        "strings",
        "MAP(VARCHAR, VARCHAR)",
        "Map(String, String)",
        "Text properties, without `error.message`, `.type` and `.stack`.",
    ),
    Column(
        "numbers", "MAP(VARCHAR, DOUBLE)", "Map(String, Float64)", "Number properties."
    ),
    Column(
        "booleans",
        "MAP(VARCHAR, BOOLEAN)",
        "Map(String, Bool)",
        "Boolean properties, without `error.handled`.",
    ),
    Column(
        "money_amounts",
        "MAP(VARCHAR, DECIMAL(38, 18))",
        "Map(String, Decimal(38, 18))",
        "Amounts of money properties, major units, exact.",
    ),
    Column(
        "money_currencies",
        "MAP(VARCHAR, VARCHAR)",
        "Map(String, String)",
        "Currencies of the same keys, ISO 4217.",
    ),
    Column("error_message", *_TEXT, "`error.message` of an `$error`."),
    Column("error_type", *_WORD, "`error.type` of an `$error`."),
    Column("error_stack", *_TEXT, "`error.stack` of an `$error`."),
    Column("error_handled", "BOOLEAN", "Bool", "`error.handled` of an `$error`."),
    Column("error_fingerprint", *_TEXT, "Which bug it is: 16 hex digits or ''."),
    Column("error_fingerprint_version", "INTEGER", "Int32", "Rules that made it."),
    Column("error_fingerprint_parts", *_TEXT, "What was hashed, one part a line."),
)

KEYS: tuple[Column, ...] = (
    Column(
        "visitor_key",
        "UBIGINT",
        "UInt64",
        "Number of `anonymous_id`, the lower half of its MD5; 0 when ''.",
    ),
    Column(
        "session_key",
        "UBIGINT",
        "UInt64",
        "Number of `session_id`, the lower half of its MD5; 0 when ''.",
    ),
)
"""What the stores add to an event: ids as numbers, to count, group and join by."""

COLUMN_NAMES: tuple[LiteralString, ...] = tuple(c.name for c in (*EVENTS, *KEYS))
