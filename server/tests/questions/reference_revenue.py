"""The questions about money once more, in plain Python over plain events.

Written from the contract's words: see `reference.py`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.make import NOON
from tests.questions.reference import (
    DECIMALS,
    FILTERED,
    PERIODS,
    Events,
    Query,
    is_paying,
    paying_value,
)

from clamp_server.model.event import EnrichedEvent

DAY = timedelta(days=1)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
ZERO = Decimal(0)


@dataclass
class Paid:
    """One payment or refund: an event's money in one currency, by key."""

    event: EnrichedEvent
    person: str
    currency: str
    amount: Decimal


@dataclass
class Agreed:
    """One change of MRR."""

    event: EnrichedEvent
    person: str
    currency: str
    delta: Decimal


def person_of(event: EnrichedEvent, events: Events) -> str:
    links = [
        (e.occurred_at, e.user_id)
        for e in events
        if e.user_id and e.anonymous_id and e.anonymous_id == event.anonymous_id
    ]
    return event.user_id or max(links, default=(None, ""))[1] or event.anonymous_id


def payments(events: Events, everything: Events) -> list[Paid]:
    found = []
    for event in events:
        money = event.properties.money
        keys = ["total"] if "total" in money else [*money]
        for key in keys if is_paying(event) else []:
            amount = money[key].amount
            if event.name == "$refund_issued":
                amount = -abs(amount)
            person = person_of(event, everything)
            found.append(Paid(event, person, money[key].currency, amount))
    return found


def changes(events: Events, everything: Events) -> list[Agreed]:
    found = []
    for event in events:
        if "mrr_delta" in event.properties.numbers:
            total = event.properties.money.get("total")
            delta = Decimal(repr(event.properties.numbers["mrr_delta"]))
            person = person_of(event, everything)
            found.append(Agreed(event, person, total.currency if total else "", delta))
    return found


def passing(events: Events, query: Query, start: datetime, end: datetime) -> Any:
    return [
        e
        for e in events
        if start <= e.occurred_at < end
        and all(paying_value(e, n, events) == query[n] for n in FILTERED if n in query)
    ]


def plan_of(event: EnrichedEvent) -> str:
    return event.properties.strings.get("plan", "")


def product_of(event: EnrichedEvent) -> str:
    return event.properties.strings.get("product", "") or event.name


def how_many(paid: list[Paid], refunds: bool = False) -> int:
    """Count events by identity: two may well be equal in everything."""
    return len(
        {id(p.event) for p in paid if refunds or p.event.name != "$refund_issued"}
    )


def customers(paid: list[Paid]) -> int:
    return len({p.person for p in paid} - {""})


def money(paid: list[Paid]) -> Decimal:
    return sum((p.amount for p in paid), ZERO)


def mrr_of(agreed: list[Agreed], currency: str) -> Decimal:
    return sum((a.delta for a in agreed if a.currency in ("", currency)), ZERO)


def main_currency(*choices: list[Paid]) -> str:
    for paid in choices:
        if paid:
            by: dict[str, list[Paid]] = defaultdict(list)
            for one in paid:
                by[one.currency].append(one)
            return min(by, key=lambda c: (-how_many(by[c], True), -money(by[c]), c))
    return "USD"


def number(amount: Decimal, currency: str) -> float:
    step = Decimal(10) ** -DECIMALS[currency]
    return float(amount.quantize(step, ROUND_HALF_UP)) or 0.0


def changed(now: Decimal | int, before: Decimal | int) -> dict[str, str]:
    if not before:
        return {"change": "New" if now else "0%"}
    share = Decimal(now - before) * 100 / abs(Decimal(before))
    rounded = share.quantize(Decimal("0.1"), ROUND_HALF_UP)
    return {"change": f"{rounded:+}%" if rounded else "0%"}


def summary(events: Events, query: Query) -> dict[str, Any]:
    """Answer `revenue.summary`."""
    start, end = PERIODS[query["period"]]
    spans = {
        "now": (start, end),
        "old": (start - (end - start), start),
    }
    ever = {
        span: passing(events, query, LONG_AGO, until)
        for span, (_, until) in spans.items()
    }
    paid = {span: payments(ever[span], events) for span in spans}
    agreed = {span: changes(ever[span], events) for span in spans}
    within = {
        span: [p for p in paid[span] if p.event.occurred_at >= since]
        for span, (since, _) in spans.items()
    }
    currency = main_currency(within["now"], paid["now"])
    figures = {
        span: figures_of(within[span], paid[span], agreed[span], currency)
        for span in spans
    }
    recurs = any(a.currency in ("", currency) for a in agreed["now"])
    now, old = figures["now"], figures["old"]
    comparison: dict[str, Any] = {name: changed(now[name], old[name]) for name in now}
    if not recurs:
        comparison |= {"mrr": None, "arr": None}
    by_currency = {
        c: money([p for p in within["now"] if p.currency == c])
        for c in {p.currency for p in within["now"]}
    }
    mine = [p for p in within["now"] if p.currency == currency]
    return {
        "period": query["period"],
        "currency": currency,
        "revenue": number(now["revenue"], currency),
        "customers": now["customers"],
        "orders": now["orders"],
        "aov": number(now["aov"], currency),
        "ltv": number(now["ltv"], currency),
        "mrr": number(now["mrr"], currency) if recurs else None,
        "arr": number(now["arr"], currency) if recurs else None,
        "is_subscription": recurs,
        "has_one_time": any(is_one_time(p.event) for p in within["now"]),
        "total_revenue": [
            {"currency": c, "amount": number(by_currency[c], c)}
            for c in sorted(by_currency, key=lambda c: (-by_currency[c], c))
        ],
        "comparison": comparison,
        "plans": plans_of(mine, agreed["now"], currency),
        "products": products_of(mine, currency),
    }


def figures_of(
    within: list[Paid], ever: list[Paid], agreed: list[Agreed], currency: str
) -> dict[str, Any]:
    mine = [p for p in within if p.currency == currency]
    mine_ever = [p for p in ever if p.currency == currency]
    revenue, mrr = money(mine), mrr_of(agreed, currency)
    orders, payers = how_many(mine), customers(mine_ever)
    return {
        "revenue": revenue,
        "customers": customers(within),
        "orders": how_many(within),
        "aov": revenue / orders if orders else ZERO,
        "ltv": money(mine_ever) / payers if payers else ZERO,
        "mrr": mrr,
        "arr": 12 * mrr,
    }


def is_one_time(event: EnrichedEvent) -> bool:
    return (
        event.name != "$refund_issued"
        and not event.name.startswith("$subscription_")
        and "mrr_delta" not in event.properties.numbers
    )


def plans_of(
    mine: list[Paid], agreed: list[Agreed], currency: str
) -> list[dict[str, Any]]:
    found = []
    named = {plan_of(p.event) for p in mine} | {plan_of(a.event) for a in agreed}
    for plan in named - {""}:
        its = [p for p in mine if plan_of(p.event) == plan]
        mrr = mrr_of([a for a in agreed if plan_of(a.event) == plan], currency)
        if its or mrr:
            found.append((-money(its), -mrr, plan, customers(its)))
    return [
        {
            "plan": plan,
            "revenue": number(-revenue, currency),
            "mrr_contribution": number(-mrr, currency),
            "customers": count,
        }
        for revenue, mrr, plan, count in sorted(found)
    ]


def products_of(mine: list[Paid], currency: str) -> list[dict[str, Any]]:
    by: dict[str, list[Paid]] = defaultdict(list)
    for one in mine:
        by[product_of(one.event)].append(one)
    return [
        {
            "product": product,
            "revenue": number(money(by[product]), currency),
            "transactions": how_many(by[product]),
            "customers": customers(by[product]),
        }
        for product in sorted(by, key=lambda p: (-money(by[p]), p))
    ]


def timeseries(events: Events, query: Query) -> list[dict[str, Any]]:
    """Answer `revenue.timeseries` by day, in UTC."""
    start, end = PERIODS[query["period"]]
    ever = [
        e
        for e in passing(events, query, LONG_AGO, end)
        if query.get("plan", plan_of(e)) == plan_of(e)
        and query.get("product", product_of(e)) == product_of(e)
    ]
    within = payments([e for e in ever if e.occurred_at >= start], events)
    currency = main_currency(within, payments(ever, events))
    agreed, points, day = changes(ever, events), [], start
    while day < end:
        paid = [p for p in within if day <= p.event.occurred_at < day + DAY]
        mine = [p for p in paid if p.currency == currency]
        so_far = [a for a in agreed if a.event.occurred_at < min(day + DAY, end)]
        found = {
            "revenue": number(money(mine), currency),
            "mrr": number(mrr_of(so_far, currency), currency),
            "customers": customers(paid),
            "transactions": how_many(paid),
        }
        shown = found[query.get("metric", "revenue")]
        points.append({"date": f"{day:%Y-%m-%d}", "value": shown})
        day += DAY
    return points


def retention(events: Events, query: Query) -> dict[str, Any]:
    """Answer `revenue.retention`."""
    start, end = PERIODS[query["cohort_period"]]
    name = query.get("cohort_event", "$subscription_started")
    began: dict[str, datetime] = {}
    for event in sorted(events, key=lambda e: e.occurred_at):
        wanted = query.get("cohort_filter_property", "")
        matches = event.properties.strings.get(wanted) == query.get(
            "cohort_filter_value"
        )
        person = person_of(event, events)
        if event.name == name and start <= event.occurred_at < end and matches:
            began.setdefault(person, event.occurred_at)
    began.pop("", None)
    own: dict[str, list[Agreed]] = {person: [] for person in began}
    for one in changes(events, events):
        at = one.event.occurred_at
        if one.person in began and began[one.person] <= at <= NOON:
            own[one.person].append(one)
    named = {
        person: min(
            ((a.event.occurred_at, a.currency) for a in theirs if a.currency),
            default=(None, ""),
        )[1]
        for person, theirs in own.items()
    }
    counts = {c: [*named.values()].count(c) for c in named.values() if c}
    currency = min(counts, key=lambda c: (-counts[c], c), default="USD")

    def mrr(person: str, days: int) -> Decimal:
        until = began[person] + days * DAY
        theirs = [a for a in own[person] if a.event.occurred_at <= until]
        return mrr_of(theirs, named[person])

    def together(people: list[str], days: int) -> Decimal:
        mine = [p for p in people if named[p] in ("", currency)]
        return sum((mrr(p, days) for p in mine), ZERO)

    windows = []
    for text in query["windows"].split(","):
        days = int(text[:-1])
        mature = [p for p in began if began[p] + days * DAY <= NOON]
        kept = sum(mrr(p, days) > 0 for p in mature)
        then, first = together(mature, days), together(mature, 0)
        windows.append(
            {
                "window": text,
                "days": days,
                "mature_size": len(mature),
                "retained": kept,
                "retention_rate": ratio(Decimal(kept), Decimal(len(mature))),
                "mrr_at_d": number(then, currency),
                "baseline_mrr_mature": number(first, currency),
                "nrr": ratio(then, first),
            }
        )
    return {
        "cohort": {"event": name, "period": query["cohort_period"]},
        "size": len(began),
        "baseline_mrr": number(together([*began], 0), currency),
        "currency": currency,
        "retention": windows,
    }


def ratio(part: Decimal, whole: Decimal) -> float | None:
    if whole <= 0:
        return None
    return float((part / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)) or 0.0
