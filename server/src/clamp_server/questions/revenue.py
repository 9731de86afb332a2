"""Revenue questions: how much money, of which currency, from where.

Money is summed exactly, per currency and never across; only the sum is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from msgspec import UNSET, UnsetType

from clamp_server.model.dimension import DIMENSIONS, Dimension
from clamp_server.questions.amount import encode_amount
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import FILTERS, LIMIT, PERIOD
from clamp_server.questions.revenue_params import (
    ATTRIBUTION_MODEL,
    EVENT,
    FIRST_TOUCH_DIM,
    FIRST_TOUCH_VALUE,
    GROUP_BY,
    PLAN,
    PRODUCT,
    PROPERTY,
    TOUCHED,
    Grouping,
    RevenueParams,
    read_revenue_params,
)
from clamp_server.store.payment_sql import (
    IS_PAYING,
    PAYING,
    PLAN_SQL,
    PRODUCT_SQL,
    RECEIVED,
    priced,
)
from clamp_server.store.scope_sql import VISITORS
from clamp_server.store.sql import Dialect, Row, Sql, Value
from clamp_server.store.touch_sql import first_touches


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """The money of one currency, in one group where groups were asked for.

    Attributes:
        group_value: Empty for money whose group is unknown, so that the rows
            always add up to the whole.
        amount: Exact sum, rounded to the currency's decimals, half away from 0.
        events: Events that carry the money.
        visitors: Distinct visitors among them.
    """

    group_value: str | UnsetType = UNSET
    currency: str
    amount: str
    events: int
    visitors: int


def select_revenue(params: RevenueParams, dialect: Dialect) -> Sql:
    """Write the SQL of the sums: a row a currency and group."""
    paid = _paid(params, dialect)
    touch = _first_touch(params, paid.text, dialect)
    group: LiteralString = "own_group"
    if params.first_group:
        group = f"coalesce(touch_{params.first_group}, '')"
    # `total` and not `amount`: ClickHouse would sort by the inner column.
    return Sql(
        f"""
        SELECT {group} AS group_value, currency, sum(amount) AS total,
               count(DISTINCT payment.seq) AS events, {VISITORS} AS visitors
        FROM (
            SELECT seq, visitor_key, {_group(params.group_by)} AS own_group,
                   money_currencies[key] AS currency, {RECEIVED} AS amount
            FROM ({paid.text}) AS paid
        ) AS payment {touch.text}
        GROUP BY group_value, currency
        ORDER BY total DESC, currency, group_value
        LIMIT $limit
        """,
        {**paid.values, **touch.values, **PAYING, "limit": params.limit},
    )


def _first_touch(params: RevenueParams, paid: LiteralString, dialect: Dialect) -> Sql:
    """Write the join that brings the `touch_...` columns; nothing without any."""
    matched = params.first_touch and params.first_touch[0]
    touches: list[Dimension] = [
        name for name in TOUCHED if name in (params.first_group, matched)
    ]
    if not touches:
        return Sql("")
    payers: LiteralString = (
        f"SELECT seq, occurred_at, anonymous_id, visitor_key, user_id"
        f" FROM ({paid}) AS paid"
    )
    text: LiteralString = (
        f"LEFT JOIN ({first_touches(payers, touches, dialect)}) AS touch"
        " ON payment.seq = touch.seq"
    )
    values: dict[str, Value] = {}
    if params.first_touch:
        dimension, values["first_touch"] = params.first_touch
        text += f" WHERE touch_{dimension} = $first_touch"
    return Sql(text, values)


def _paid(params: RevenueParams, dialect: Dialect) -> Sql:
    """Write the SELECT of payments: a row an event and money key."""
    filtered = params.scope.filtered
    looked_at: list[Dimension] = [
        d for d in DIMENSIONS if d in filtered or d == params.group_by
    ]
    source = priced(params.scope, dialect, from_touches=looked_at)
    values: dict[str, Value] = dict(source.values)
    key: LiteralString = dialect.each(dialect.keys("money_amounts"))
    condition: LiteralString = IS_PAYING
    if params.property:
        key = "CAST($property AS VARCHAR)"
        condition += f" AND {dialect.has_key('money_amounts', '$property')}"
        values["property"] = params.property
    if params.event:
        condition += " AND name = $event"
        values["event"] = params.event
    if params.plan:
        condition += f" AND {PLAN_SQL} = $plan"
        values["plan"] = params.plan
    if params.product:
        condition += f" AND {PRODUCT_SQL} = $product"
        values["product"] = params.product
    return Sql(
        f"SELECT *, {key} AS key FROM ({source.text}) AS event WHERE {condition}",
        values,
    )


def _group(group_by: Grouping) -> LiteralString:
    if group_by == "plan":
        return PLAN_SQL
    if group_by == "product":
        return PRODUCT_SQL
    return group_by or "''"


def read_revenue(params: RevenueParams, rows: Sequence[Row]) -> list[Revenue]:
    """Shape the sums, largest first, equal ones by currency and group."""
    is_grouped = bool(params.group_by or params.first_group)
    return [
        Revenue(
            group_value=row["group_value"] if is_grouped else UNSET,
            currency=row["currency"],
            amount=encode_amount(row["total"], row["currency"]),
            events=row["events"],
            visitors=row["visitors"],
        )
        for row in rows
    ]


revenue_list = Question(
    name="revenue.list",
    path="/revenue",
    meaning="How much money came in, per currency, by where it came from.",
    parameters=(
        PERIOD,
        LIMIT,
        EVENT,
        PROPERTY,
        GROUP_BY,
        PLAN,
        PRODUCT,
        ATTRIBUTION_MODEL,
        FIRST_TOUCH_DIM,
        FIRST_TOUCH_VALUE,
        *FILTERS,
    ),
    read_params=read_revenue_params,
    select=select_revenue,
    read=read_revenue,
)
