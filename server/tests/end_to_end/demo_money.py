"""The money of a demo, counted on its plan as `demo_truth` counts the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from clamp_server.demo.happening import Happening, Payment, Visit

Rows: TypeAlias = list[dict[str, Any]]

MOST_ROWS = 50
DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0}


@dataclass(frozen=True)
class Paid:
    """Money, or a change of what recurs, and the visit that its visitor was last on.

    The money of a cancellation is what will not be paid any more.
    """

    payment: Payment
    visit: Visit

    @property
    def amount(self) -> Decimal:
        return -self.payment.amount if self.is_refund else self.payment.amount

    @property
    def is_refund(self) -> bool:
        return self.payment.event == "refund_issued"

    @property
    def is_order(self) -> bool:
        return not self.is_refund and self.payment.event != "subscription_canceled"

    @property
    def person(self) -> str:
        return self.payment.visitor.anonymous_id

    @property
    def product(self) -> str:
        return self.payment.product or f"${self.payment.event}"


class Money:
    """What must be answered about money, in a period that holds all of the plan."""

    def __init__(self, happenings: Iterable[Happening]) -> None:
        self.agreed: list[Paid] = []
        last: dict[str, Visit] = {}
        for happening in happenings:
            if isinstance(happening, Visit):
                last[happening.visitor.anonymous_id] = happening
            deeds = happening.deeds if isinstance(happening, Visit) else [happening]
            self.agreed.extend(
                Paid(deed, last[deed.visitor.anonymous_id])
                for deed in deeds
                if isinstance(deed, Payment)
            )
        self.paid = [paid for paid in self.agreed if paid.is_order or paid.is_refund]

    def revenue(self, group: Callable[[Paid], str] | None = None) -> Rows:
        groups: defaultdict[tuple[str, str], list[Paid]] = defaultdict(list)
        for paid in self.paid:
            groups[group(paid) if group else "", paid.payment.currency].append(paid)
        ranked = sorted(
            groups.items(), key=lambda item: (-_sum(item[1]), item[0][1], item[0][0])
        )
        return [
            {
                **({"group_value": value} if group else {}),
                "currency": currency,
                "amount": f"{_sum(found):.{DECIMALS[currency]}f}",
                "events": len(found),
                "visitors": len({paid.person for paid in found}),
            }
            for (value, currency), found in ranked
        ][:MOST_ROWS]

    def summary(self, period: str) -> dict[str, Any]:
        money = self.revenue()
        currency = max(money, key=lambda row: int(row["events"]))["currency"]
        own = [paid for paid in self.paid if paid.payment.currency == currency]
        payers = {paid.person for paid in own}
        agreed = self._agreed(currency)
        recurs = any(one.payment.monthly_change for one in agreed)
        digits = DECIMALS[currency]
        figures: dict[str, Any] = {
            "revenue": float(_sum(own)),
            "customers": len({paid.person for paid in self.paid}),
            "orders": sum(paid.is_order for paid in self.paid),
            "aov": rounded(_sum(own), sum(paid.is_order for paid in own), digits),
            "ltv": rounded(_sum(own), len(payers), digits),
            "mrr": float(_mrr(agreed)) if recurs else None,
            "arr": float(12 * _mrr(agreed)) if recurs else None,
        }
        return {
            "period": period,
            "currency": currency,
            **figures,
            "is_subscription": recurs,
            "has_one_time": any(p.payment.event == "purchase" for p in self.paid),
            "total_revenue": [
                {"currency": row["currency"], "amount": float(row["amount"])}
                for row in money
            ],
            "comparison": {
                name: None if figure is None else {"change": "New"}
                for name, figure in figures.items()
            },
            "plans": _plans(agreed),
            "products": _products(own),
        }

    def mrr_by_day(self, currency: str, dates: Sequence[date]) -> Rows:
        agreed = self._agreed(currency)
        return [
            {
                "date": str(day),
                "value": float(_mrr(a for a in agreed if a.payment.at.date() <= day)),
            }
            for day in dates
        ]

    def _agreed(self, currency: str) -> list[Paid]:
        return [one for one in self.agreed if one.payment.currency == currency]


def _plans(agreed: Sequence[Paid]) -> Rows:
    plans: defaultdict[str, list[Paid]] = defaultdict(list)
    for one in agreed:
        if one.payment.plan:
            plans[one.payment.plan].append(one)
    rows: Rows = []
    for plan, found in plans.items():
        paid = [one for one in found if one.is_order or one.is_refund]
        rows.append(
            {
                "plan": plan,
                "revenue": float(_sum(paid)),
                "mrr_contribution": float(_mrr(found)),
                "customers": len({one.person for one in paid}),
            }
        )
    return sorted(
        rows, key=lambda r: (-r["revenue"], -r["mrr_contribution"], r["plan"])
    )


def _products(paid: Sequence[Paid]) -> Rows:
    products: defaultdict[str, list[Paid]] = defaultdict(list)
    for one in paid:
        products[one.product].append(one)
    rows = [
        {
            "product": product,
            "revenue": float(_sum(found)),
            "transactions": sum(one.is_order for one in found),
            "customers": len({one.person for one in found}),
        }
        for product, found in products.items()
    ]
    return sorted(rows, key=lambda r: (-r["revenue"], r["product"]))


def _sum(paid: Iterable[Paid]) -> Decimal:
    return sum((one.amount for one in paid), Decimal(0))


def _mrr(paid: Iterable[Paid]) -> Decimal:
    return sum((one.payment.monthly_change for one in paid), Decimal(0))


def rounded(total: Decimal | int, count: int, decimals: int) -> float:
    """Return a mean, half away from zero."""
    step = Decimal(1).scaleb(-decimals)
    return float((Decimal(total) / count).quantize(step, ROUND_HALF_UP))
