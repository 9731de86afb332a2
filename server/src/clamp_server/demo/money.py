"""What the shop sells, and what becomes of a payment later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from clamp_server.demo.happening import Payment, Visitor

MONTH = timedelta(days=30)
# The yen has no smaller unit.
PLANS: Mapping[str, Mapping[str, Decimal]] = {
    name: {currency: Decimal(price) for currency, price in prices.items()}
    for name, prices in {
        "starter": {"USD": "12.00", "EUR": "11.00", "JPY": "1800"},
        "pro": {"USD": "29.00", "EUR": "27.50", "JPY": "4400"},
        "office": {"USD": "118.50", "EUR": "109.90", "JPY": "17600"},
    }.items()
}
BEANS: Mapping[str, Mapping[str, Decimal]] = {
    name: {currency: Decimal(price) for currency, price in prices.items()}
    for name, prices in {
        "yirgacheffe": {"USD": "14.90", "EUR": "13.80", "JPY": "2200"},
        "huila": {"USD": "12.50", "EUR": "11.40", "JPY": "1850"},
    }.items()
}
PLAN_SHARES = {"starter": 50, "pro": 38, "office": 12}
_NEXT_PLAN = {"starter": "pro", "pro": "office"}

UPGRADE_SHARE, CANCEL_SHARE, REFUND_SHARE, RETURN_SHARE = 0.25, 0.4, 0.5, 0.08
# Money is given back to whoever leaves so soon.
REFUND_DAYS = 4.0


def purchase(
    visitor: Visitor, user_id: str, at: datetime, product: str, items: int
) -> Payment:
    """Return the payment for some bags of beans."""
    currency = visitor.place.currency
    return Payment(
        visitor=visitor,
        user_id=user_id,
        at=at,
        event="purchase",
        amount=items * BEANS[product][currency],
        currency=currency,
        product=product,
    )


def subscription(visitor: Visitor, user_id: str, at: datetime, plan: str) -> Payment:
    """Return the first payment for a plan."""
    currency = visitor.place.currency
    price = PLANS[plan][currency]
    return Payment(
        visitor=visitor,
        user_id=user_id,
        at=at,
        event="subscription_started",
        amount=price,
        currency=currency,
        monthly_change=price,
        plan=plan,
    )


def aftermath(first: Payment, until: datetime, dice: Random) -> list[Payment]:
    """Draw what follows from a payment before `until`, in order.

    Nothing does within a day.
    """
    if first.event != "purchase":
        steps = _subscribed(first, until, dice)
    elif dice.random() < RETURN_SHARE:
        steps = [_refund(first, _later(first, dice))]
    else:
        steps = []
    return [step for step in steps if step.at < until]


def _subscribed(first: Payment, until: datetime, dice: Random) -> list[Payment]:
    """Draw the life of a subscription: perhaps dearer, then perhaps over."""
    steps: list[Payment] = []
    latest = first
    if first.plan in _NEXT_PLAN and dice.random() < UPGRADE_SHARE:
        latest = _upgrade(first, _later(first, dice))
        steps.append(latest)
    ended_at = until
    if dice.random() < CANCEL_SHARE:
        end = _cancellation(latest, _later(latest, dice))
        ended_at = end.at
        steps.append(end)
        if end.at - latest.at < timedelta(days=REFUND_DAYS) and (
            dice.random() < REFUND_SHARE
        ):
            steps.append(_refund(latest, end.at + timedelta(days=1)))
    return sorted([*steps, *_renewals(first, latest, ended_at)], key=lambda s: s.at)


def _renewals(first: Payment, last: Payment, ended_at: datetime) -> list[Payment]:
    """Return a payment a month, of what the plan costs by then."""
    found: list[Payment] = []
    at = first.at + MONTH
    while at < ended_at:
        paid = last if at > last.at else first
        found.append(
            replace(
                paid,
                at=at,
                event="subscription_renewed",
                previous_amount=None,
                monthly_change=Decimal(0),
            )
        )
        at += MONTH
    return found


def _upgrade(before: Payment, at: datetime) -> Payment:
    plan = _NEXT_PLAN[before.plan]
    price = PLANS[plan][before.currency]
    return replace(
        before,
        at=at,
        event="subscription_upgraded",
        amount=price,
        previous_amount=before.amount,
        monthly_change=price - before.amount,
        plan=plan,
    )


def _cancellation(before: Payment, at: datetime) -> Payment:
    return replace(
        before,
        at=at,
        event="subscription_canceled",
        previous_amount=None,
        monthly_change=-before.amount,
    )


def _refund(paid: Payment, at: datetime) -> Payment:
    return replace(
        paid,
        at=at,
        event="refund_issued",
        previous_amount=None,
        monthly_change=Decimal(0),
    )


def _later(step: Payment, dice: Random) -> datetime:
    """Draw when the next step is: mostly within days, at times after weeks."""
    days = 1.0 + dice.expovariate(1 / 8.0)
    return step.at + timedelta(milliseconds=round(86_400_000 * days))
