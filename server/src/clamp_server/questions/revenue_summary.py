"""The money of a period in one answer: what came in, from whom, and what recurs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions.amount import (
    EXACT,
    Total,
    added,
    amount_number,
    dominant_currency,
    mean,
)
from clamp_server.questions.ask import Question
from clamp_server.questions.parameter import FILTERS, PERIOD, Query, read_scope
from clamp_server.questions.proportion import change
from clamp_server.questions.summary_sums import select_summary
from clamp_server.store.sql import Row

MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Change:
    """How much more or less it is than in the period before."""

    change: str


@dataclass(frozen=True, slots=True)
class Changes:
    """The period before, figure by figure; None where there is no figure now."""

    revenue: Change | None
    customers: Change | None
    orders: Change | None
    aov: Change | None
    ltv: Change | None
    mrr: Change | None
    arr: Change | None


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """The money of one currency."""

    currency: str
    amount: float


@dataclass(frozen=True, slots=True)
class PlanRevenue:
    """One plan: what it brought in the period, and its share of the MRR."""

    plan: str
    revenue: float
    mrr_contribution: float
    customers: int


@dataclass(frozen=True, slots=True)
class ProductRevenue:
    """What one product brought in the period."""

    product: str
    revenue: float
    transactions: int
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueSummary:
    """The money of a period.

    Attributes:
        currency: That of every figure but `total_revenue`.
        customers: Who paid in the period, in any currency.
        orders: Payments of the period in any currency, without refunds.
        aov: Revenue an order.
        ltv: What a customer has paid on average, up to the period's end.
        mrr: At the period's end; None when nothing ever recurred.
        arr: Twelve times that.
        is_subscription: Whether anything ever recurred.
        has_one_time: Whether any payment of the period was no subscription's.
        plans: Most revenue first, then most MRR, then by name.
        products: Most revenue first, then by name.
    """

    period: str
    currency: str
    revenue: float
    customers: int
    orders: int
    aov: float
    ltv: float
    mrr: float | None
    arr: float | None
    is_subscription: bool
    has_one_time: bool
    total_revenue: list[CurrencyTotal]
    comparison: Changes
    plans: list[PlanRevenue]
    products: list[ProductRevenue]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """The exact figures of one period, in one currency."""

    revenue: Decimal
    customers: int
    orders: int
    aov: Decimal
    ltv: Decimal
    mrr: Decimal


def read_summary_params(query: Query, project: Project, now: datetime) -> Scope:
    """Read the parameters of `revenue.summary`."""
    return read_scope(query, project, now)


def read_summary(scope: Scope, rows: Sequence[Row]) -> RevenueSummary:
    """Shape the sums of `select_summary`."""
    currencies = [r for r in rows if r["part"] == "currency" and r["money"]]
    currency = dominant_currency(
        _totals(currencies, "now_amount", "now_events"),
        _totals(currencies, "now_amount_to_date", "now_events_to_date"),
    )
    now, old = (_figures(rows, currency, prefix) for prefix in ("now", "old"))
    recurs = any(r["now_deltas"] for r in _of(rows, "currency", currency))
    mrr = now.mrr if recurs else None
    return RevenueSummary(
        period=scope.period.text,
        currency=currency,
        revenue=amount_number(now.revenue, currency),
        customers=now.customers,
        orders=now.orders,
        aov=amount_number(now.aov, currency),
        ltv=amount_number(now.ltv, currency),
        mrr=None if mrr is None else amount_number(mrr, currency),
        arr=None if mrr is None else amount_number(_yearly(mrr), currency),
        is_subscription=recurs,
        has_one_time=any(r["one_time"] for r in rows if r["part"] == "all"),
        total_revenue=_total_revenue(currencies),
        comparison=_comparison(now, old, recurs),
        plans=_plans(rows, currency),
        products=_products(rows, currency),
    )


def _yearly(mrr: Decimal) -> Decimal:
    return EXACT.multiply(mrr, Decimal(MONTHS_A_YEAR))


def _totals(rows: Sequence[Row], amount: str, events: str) -> list[Total]:
    return [Total(row["money"], row[amount], row[events]) for row in rows]


def _of(rows: Sequence[Row], part: str, currency: str) -> list[Row]:
    """Return what is in `currency`: also a change of MRR that names none."""
    return [r for r in rows if r["part"] == part and r["money"] in ("", currency)]


def _figures(rows: Sequence[Row], currency: str, prefix: str) -> _Figures:
    whole = [row for row in rows if row["part"] == "all"]
    own = _of(rows, "currency", currency)

    def money(name: str) -> Decimal:
        return added(row[f"{prefix}_{name}"] for row in own)

    def count(name: str, among: Sequence[Row]) -> int:
        return sum(row[f"{prefix}_{name}"] for row in among)

    revenue = money("amount")
    return _Figures(
        revenue=revenue,
        customers=count("customers", whole),
        orders=count("orders_in_all", whole),
        aov=mean(revenue, count("orders", own)),
        ltv=mean(money("amount_to_date"), count("customers_to_date", own)),
        mrr=money("mrr"),
    )


def _comparison(now: _Figures, old: _Figures, recurs: bool) -> Changes:
    def changed(figure: Callable[[_Figures], Decimal | int]) -> Change:
        return Change(change(figure(now), figure(old)))

    # Twelve times as much has changed by the same share.
    mrr = changed(lambda figures: figures.mrr) if recurs else None
    return Changes(
        revenue=changed(lambda figures: figures.revenue),
        customers=changed(lambda figures: figures.customers),
        orders=changed(lambda figures: figures.orders),
        aov=changed(lambda figures: figures.aov),
        ltv=changed(lambda figures: figures.ltv),
        mrr=mrr,
        arr=mrr,
    )


def _total_revenue(currencies: Sequence[Row]) -> list[CurrencyTotal]:
    paid = [row for row in currencies if row["now_events"]]
    return [
        CurrencyTotal(row["money"], amount_number(row["now_amount"], row["money"]))
        for row in sorted(paid, key=lambda row: (-row["now_amount"], row["money"]))
    ]


def _plans(rows: Sequence[Row], currency: str) -> list[PlanRevenue]:
    named = [row for row in _of(rows, "plan", currency) if row["item"]]
    found: list[tuple[Decimal, Decimal, str, int]] = []
    for plan in {row["item"] for row in named}:
        its = [row for row in named if row["item"] == plan]
        mrr = added(row["now_mrr"] for row in its)
        if mrr or any(row["now_events"] for row in its):
            revenue = added(row["now_amount"] for row in its)
            customers = sum(row["now_customers"] for row in its)
            found.append((-revenue, -mrr, plan, customers))
    return [
        PlanRevenue(
            plan,
            amount_number(-revenue, currency),
            amount_number(-mrr, currency),
            customers,
        )
        for revenue, mrr, plan, customers in sorted(found)
    ]


def _products(rows: Sequence[Row], currency: str) -> list[ProductRevenue]:
    sold = [row for row in _of(rows, "product", currency) if row["now_events"]]
    return [
        ProductRevenue(
            row["item"],
            amount_number(row["now_amount"], currency),
            row["now_orders"],
            row["now_customers"],
        )
        for row in sorted(sold, key=lambda row: (-row["now_amount"], row["item"]))
    ]


revenue_summary = Question(
    name="revenue.summary",
    path="/revenue/summary",
    meaning="Revenue, customers and orders, what recurs, and how all that changed.",
    parameters=(PERIOD, *FILTERS),
    read_params=read_summary_params,
    select=select_summary,
    read=read_summary,
)
