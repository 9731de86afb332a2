"""What customers paid and what they agreed to pay, as SQL.

A payment is an event with money: its `total` when it has one, else every money
property. The money of a refund is taken off. That of a subscription's cancellation
or pause is what will not be paid any more, so it is no payment. A change of the
monthly recurring revenue is the number `mrr_delta`, in the currency of the event's
`total`.

A customer is a user, else the user whom the visitor was last linked to, else the
visitor.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final, LiteralString

from clamp_server.model.dimension import Dimension
from clamp_server.model.money import LARGEST_AMOUNT
from clamp_server.model.scope import Scope
from clamp_server.store.person_sql import with_person
from clamp_server.store.property_sql import property_sql
from clamp_server.store.scope_sql import IN_PERIOD, filtered
from clamp_server.store.sql import Dialect, Sql, Value
from clamp_server.store.touch_sql import last_touches

PLAN_SQL: LiteralString = "coalesce(strings['plan'], '')"
PRODUCT_SQL: LiteralString = "coalesce(nullif(strings['product'], ''), name)"

# No event is older, so what there is "to date" starts here.
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)

RECEIVED: LiteralString = """
    CASE WHEN name = $refund THEN -abs(money_amounts[key])
        ELSE money_amounts[key] END
"""
"""The money that an event's money property `key` brought."""

IS_PAYING: LiteralString = "name <> $canceled AND name <> $paused"
"""Whether an event's money, if it has any, was paid."""

PAYING: Final[Mapping[str, Value]] = {
    "refund": "$refund_issued",
    "canceled": "$subscription_canceled",
    "paused": "$subscription_paused",
}
"""What `RECEIVED` and `IS_PAYING` bind."""

_NOTHING: LiteralString = "CAST(0 AS DECIMAL(38, 18))"
# No more than questions about money look at: one that has 40 columns in each of its
# parts takes ClickHouse a second to understand.
_COLUMNS: tuple[LiteralString, ...] = (
    *("seq", "occurred_at", "start_order", "name"),
    *("anonymous_id", "visitor_key", "user_id"),
    *("strings", "numbers", "money_amounts", "money_currencies"),
)


def priced(
    scope: Scope,
    dialect: Dialect,
    start: datetime | None = None,
    *,
    from_touches: Collection[Dimension] = (),
) -> Sql:
    """Write the SELECT of the events in `scope` that have money or change the MRR.

    It has the columns that questions about money look at, and `from_touches`. It
    binds `$project_id`, `$start`, `$end`, `$mrr_delta` and one `$filter_...` a
    filter. Bots are not left out: their money is money.

    Args:
        start: An earlier start than the period's, as in `scoped`.
        from_touches: Dimensions that a server event takes from its last touch, see
            `touch_sql`; every filter has to be among them.
    """
    values: dict[str, Value] = {
        "project_id": scope.project_id,
        "start": start or scope.period.start,
        "end": scope.period.end,
        "mrr_delta": "mrr_delta",
    }
    own: LiteralString = f"""
        SELECT {", ".join((*_COLUMNS, *from_touches))} FROM ordered_events
        WHERE project_id = $project_id AND {_is_priced(dialect)}
          AND {IN_PERIOD}
    """
    if not from_touches:
        return Sql(own, values)
    conditions, filters = filtered(scope)
    text: LiteralString = f"""
        SELECT * FROM ({_touched(own, from_touches, dialect)}) AS touched
        WHERE {" AND ".join(conditions) or "true"}
    """
    return Sql(text, {**values, **filters})


def sum_where(amount: LiteralString, condition: LiteralString) -> LiteralString:
    """Write the sum of the money that a condition holds for; 0 of nothing."""
    return f"coalesce(sum({amount}) FILTER (WHERE {condition}), {_NOTHING})"


def _touched(
    own: LiteralString, dimensions: Collection[Dimension], dialect: Dialect
) -> LiteralString:
    """Write the SELECT of `own` events, those of servers with their last touch."""
    same = ", ".join(f"event.{name} AS {name}" for name in _COLUMNS)
    taken = ", ".join(
        f"coalesce(nullif(event.{name}, ''), touch_{name}, '') AS {name}"
        for name in dimensions
    )
    served: LiteralString = f"{own} AND sent_by = 'server'"
    return f"""
        SELECT {same}, {taken} FROM ({own}) AS event
        LEFT JOIN ({last_touches(served, dimensions, dialect)}) AS touch
            ON event.seq = touch.seq
    """


def _is_priced(dialect: Dialect) -> LiteralString:
    delta = property_sql("mrr_delta", "number", "mrr_delta", dialect)
    return f"({delta.present} OR {dialect.has_any_key('money_amounts')})"


def entries(events: Sql, dialect: Dialect, *, asks_all: bool = False) -> Sql:
    """Write the SELECT of all payments and all changes of MRR among `events`.

    A row is one event's money in one property, and its change of MRR where it has
    one: that is beside its total, else in a row of its own without a currency. It
    has `seq`, `occurred_at`, `person` (NULL for nobody), `plan` and `product`;
    `currency`, `amount` and `delta`, 0 where there is none; whether it `is_paid`
    (`is_refund` then says how), `is_agreed`, which is a change of MRR, and
    `is_subscribed`, which is of an event that belongs to a subscription. The event
    is counted once by those of its rows where it `is_first`, and once a currency
    by those where it `is_first_of_currency`.

    Args:
        events: What `priced` selects.
        asks_all: As in `with_person`.
    """
    known = _known(events.text, dialect, asks_all=asks_all)
    has_total = dialect.has_key("money_amounts", "'total'")
    same_money = dialect.first(
        "keys", "one", "money_currencies[one] = money_currencies[key]"
    )
    text: LiteralString = f"""
        SELECT seq, occurred_at, person, plan, product, is_subscribed, is_paid,
               is_agreed, name = $refund AS is_refund, key = keys[1] AS is_first,
               CASE WHEN length(keys) = 1 THEN true ELSE key = {same_money} END
                   AS is_first_of_currency,
               CASE WHEN key = '' THEN '' ELSE money_currencies[key] END AS currency,
               CASE WHEN is_paid THEN {RECEIVED} ELSE {_NOTHING} END AS amount,
               CASE WHEN is_agreed THEN mrr_delta ELSE {_NOTHING} END AS delta
        FROM (
            SELECT *, key <> '' AND {IS_PAYING} AS is_paid,
                   key IN ('total', '') AND mrr_delta IS NOT NULL AS is_agreed
            FROM (
                SELECT *, {dialect.each("keys")} AS key
                FROM (
                    SELECT *, CASE
                        WHEN {has_total} THEN ['total']
                        WHEN mrr_delta IS NULL THEN {dialect.keys("money_amounts")}
                        ELSE {dialect.keys("money_amounts")} || ['']
                    END AS keys
                    FROM ({known}) AS known
                ) AS listed
            ) AS each
        ) AS entry
        WHERE is_paid OR is_agreed
    """
    values: dict[str, Value] = {
        **PAYING,
        "subscription": "$subscription_",
        **_DELTA,
    }
    return Sql(text, {**events.values, **values})


def agreements(events: Sql, dialect: Dialect) -> Sql:
    """Write the SELECT of all changes of MRR among `events`, as `entries` has them.

    A row has `occurred_at`, `person` (NULL for nobody), `currency` and `delta`.

    Args:
        events: A SELECT of all columns of events.
    """
    present, delta = _delta(dialect)
    has_total = dialect.has_key("money_amounts", "'total'")
    agreed: LiteralString = f"""
        SELECT occurred_at, user_id, anonymous_id, visitor_key,
               CASE WHEN {has_total} THEN money_currencies['total'] ELSE '' END
                   AS currency,
               {delta} AS delta
        FROM ({events.text}) AS event
        WHERE {present}
    """
    text: LiteralString = f"""
        SELECT * FROM ({with_person(agreed, _AGREED)}) AS agreed
        WHERE delta IS NOT NULL
    """
    return Sql(text, {**events.values, **_DELTA})


_AGREED: tuple[LiteralString, ...] = ("occurred_at", "currency", "delta")
_DELTA: Final[Mapping[str, Value]] = {
    "mrr_delta": "mrr_delta",
    "largest": float(LARGEST_AMOUNT),
}


def _delta(dialect: Dialect) -> tuple[LiteralString, LiteralString]:
    """Write whether an event has a change of MRR, and that as money; it binds `_DELTA`.

    One that is too large to be money is none: it would make a sum overflow.
    """
    delta = property_sql("mrr_delta", "number", "mrr_delta", dialect)
    is_money: LiteralString = f"abs({delta.value}) <= $largest"
    return (
        delta.present,
        f"CASE WHEN {is_money} THEN {dialect.exact(delta.value)} END",
    )


_KNOWN: tuple[LiteralString, ...] = (
    *("seq", "occurred_at", "name"),
    *("strings", "numbers", "money_amounts", "money_currencies"),
)


def _known(events: LiteralString, dialect: Dialect, *, asks_all: bool) -> LiteralString:
    """Write the SELECT of priced events, what they are of and whose they are."""
    present, delta = _delta(dialect)
    return f"""
        SELECT seq, occurred_at, name, person, money_amounts, money_currencies,
               {PLAN_SQL} AS plan, {PRODUCT_SQL} AS product,
               CASE WHEN {present} THEN {delta} END AS mrr_delta,
               CAST(left(name, 14) = $subscription OR {present} AS BOOLEAN)
                   AS is_subscribed
        FROM ({with_person(events, _KNOWN, asks_all=asks_all)}) AS found
    """
