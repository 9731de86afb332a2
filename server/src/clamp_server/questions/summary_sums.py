"""The sums and the counts of customers that `revenue.summary` is made of, as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import LiteralString

from clamp_server.model.scope import Scope
from clamp_server.store.any_row_sql import any_row
from clamp_server.store.payment_sql import BEGINNING, entries, priced, sum_where
from clamp_server.store.sql import Dialect, Sql

_NOW: LiteralString = "occurred_at >= $now_start"
_BEFORE: LiteralString = "occurred_at < $now_start"
_PREVIOUS: LiteralString = f"{_BEFORE} AND occurred_at >= $previous_start"


def select_summary(scope: Scope, dialect: Dialect) -> Sql:
    """Write the SQL of the sums, to date and of both periods.

    A row a `part`: everything ('all'), a currency, a plan or a product of one.
    """
    event = priced(scope, dialect, BEGINNING, from_touches=scope.filtered)
    entry = entries(event, dialect, asks_all=bool(scope.filtered))
    # Sums first and whose they are after that: to carry every sum a customer takes
    # ten times as long.
    return Sql(
        f"""
        WITH entry AS ({entry.text}),
        bought AS (
            SELECT currency, plan, product, {_written(_SUMS)}
            FROM entry GROUP BY currency, plan, product
        ),
        customer AS (
            SELECT currency, plan, product, person, {_written(_TIMES)}
            FROM entry WHERE is_paid AND person IS NOT NULL
            GROUP BY currency, plan, product, person
        ),
        parts AS (
            SELECT 'all' AS part UNION ALL SELECT 'currency' AS part
            UNION ALL SELECT 'plan' AS part UNION ALL SELECT 'product' AS part
        ),
        total AS (
            SELECT {_PART}, {_added(_SUMS, "bought")}
            FROM bought CROSS JOIN parts GROUP BY part, money, item
        ),
        people AS (
            SELECT part, money, item, {_added(_TIMES, "each")}
            FROM (
                SELECT {_PART}, person, {_any_of(_TIMES, "customer")}
                FROM customer CROSS JOIN parts GROUP BY part, money, item, person
            ) AS each
            GROUP BY part, money, item
        )
        SELECT total.part AS part, total.money AS money, total.item AS item,
               {", ".join(_SUMS)}, {_or_zero(_TIMES)}
        FROM total LEFT JOIN people ON total.part = people.part
            AND total.money = people.money AND total.item = people.item
        """,
        {
            **entry.values,
            "now_start": scope.period.start,
            "previous_start": scope.period.previous_start,
        },
    )


_PART: LiteralString = """
    part, CASE WHEN part = 'all' THEN '' ELSE currency END AS money,
    CASE part WHEN 'plan' THEN plan WHEN 'product' THEN product ELSE '' END AS item
"""


def _sums(
    prefix: LiteralString, within: LiteralString, to_date: LiteralString
) -> dict[LiteralString, LiteralString]:
    """Write the sums of one period and of all until its end, by name."""
    paid: LiteralString = f"{within} AND is_paid"
    return {
        f"{prefix}_amount": sum_where("amount", within),
        f"{prefix}_events": _count(f"{paid} AND is_first_of_currency"),
        f"{prefix}_orders": _count(
            f"{paid} AND is_first_of_currency AND NOT is_refund"
        ),
        # Of an event in two currencies each has one order, and both together too.
        f"{prefix}_orders_in_all": _count(f"{paid} AND is_first AND NOT is_refund"),
        f"{prefix}_amount_to_date": sum_where("amount", to_date),
        f"{prefix}_events_to_date": _count(
            f"{to_date} AND is_paid AND is_first_of_currency"
        ),
        f"{prefix}_mrr": sum_where("delta", to_date),
        f"{prefix}_deltas": _count(f"{to_date} AND is_agreed"),
    }


def _count(condition: LiteralString) -> LiteralString:
    return f"count(*) FILTER (WHERE {condition})"


_SUMS: Mapping[LiteralString, LiteralString] = {
    **_sums("now", _NOW, "true"),
    **_sums("old", _PREVIOUS, _BEFORE),
    "one_time": _count(f"{_NOW} AND is_paid AND NOT is_refund AND NOT is_subscribed"),
}
_TIMES: Mapping[LiteralString, LiteralString] = {
    "now_customers": any_row(_NOW),
    "now_customers_to_date": any_row("true"),
    "old_customers": any_row(_PREVIOUS),
    "old_customers_to_date": any_row(_BEFORE),
}


def _written(columns: Mapping[LiteralString, LiteralString]) -> LiteralString:
    return ", ".join(f"{column} AS {name}" for name, column in columns.items())


def _added(columns: Iterable[LiteralString], source: LiteralString) -> LiteralString:
    return ", ".join(f"sum({source}.{name}) AS {name}" for name in columns)


def _or_zero(columns: Iterable[LiteralString]) -> LiteralString:
    return ", ".join(f"coalesce({name}, 0) AS {name}" for name in columns)


def _any_of(columns: Iterable[LiteralString], source: LiteralString) -> LiteralString:
    return ", ".join(f"max({source}.{name}) AS {name}" for name in columns)
