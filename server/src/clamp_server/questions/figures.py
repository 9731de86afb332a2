"""What only the project page counts: the figures beside the stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from clamp_server.model.money import Money
from clamp_server.model.scope import Scope
from clamp_server.questions.live import PageQuestion
from clamp_server.store.payment_sql import IS_PAYING, PAYING, RECEIVED
from clamp_server.store.property_sql import ERROR_EVENT
from clamp_server.store.scope_sql import VISITORS, scoped
from clamp_server.store.sql import Dialect, Row, Sql


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
    key = dialect.each(dialect.keys("money_amounts"))
    has_total = dialect.has_key("money_amounts", "$total")
    return Sql(
        f"""
        SELECT money_currencies[key] AS currency, sum({RECEIVED}) AS amount,
               count(DISTINCT seq) AS events
        FROM (
            SELECT seq, name, money_amounts, money_currencies,
                   {has_total} AS has_total, {key} AS key
            FROM ({source.text}) AS event
        ) AS payment
        WHERE (key = $total OR NOT has_total) AND {IS_PAYING}
        GROUP BY currency
        ORDER BY amount DESC, currency
        """,
        {**source.values, **PAYING, "total": "total"},
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


totals = PageQuestion("live.totals", select_totals, read_totals)
names = PageQuestion("live.names", select_names, read_names)
income = PageQuestion("live.income", select_income, read_income)
quarter_hours = PageQuestion(
    "live.quarter_hours", select_quarter_hours, read_quarter_hours
)
