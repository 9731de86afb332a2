"""From what a caller says of a payment to an event. No I/O and no clock in here.

`total` is `Money`; `mrr_delta` is a plain number in the currency of `total`, as
Clamp's other SDKs send it. As `Money` it would be counted twice: revenue is the
sum of every money property of an event, unless one of them is asked for.
Amounts are computed with as decimals, whatever type the caller has them in, and
only the result becomes the double that every number is on the wire's other end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from typing import Literal, get_args

from clamp_analytics._wire import Amount, Money, PropertyValue

RevenueEvent = Literal[
    "subscription_started",
    "subscription_renewed",
    "subscription_upgraded",
    "subscription_downgraded",
    "subscription_canceled",
    "subscription_paused",
    "subscription_resumed",
    "purchase",
    "refund_issued",
]
Billing = Literal["one_time", "weekly", "monthly", "annual"]

# As a fraction, because 52/12 has no end. What is paid once does not recur.
_PERIODS_IN_A_MONTH: Mapping[Billing, tuple[int, int]] = {
    "one_time": (0, 1),
    "weekly": (52, 12),
    "monthly": (1, 1),
    "annual": (1, 12),
}
# Where comparing letters does not lead; the long ones are what Stripe's webhooks
# call their events.
_MEANT: Mapping[str, str] = {
    "checkout_completed": "purchase",
    "checkout_session_completed": "purchase",
    "order_completed": "purchase",
    "payment_succeeded": "purchase",
    "payment_intent_succeeded": "purchase",
    "charge_succeeded": "purchase",
    "refund": "refund_issued",
    "charge_refunded": "refund_issued",
    "subscription_created": "subscription_started",
    "subscription_deleted": "subscription_canceled",
    "subscription_ended": "subscription_canceled",
    "subscription_expired": "subscription_canceled",
    "year": "annual",
    "yearly": "annual",
    "once": "one_time",
}
# As many decimals as Clamp keeps of an amount; leaves 46 digits before the point.
_ONE_STEP = Decimal("1e-18")
_EXACT = Context(prec=64, traps=[])


def revenue_event(
    amount: Amount,
    currency: str = "USD",
    *,
    event: RevenueEvent | None = None,
    plan: str | None = None,
    product: str | None = None,
    billing: Billing | None = None,
    previous_amount: Amount | None = None,
    mrr_delta: Amount | None = None,
    subscription_id: str | None = None,
) -> tuple[str, dict[str, PropertyValue]]:
    """The name, with its `$`, and the properties of a revenue event.

    Args:
        amount: What is paid for one period of `billing`, in major units.
        event: None means `purchase` when paid once, else `subscription_started`.
            The name may have its `$` already.
        plan: Subscription events need it.
        product: A purchase needs it.
        billing: None means `monthly` with a plan, else `one_time`.
        previous_amount: What one period cost before. An upgrade and a downgrade
            need it; a cancellation and a pause take `amount` in its place; the
            others have no use for it.
        mrr_delta: Change of the monthly recurring revenue. None means that it
            follows from the event, the billing and the amounts.

    Raises:
        ValueError: If an argument is missing, unknown, or no amount of money; it
            says what to write instead.

    >>> name, properties = revenue_event(348, plan="pro", billing="annual")
    >>> name, properties["mrr_delta"]
    ('$subscription_started', 29.0)
    """
    total = Money(amount, currency)
    texts = {"plan": plan, "product": product, "subscription_id": subscription_id}
    _check_texts(texts)
    if billing is None:
        billing = "monthly" if plan else "one_time"
    _check_choice("billing", billing, get_args(Billing))
    name = _bare_name(event, billing)
    _check_what_was_sold(name, plan, product)
    if mrr_delta is None:
        delta = _mrr_delta(name, billing, amount, previous_amount)
    else:
        delta = _number("mrr_delta", _decimal("mrr_delta", mrr_delta))
    properties: dict[str, PropertyValue] = {"total": total, "billing_period": billing}
    properties.update((key, text) for key, text in texts.items() if text)
    if delta != 0:
        properties["mrr_delta"] = delta
    return f"${name}", properties


def _check_texts(texts: Mapping[str, object]) -> None:
    for argument, text in texts.items():
        if not (text is None or isinstance(text, str)):
            raise ValueError(f"{argument} must be a str, not {type(text).__name__}")


def _bare_name(event: str | None, billing: Billing) -> str:
    if event is None:
        return "purchase" if billing == "one_time" else "subscription_started"
    name = event[1:] if isinstance(event, str) and event.startswith("$") else event
    _check_choice("event", name, get_args(RevenueEvent))
    return name


def _check_choice(argument: str, choice: object, choices: Sequence[str]) -> None:
    if choice in choices:
        return
    nearest = _nearest(str(choice), choices)
    hint = f"did you mean {nearest!r}? " if nearest else ""
    raise ValueError(
        f"{argument} {choice!r} is unknown: {hint}Allowed: {', '.join(choices)}."
    )


def _nearest(word: str, choices: Sequence[str]) -> str | None:
    # Here, because only those who mistype need it.
    from difflib import get_close_matches

    plain = "_".join(re.findall("[a-z]+", word.lower())).removeprefix("customer_")
    meant = _MEANT.get(plain)
    if meant in choices:
        return meant
    return next(iter(get_close_matches(plain, choices, n=1)), None)


def _check_what_was_sold(name: str, plan: str | None, product: str | None) -> None:
    if name.startswith("subscription_") and not plan:
        raise ValueError(f'{name} needs a plan, such as plan="pro"')
    if name == "purchase" and not product:
        raise ValueError(
            'purchase needs a product, such as product="t-shirt";'
            ' for a subscription write plan="pro"'
        )


def _mrr_delta(
    name: str, billing: Billing, amount: Amount, previous_amount: Amount | None
) -> float:
    after = _decimal("amount", amount)
    before = None
    if previous_amount is not None:
        before = _decimal("previous_amount", previous_amount)
    times, months = _PERIODS_IN_A_MONTH[billing]
    change = _EXACT.multiply(_change(name, after, before), times)
    monthly = _EXACT.divide(change, months)
    return _number("amount", monthly)


def _change(name: str, after: Decimal, before: Decimal | None) -> Decimal:
    """What a customer pays for a period, after the event less before it."""
    if name in ("subscription_started", "subscription_resumed"):
        return after
    if name in ("subscription_canceled", "subscription_paused"):
        # Not `-`, which rounds to the ambient precision.
        return (after if before is None else before).copy_negate()
    if name in ("subscription_upgraded", "subscription_downgraded"):
        if before is None:
            raise ValueError(
                f"{name} needs previous_amount, what a period cost before, or mrr_delta"
            )
        return _EXACT.subtract(after, before)
    return Decimal(0)


def _decimal(argument: str, amount: Amount) -> Decimal:
    """The digits that `amount` prints with: 0.1 and not 0.1000000000000000055."""
    exact: Decimal | None = None
    if isinstance(amount, float):
        exact = Decimal(float.__repr__(amount))
    elif isinstance(amount, (int, Decimal)) and not isinstance(amount, bool):
        exact = Decimal(amount)
    if exact is None or not exact.is_finite():
        raise ValueError(
            f"{argument} must be a finite int, float or Decimal, not {amount!r}"
        )
    return exact


def _number(argument: str, exact: Decimal) -> float:
    number = float(_EXACT.quantize(exact, _ONE_STEP))
    # Without traps, quantize says so when there are more digits than it may have.
    if math.isnan(number):
        raise ValueError(f"{argument} is too large: at most 46 digits before the point")
    return number
