"""Money over time: revenue, MRR, customers or transactions, a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Literal, LiteralString, TypeAlias, get_args
from zoneinfo import ZoneInfo

from clamp_server.model.bucket import Granularity, bucket_dates, usual_granularity
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.amount import (
    EXACT,
    Total,
    amount_number,
    dominant_currency,
)
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import (
    FILTERS,
    PERIOD,
    Choice,
    Query,
    read_scope,
)
from clamp_server.questions.proportion import Number
from clamp_server.questions.revenue_params import PLAN, PRODUCT
from clamp_server.questions.timeseries import GRANULARITY
from clamp_server.store.bucket_sql import bucket, read_bucket
from clamp_server.store.payment_sql import BEGINNING, entries, priced
from clamp_server.store.sql import Dialect, Row, Sql, Value

MoneyMetric: TypeAlias = Literal["revenue", "mrr", "customers", "transactions"]
MONEY_METRICS: tuple[MoneyMetric, ...] = get_args(MoneyMetric)

METRIC: Choice[MoneyMetric] = Choice("metric", MONEY_METRICS, default="revenue")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueTimeseriesParams:
    """What `revenue.timeseries` can be asked with; an empty text asks for all."""

    scope: Scope
    zone: ZoneInfo
    granularity: Granularity
    metric: MoneyMetric = "revenue"
    plan: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True)
class MoneyPoint:
    """One bucket.

    Attributes:
        date: Its start: a day, or an hour of UTC.
    """

    date: str
    value: Number


def read_revenue_timeseries_params(
    query: Query, project: Project, now: datetime
) -> RevenueTimeseriesParams:
    """Read the parameters of `revenue.timeseries`."""
    scope = read_scope(query, project, now)
    zone = ZoneInfo(project.time_zone)
    return RevenueTimeseriesParams(
        scope=scope,
        zone=zone,
        granularity=GRANULARITY.read(query) or usual_granularity(scope.period, zone),
        metric=METRIC.read(query),
        plan=PLAN.read(query),
        product=PRODUCT.read(query),
    )


def select_revenue_timeseries(params: RevenueTimeseriesParams, dialect: Dialect) -> Sql:
    """Write the SQL of the sums: a row a bucket, and a currency where it matters.

    What came before the period is in rows of its own, as if at its start.
    """
    scope = params.scope
    is_money = params.metric in ("revenue", "mrr")
    since = BEGINNING if params.metric == "mrr" else None
    event = priced(scope, dialect, since, from_touches=scope.filtered)
    entry = entries(event, dialect, asks_all=bool(scope.filtered))
    start = bucket(scope.period, params.granularity, params.zone, dialect)
    condition, wanted = _wanted(params)
    currency: LiteralString = "currency" if is_money else "''"
    return Sql(
        f"""
        SELECT is_before, {start.text} AS bucket, money,
               sum(amount) AS revenue, sum(delta) AS mrr,
               count(DISTINCT person) FILTER (WHERE is_paid) AS customers,
               count(*) FILTER (WHERE is_paid AND is_first AND NOT is_refund)
                   AS transactions,
               count(*) FILTER (WHERE is_paid AND is_first_of_currency) AS paid
        FROM (
            SELECT CAST(occurred_at < $period_start AS BOOLEAN) AS is_before,
                   CASE WHEN occurred_at < $period_start THEN $period_start
                       ELSE occurred_at END AS occurred_at,
                   {currency} AS money, seq, person, is_paid, is_refund, is_first,
                   is_first_of_currency, amount, delta
            FROM ({entry.text}) AS entry
            WHERE {condition}
        ) AS seen
        GROUP BY is_before, bucket, money
        """,
        {
            **entry.values,
            **start.values,
            **wanted,
            "period_start": scope.period.start,
        },
    )


def _wanted(params: RevenueTimeseriesParams) -> tuple[LiteralString, dict[str, Value]]:
    condition: LiteralString = "true"
    values: dict[str, Value] = {}
    if params.plan:
        condition += " AND plan = $plan"
        values["plan"] = params.plan
    if params.product:
        condition += " AND product = $product"
        values["product"] = params.product
    return condition, values


def read_revenue_timeseries(
    params: RevenueTimeseriesParams, rows: Sequence[Row]
) -> list[MoneyPoint]:
    """Shape the sums: every bucket in order, zeros included."""
    dates = bucket_dates(params.scope.period, params.granularity, params.zone)
    if params.metric in ("customers", "transactions"):
        counts = {read_bucket(row): row[params.metric] for row in rows}
        return [MoneyPoint(date, counts.get(date, 0)) for date in dates]
    within = [row for row in rows if not row["is_before"]]
    currency = dominant_currency(_totals(within), _totals(rows))
    chosen = [row for row in rows if row["money"] in ("", currency)]
    sums = dict.fromkeys(dates, Decimal(0))
    for row in chosen:
        date = read_bucket(row)
        sums[date] = EXACT.add(sums[date], row[params.metric])
    # What is before the period is in the first bucket, where a balance begins.
    amounts: Iterable[Decimal] = sums.values()
    if params.metric == "mrr":
        amounts = accumulate(amounts, EXACT.add)
    return [
        MoneyPoint(date, amount_number(amount, currency))
        for date, amount in zip(dates, amounts, strict=True)
    ]


def _totals(rows: Sequence[Row]) -> list[Total]:
    found: dict[str, Total] = {}
    for row in rows:
        currency = row["money"]
        so_far = found.get(currency, Total(currency, Decimal(0), 0))
        found[currency] = Total(
            currency,
            EXACT.add(so_far.amount, row["revenue"]),
            so_far.events + row["paid"],
        )
    return [*found.values()]


revenue_timeseries = Question(
    name="revenue.timeseries",
    path="/revenue/timeseries",
    meaning="Revenue, recurring revenue, customers or transactions over time.",
    parameters=(PERIOD, METRIC, GRANULARITY, PLAN, PRODUCT, *FILTERS),
    read_params=read_revenue_timeseries_params,
    select=select_revenue_timeseries,
    read=read_revenue_timeseries,
)
