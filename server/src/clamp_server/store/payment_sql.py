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
from clamp_server.store.property_sql import property_sql
from clamp_server.store.sql import Dialect, Sql, Value
from clamp_server.store.touch_sql import OWNERS, last_touches

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
    from_sessions: Collection[Dimension] = (),
) -> Sql:
    """Write the SELECT of the events in `scope` that have money or change the MRR.

    It has the columns that questions about money look at, and `from_sessions`. It
    binds `$project_id`, `$start`, `$end`, `$mrr_delta` and one `$filter_...` a
    filter. Bots are not left out: their money is money.

    Args:
        start: An earlier start than the period's, as in `scoped`.
        from_sessions: Dimensions that a server event takes from its last touch, see
            `touch_sql`; every filter has to be among them.
    """
    values: dict[str, Value] = {
        "project_id": scope.project_id,
        "start": start or scope.period.start,
        "end": scope.period.end,
        "mrr_delta": "mrr_delta",
    }
    own: LiteralString = f"""
        SELECT {", ".join((*_COLUMNS, *from_sessions))} FROM ordered_events
        WHERE project_id = $project_id AND {_is_priced(dialect)}
          AND occurred_at >= $start AND occurred_at < $end
    """
    if not from_sessions:
        return Sql(own, values)
    conditions: list[LiteralString] = []
    for dimension, value in scope.filters:
        conditions.append(f"{dimension} = $filter_{dimension}")
        values[f"filter_{dimension}"] = value
    text: LiteralString = f"""
        SELECT * FROM ({_touched(own, from_sessions)}) AS touched
        WHERE {" AND ".join(conditions) or "true"}
    """
    return Sql(text, values)


def _touched(own: LiteralString, dimensions: Collection[Dimension]) -> LiteralString:
    """Write the SELECT of `own` events, those of servers with their last touch."""
    same = ", ".join(f"event.{name} AS {name}" for name in _COLUMNS)
    taken = ", ".join(
        f"coalesce(nullif(event.{name}, ''), touch_{name}, '') AS {name}"
        for name in dimensions
    )
    served: LiteralString = f"{own} AND sent_by = 'server'"
    return f"""
        SELECT {same}, {taken} FROM ({own}) AS event
        LEFT JOIN ({last_touches(served, dimensions)}) AS touch
            ON event.seq = touch.seq
    """


def _is_priced(dialect: Dialect) -> LiteralString:
    delta = property_sql("mrr_delta", "number", "mrr_delta", dialect)
    return f"({delta.present} OR {dialect.has_any_key('money_amounts')})"


def entries(events: Sql, dialect: Dialect) -> Sql:
    """Write the SELECT of all payments and all changes of MRR among `events`.

    A row has `seq`, `occurred_at`, `person` (NULL for nobody), `plan` and
    `product`; `kind`, which is 'payment', 'refund' or 'delta'; `currency`, empty
    for a change of MRR whose event has no total; `amount` and `delta`, of which
    one is 0; and `is_subscribed`, whether the event belongs to a subscription.

    Args:
        events: A SELECT of at least the columns that `priced` has, which binds
            `$project_id`.
    """
    known = _known(events.text, dialect)
    has_total = dialect.has_key("money_amounts", "'total'")
    same: LiteralString = "seq, occurred_at, person, plan, product, is_subscribed"
    text: LiteralString = f"""
        SELECT {same}, CASE WHEN name = $refund THEN 'refund' ELSE 'payment' END
                   AS kind,
               money_currencies[key] AS currency, {RECEIVED} AS amount,
               {_NOTHING} AS delta
        FROM (
            SELECT *, {dialect.each_key("money_amounts")} AS key
            FROM ({known}) AS known
        ) AS paid
        WHERE (key = 'total' OR NOT {has_total}) AND {IS_PAYING}
        UNION ALL
        SELECT {same}, 'delta' AS kind,
               CASE WHEN {has_total} THEN money_currencies['total'] ELSE '' END
                   AS currency,
               {_NOTHING} AS amount, mrr_delta AS delta
        FROM ({known}) AS agreed
        WHERE mrr_delta IS NOT NULL
    """
    values: dict[str, Value] = {
        **PAYING,
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
    found: LiteralString = (
        f"SELECT * FROM ({events}) AS any_event WHERE {_is_priced(dialect)}"
    )
    return f"""
        SELECT seq, occurred_at, name, person, money_amounts, money_currencies,
               {PLAN_SQL} AS plan, {PRODUCT_SQL} AS product,
               CASE WHEN {delta.present} AND {is_money}
                   THEN {dialect.exact(delta.value)} END AS mrr_delta,
               CAST(left(name, 14) = $subscription OR {delta.present} AS BOOLEAN)
                   AS is_subscribed
        FROM ({with_people(found)}) AS found
    """
