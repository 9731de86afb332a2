"""What customers paid and what they agreed to pay, as SQL.

A payment is an event with money: its `total` when it has one, else every money
property. The money of a refund is taken off. A change of the monthly recurring
revenue is the number `mrr_delta`, in the currency of the event's `total`.

A customer is a user, else the user whom the visitor was last linked to, else the
visitor.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, LiteralString

from clamp_server.model.money import LARGEST_AMOUNT
from clamp_server.store.property_sql import property_sql
from clamp_server.store.sql import Dialect, Sql, Value
from clamp_server.store.touch_sql import OWNERS

PLAN_SQL: LiteralString = "coalesce(strings['plan'], '')"
PRODUCT_SQL: LiteralString = "coalesce(nullif(strings['product'], ''), name)"

# No event is older, so what there is "to date" starts here.
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)

_NOTHING: LiteralString = "CAST(0 AS DECIMAL(38, 18))"


def entries(events: Sql, dialect: Dialect) -> Sql:
    """Write the SELECT of all payments and all changes of MRR among `events`.

    A row has `seq`, `occurred_at`, `person` (NULL for nobody), `plan` and
    `product`; `kind`, which is 'payment', 'refund' or 'delta'; `currency`, empty
    for a change of MRR whose event has no total; `amount` and `delta`, of which
    one is 0; and `is_subscribed`, whether the event belongs to a subscription.

    Args:
        events: A SELECT of every column of the table `events`, which binds
            `$project_id`.
    """
    known = _known(events.text, dialect)
    has_total = dialect.has_key("money_amounts", "'total'")
    same: LiteralString = "seq, occurred_at, person, plan, product, is_subscribed"
    text: LiteralString = f"""
        SELECT {same}, CASE WHEN name = $refund THEN 'refund' ELSE 'payment' END
                   AS kind,
               money_currencies[key] AS currency,
               CASE WHEN name = $refund THEN -abs(money_amounts[key])
                    ELSE money_amounts[key] END AS amount,
               {_NOTHING} AS delta
        FROM (
            SELECT *, {dialect.each_key("money_amounts")} AS key
            FROM ({known}) AS known
        ) AS paid
        WHERE key = 'total' OR NOT {has_total}
        UNION ALL
        SELECT {same}, 'delta' AS kind,
               CASE WHEN {has_total} THEN money_currencies['total'] ELSE '' END
                   AS currency,
               {_NOTHING} AS amount, mrr_delta AS delta
        FROM ({known}) AS agreed
        WHERE mrr_delta IS NOT NULL
    """
    values: dict[str, Value] = {
        "refund": "$refund_issued",
        "subscription": "$subscription_",
        "mrr_delta": "mrr_delta",
        "largest": float(LARGEST_AMOUNT),
    }
    return Sql(text, {**events.values, **values})


def with_people(events: LiteralString) -> LiteralString:
    """Write the SELECT of `events` with the customer of each as `person`.

    It is NULL for nobody. It binds `$project_id`.
    """
    return f"""
        SELECT event.seq AS seq, event.occurred_at AS occurred_at,
               event.name AS name,
               coalesce(nullif(event.user_id, ''), nullif(owner.user_id, ''),
                        nullif(event.anonymous_id, '')) AS person,
               strings, numbers, money_amounts, money_currencies
        FROM (
            SELECT seq, occurred_at, name, user_id, anonymous_id, strings, numbers,
                   money_amounts, money_currencies
            FROM ({events}) AS any_event
        ) AS event
        LEFT JOIN ({OWNERS}) AS owner ON event.anonymous_id = owner.anonymous_id
    """


def _known(events: LiteralString, dialect: Dialect) -> LiteralString:
    """Write the SELECT of events with money or a delta, and whose they are."""
    delta = property_sql("mrr_delta", "number", "mrr_delta", dialect)
    # One that is too large to be money would make a sum overflow.
    is_money: LiteralString = f"abs({delta.value}) <= $largest"
    priced: LiteralString = f"""
        SELECT * FROM ({events}) AS any_event
        WHERE {delta.present} OR {dialect.has_any_key("money_amounts")}
    """
    return f"""
        SELECT seq, occurred_at, name, person, money_amounts, money_currencies,
               {PLAN_SQL} AS plan, {PRODUCT_SQL} AS product,
               CASE WHEN {delta.present} AND {is_money}
                   THEN {dialect.exact(delta.value)} END AS mrr_delta,
               CAST(left(name, 14) = $subscription OR {delta.present} AS BOOLEAN)
                   AS is_subscribed
        FROM ({with_people(priced)}) AS priced
    """
