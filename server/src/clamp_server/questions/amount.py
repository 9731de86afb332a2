"""Amounts of money as answers write them: exact until the end, then rounded once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce

from clamp_server.model.currency import CURRENCIES

# Of a project that never was paid. Clients format amounts with it, and the SDK
# assumes the same where it is told none.
USUAL_CURRENCY = "USD"
# A column of DECIMAL(38, 18) has more digits than decimals keep unless told to.
EXACT = Context(prec=76)
_SHARE_STEP = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Total:
    """The money of one currency.

    Attributes:
        events: Events that carry it.
    """

    currency: str
    amount: Decimal
    events: int


def encode_amount(total: Decimal, currency: str) -> str:
    """Write an amount with the decimals of its currency, half away from 0.

    >>> encode_amount(Decimal("2.5"), "JPY"), encode_amount(Decimal("2.5"), "KWD")
    ('3', '2.500')
    """
    return format(_rounded(total, currency), "f")


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum; 0 of nothing."""
    return reduce(EXACT.add, amounts, Decimal(0))


def mean(total: Decimal, count: int) -> Decimal:
    """Return the mean, not rounded yet; 0 of nothing."""
    return EXACT.divide(total, Decimal(count)) if count else Decimal(0)


def share(part: Decimal, whole: Decimal) -> float:
    """Return a part of a whole above 0, to four decimals; 1.0 is all of it."""
    found = EXACT.divide(part, whole)
    return float(found.quantize(_SHARE_STEP, rounding=ROUND_HALF_UP, context=EXACT))


def amount_number(total: Decimal, currency: str) -> float:
    """Return an amount, rounded to the decimals of its currency, as JSON has it."""
    return float(_rounded(total, currency))


def dominant_currency(*choices: Iterable[Total]) -> str:
    """Return the currency that most events of the first choice with any carry.

    Equal ones go by amount and then by name: by amount alone, one sale in yen
    would outweigh ten in dollars.

    >>> dominant_currency([], [Total("JPY", Decimal(4400), 1)])
    'JPY'
    """
    for choice in choices:
        if totals := [total for total in choice if total.events]:
            return min(
                totals, key=lambda t: (-t.events, -t.amount, t.currency)
            ).currency
    return USUAL_CURRENCY


def _rounded(total: Decimal, currency: str) -> Decimal:
    step = Decimal(1).scaleb(-CURRENCIES.get(currency, 2))
    # Adding 0 takes the sign off a zero, which "-0.00" would show.
    return EXACT.add(
        total.quantize(step, rounding=ROUND_HALF_UP, context=EXACT), Decimal(0)
    )
