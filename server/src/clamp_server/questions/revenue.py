"""Revenue questions: how much money, of which currency, from where.

Money is summed exactly, per currency and never across; only the sum is rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, LiteralString, TypeAlias, get_args

from msgspec import UNSET, UnsetType

from clamp_server.errors import InvalidRequestError
from clamp_server.model.currency import CURRENCIES
from clamp_server.model.dimension import DIMENSIONS, Dimension
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import (
    FILTERS,
    LIMIT,
    PERIOD,
    Choice,
    Query,
    Text,
    read_scope,
)
from clamp_server.store.scope_sql import VISITORS, scoped
from clamp_server.store.sql import Dialect, Row, Sql, Value

Grouping: TypeAlias = Literal[
    "",
    "referrer_host",
    "channel",
    "country",
    "device_type",
    "pathname",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "plan",
    "product",
]
GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)
Attribution: TypeAlias = Literal["last_touch", "first_touch"]
ATTRIBUTIONS: tuple[Attribution, ...] = get_args(Attribution)
TOUCHED = ("channel", "referrer_host", "utm_source", "utm_medium", "utm_campaign")

EVENT = Text("event", "an event's name")
PROPERTY = Text("property", "the key of one money property; without it, all count")
GROUP_BY: Choice[Grouping] = Choice("group_by", GROUPINGS, default="")
PLAN = Text("plan", "the text property `plan`")
PRODUCT = Text("product", "the text property `product`, else the event's name")
ATTRIBUTION_MODEL: Choice[Attribution] = Choice(
    "attribution_model", ATTRIBUTIONS, default="last_touch"
)
FIRST_TOUCH_DIM = Text("first_touch_dim", "nothing yet: not supported")
FIRST_TOUCH_VALUE = Text("first_touch_value", "nothing yet: not supported")

_PLAN: LiteralString = "coalesce(strings['plan'], '')"
_PRODUCT: LiteralString = "coalesce(nullif(strings['product'], ''), name)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueParams:
    """What `revenue.list` can be asked with; an empty text asks for all."""

    scope: Scope
    limit: int = 10
    event: str = ""
    property: str = ""
    group_by: Grouping = ""
    plan: str = ""
    product: str = ""


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


def read_revenue_params(query: Query, project: Project, now: datetime) -> RevenueParams:
    """Read the parameters of `revenue.list`."""
    group_by = GROUP_BY.read(query)
    _refuse_first_touch(query, group_by)
    return RevenueParams(
        scope=read_scope(query, project, now),
        limit=LIMIT.read(query),
        event=EVENT.read(query),
        property=PROPERTY.read(query),
        group_by=group_by,
        plan=PLAN.read(query),
        product=PRODUCT.read(query),
    )


def _refuse_first_touch(query: Query, group_by: Grouping) -> None:
    for parameter in (FIRST_TOUCH_DIM, FIRST_TOUCH_VALUE):
        if parameter.read(query):
            raise InvalidRequestError(f"{parameter.name}: not supported yet")
    if ATTRIBUTION_MODEL.read(query) == "last_touch":
        return
    if group_by not in TOUCHED:
        raise InvalidRequestError(
            "attribution_model: first_touch needs group_by to be one of"
            f" {', '.join(TOUCHED)}; got {group_by!r}"
        )
    raise InvalidRequestError(
        "attribution_model: first_touch is not supported yet; last_touch is"
    )


def select_revenue(params: RevenueParams, dialect: Dialect) -> Sql:
    """Write the SQL of the sums: a row a currency and group."""
    paid = _paid(params, dialect)
    # `total` and not `amount`: ClickHouse would sort by the inner column.
    return Sql(
        f"""
        SELECT group_value, currency, sum(amount) AS total,
               count(DISTINCT seq) AS events, {VISITORS} AS visitors
        FROM (
            SELECT seq, anonymous_id, {_group(params.group_by)} AS group_value,
                   money_currencies[key] AS currency,
                   CASE WHEN name = $refund THEN -abs(money_amounts[key])
                        ELSE money_amounts[key] END AS amount
            FROM ({paid.text}) AS paid
        ) AS payment
        GROUP BY group_value, currency
        ORDER BY total DESC, currency, group_value
        LIMIT $limit
        """,
        {**paid.values, "refund": "$refund_issued", "limit": params.limit},
    )


def _paid(params: RevenueParams, dialect: Dialect) -> Sql:
    """Write the SELECT of events with money: a row an event and money key."""
    filtered = params.scope.filtered
    looked_at: list[Dimension] = [
        d for d in DIMENSIONS if d in filtered or d == params.group_by
    ]
    source = scoped(params.scope, from_sessions=looked_at)
    values: dict[str, Value] = dict(source.values)
    key: LiteralString = dialect.each_key("money_amounts")
    condition: LiteralString = "true"
    if params.property:
        key = "CAST($property AS VARCHAR)"
        condition = dialect.has_key("money_amounts", "$property")
        values["property"] = params.property
    if params.event:
        condition += " AND name = $event"
        values["event"] = params.event
    if params.plan:
        condition += f" AND {_PLAN} = $plan"
        values["plan"] = params.plan
    if params.product:
        condition += f" AND {_PRODUCT} = $product"
        values["product"] = params.product
    return Sql(
        f"SELECT *, {key} AS key FROM ({source.text}) AS event WHERE {condition}",
        values,
    )


def _group(group_by: Grouping) -> LiteralString:
    if group_by == "plan":
        return _PLAN
    if group_by == "product":
        return _PRODUCT
    return group_by or "''"


def read_revenue(params: RevenueParams, rows: Sequence[Row]) -> list[Revenue]:
    """Shape the sums, largest first, equal ones by currency and group."""
    return [
        Revenue(
            group_value=row["group_value"] if params.group_by else UNSET,
            currency=row["currency"],
            amount=_amount(row["total"], row["currency"]),
            events=row["events"],
            visitors=row["visitors"],
        )
        for row in rows
    ]


def _amount(total: Decimal, currency: str) -> str:
    step = Decimal(1).scaleb(-CURRENCIES.get(currency, 2))
    rounded = total.quantize(step, rounding=ROUND_HALF_UP)
    # Adding 0 takes the sign off a zero, which "-0.00" would show.
    return format(rounded + 0, "f")


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
