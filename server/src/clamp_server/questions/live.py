"""What only the project page asks: the stream, and the figures beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, LiteralString, TypeVar

from clamp_server.model.event import Properties
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.model.scope import Scope
from clamp_server.store.property_sql import ERROR_EVENT
from clamp_server.store.scope_sql import VISITORS, scoped
from clamp_server.store.sql import Dialect, EventStore, Row, Sql

Params = TypeVar("Params")
Answer = TypeVar("Answer")

_SEEN: LiteralString = """
    seq, id, name, sent_by, occurred_at, received_at, anonymous_id, user_id,
    session_id, url, pathname, referrer_host, channel, browser, browser_version,
    os, os_version, device_type, country, strings, numbers, booleans,
    money_amounts, money_currencies, error_message, error_type, error_handled
"""


@dataclass(frozen=True, slots=True)
class PageQuestion(Generic[Params, Answer]):
    """A question without a place in the API: no path, no query to read."""

    name: str
    select: Callable[[Params, Dialect], Sql]
    read: Callable[[Params, Sequence[Row]], Answer]

    def ask(self, store: EventStore, params: Params) -> Answer:
        """Put it to a store.

        Raises:
            StoreUnavailableError: The store cannot answer now.
        """
        return self.read(params, store.rows(self.select(params, store.dialect)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What the stream asks for: the events stored after one of them.

    Attributes:
        after: The `seq` of the last one seen; 0 for the newest of all.
        limit: At most so many, the newest.
    """

    project_id: ProjectId
    after: int = 0
    limit: int


@dataclass(frozen=True, slots=True)
class Bugs:
    """Some bugs of a scope, by fingerprint."""

    scope: Scope
    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """One stored event as a person looks at it; absent texts are empty.

    Attributes:
        seq: Its place in the order of storing.
    """

    seq: int
    id: str
    name: str
    sent_by: str
    occurred_at: datetime
    received_at: datetime
    anonymous_id: str
    user_id: str
    session_id: str
    url: str
    pathname: str
    referrer_host: str
    channel: str
    browser: str
    browser_version: str
    os: str
    os_version: str
    device_type: str
    country: str
    properties: Properties
    error_message: str
    error_type: str
    error_handled: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there was.

    Attributes:
        events: All of them, those of bots too, as in every other count of events.
        visitors: People, so without bots.
    """

    events: int
    visitors: int
    errors: int
    bot_events: int


@dataclass(frozen=True, slots=True)
class NameCount:
    """How often one event was seen, and by how many visitors."""

    name: str
    count: int
    visitors: int


@dataclass(frozen=True, slots=True)
class Income:
    """The money of one currency.

    Attributes:
        total: Exact sum, refunds taken off.
        events: Events that carry it.
    """

    total: Money
    events: int


@dataclass(frozen=True, slots=True)
class QuarterHour:
    """The events of a quarter of an hour, the errors among them apart."""

    start: datetime
    events: int
    errors: int


@dataclass(frozen=True, slots=True)
class LastOccurrence:
    """How a bug looked the last time.

    Attributes:
        handled: How many occurrences the application had caught.
        fingerprint_parts: What makes two errors this bug, one part a line.
    """

    fingerprint: str
    handled: int
    event: SeenEvent
    stack: str
    fingerprint_parts: str


def select_events(since: Since, _: Dialect) -> Sql:
    """Write the SQL of the stream: every event counts, bots too; newest first."""
    return Sql(
        f"""
        SELECT {_SEEN} FROM events
        WHERE project_id = $project_id AND seq > $after
        ORDER BY seq DESC
        LIMIT $limit
        """,
        {"project_id": since.project_id, "after": since.after, "limit": since.limit},
    )


def read_events(_: Since, rows: Sequence[Row]) -> list[SeenEvent]:
    """Shape the rows of `select_events`."""
    return [_seen(row) for row in rows]


def select_totals(scope: Scope, _: Dialect) -> Sql:
    """Write the SQL of the totals; it returns exactly one row."""
    source = scoped(scope)
    return Sql(
        f"""
        SELECT count(*) AS events,
               {VISITORS} FILTER (WHERE device_type <> 'bot') AS visitors,
               count(*) FILTER (WHERE name = $error_event) AS errors,
               count(*) FILTER (WHERE device_type = 'bot') AS bot_events
        FROM ({source.text}) AS event
        """,
        {**source.values, **ERROR_EVENT},
    )


def read_totals(_: Scope, rows: Sequence[Row]) -> Totals:
    """Shape the one row of `select_totals`."""
    (row,) = rows
    return Totals(**row)


def select_names(scope: Scope, _: Dialect) -> Sql:
    """Write the SQL of the counts: every name, the most frequent first."""
    source = scoped(scope)
    return Sql(
        f"""
        SELECT name, count(*) AS count, {VISITORS} AS visitors
        FROM ({source.text}) AS event
        GROUP BY name
        ORDER BY count DESC, name
        """,
        source.values,
    )


def read_names(_: Scope, rows: Sequence[Row]) -> list[NameCount]:
    """Shape the rows of `select_names`."""
    return [NameCount(**row) for row in rows]


def select_income(scope: Scope, dialect: Dialect) -> Sql:
    """Write the SQL of the revenue: a row a currency, the largest sum first.

    Of an event with a `total` that alone counts, else all its money: the tax
    that is named beside a total is in it already.
    """
    source = scoped(scope)
    key = dialect.each_key("money_amounts")
    has_total = dialect.has_key("money_amounts", "$total")
    return Sql(
        f"""
        SELECT money_currencies[key] AS currency,
               sum(CASE WHEN name = $refund THEN -abs(money_amounts[key])
                   ELSE money_amounts[key] END) AS amount,
               count(DISTINCT seq) AS events
        FROM (
            SELECT seq, name, money_amounts, money_currencies,
                   {has_total} AS has_total, {key} AS key
            FROM ({source.text}) AS event
        ) AS payment
        WHERE key = $total OR NOT has_total
        GROUP BY currency
        ORDER BY amount DESC, currency
        """,
        {**source.values, "total": "total", "refund": "$refund_issued"},
    )


def read_income(_: Scope, rows: Sequence[Row]) -> list[Income]:
    """Shape the rows of `select_income`."""
    return [
        Income(Money(row["amount"], row["currency"]), row["events"]) for row in rows
    ]


def select_quarter_hours(scope: Scope, _: Dialect) -> Sql:
    """Write the SQL of the chart; quarters without an event are left out.

    The hours and days of every time zone in use begin on a quarter of an hour
    of UTC, so that the page can add these up to either, in any zone.
    """
    source = scoped(scope)
    return Sql(
        f"""
        SELECT date_trunc('hour', occurred_at) AS hour,
               floor(extract(MINUTE FROM occurred_at) / 15) AS quarter,
               count(*) AS events,
               count(*) FILTER (WHERE name = $error_event) AS errors
        FROM ({source.text}) AS event
        GROUP BY hour, quarter
        ORDER BY hour, quarter
        """,
        {**source.values, **ERROR_EVENT},
    )


def read_quarter_hours(_: Scope, rows: Sequence[Row]) -> list[QuarterHour]:
    """Shape the rows of `select_quarter_hours`."""
    return [
        QuarterHour(
            row["hour"].replace(minute=15 * int(row["quarter"])),
            row["events"],
            row["errors"],
        )
        for row in rows
    ]


def select_last_occurrences(bugs: Bugs, _: Dialect) -> Sql:
    """Write the SQL of each bug's last occurrence, at most one row a bug.

    Stacks are read for these alone: where a bug has struck a million times, all
    of them would be gigabytes.
    """
    source = scoped(bugs.scope)
    return Sql(
        f"""
        WITH bug AS (
            SELECT argMax(seq, (occurred_at, seq)) AS last_seq,
                   count(*) FILTER (WHERE error_handled) AS handled
            FROM ({source.text}) AS event
            WHERE name = $error_event AND error_fingerprint IN $fingerprints
            GROUP BY error_fingerprint
        )
        SELECT {_SEEN}, error_fingerprint, error_fingerprint_parts, error_stack,
               bug.handled AS handled
        FROM events JOIN bug ON seq = bug.last_seq
        WHERE project_id = $project_id
        """,
        {**source.values, **ERROR_EVENT, "fingerprints": list(bugs.fingerprints)},
    )


def read_last_occurrences(_: Bugs, rows: Sequence[Row]) -> Mapping[str, LastOccurrence]:
    """Shape the rows of `select_last_occurrences`, by fingerprint."""
    return {
        row["error_fingerprint"]: LastOccurrence(
            fingerprint=row["error_fingerprint"],
            handled=row["handled"],
            event=_seen(row),
            stack=row["error_stack"],
            fingerprint_parts=row["error_fingerprint_parts"],
        )
        for row in rows
    }


events = PageQuestion("live.events", select_events, read_events)
totals = PageQuestion("live.totals", select_totals, read_totals)
names = PageQuestion("live.names", select_names, read_names)
income = PageQuestion("live.income", select_income, read_income)
quarter_hours = PageQuestion(
    "live.quarter_hours", select_quarter_hours, read_quarter_hours
)
last_occurrences = PageQuestion(
    "live.last_occurrences", select_last_occurrences, read_last_occurrences
)


def _seen(row: Row) -> SeenEvent:
    plain = {name: row[name] for name in SeenEvent.__slots__ if name != "properties"}
    currencies: Mapping[str, str] = row["money_currencies"]
    amounts: Mapping[str, Decimal] = row["money_amounts"]
    properties = Properties(
        strings=dict(row["strings"]),
        numbers=dict(row["numbers"]),
        booleans=dict(row["booleans"]),
        money={key: Money(amount, currencies[key]) for key, amount in amounts.items()},
    )
    return SeenEvent(**plain, properties=properties)
