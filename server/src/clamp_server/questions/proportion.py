"""How answers write shares, means and changes: rounded once, half away from 0."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

Number: TypeAlias = int | float

_TENTH = Decimal("0.1")


def percent(part: int, whole: int) -> float:
    """Return how many percent of `whole` a part is, to one decimal; 0 of nothing.

    >>> percent(1, 3)
    33.3
    """
    return tenths(100 * part, whole) if whole else 0.0


def tenths(total: int, count: int) -> float:
    """Return a mean to one decimal.

    >>> tenths(5, 4)
    1.3
    """
    return float(_rounded(Decimal(total) / count, _TENTH))


def whole(total: int, count: int) -> int:
    """Return a mean as a whole number; 0 of nothing.

    >>> whole(5, 2)
    3
    """
    return int(_rounded(Decimal(total) / count, Decimal(1))) if count else 0


def difference(now: Number, before: Number) -> Number:
    """Return `now - before` without the noise of binary floats.

    >>> difference(33.3, 50.0)
    -16.7
    """
    if isinstance(now, int) and isinstance(before, int):
        return now - before
    return float(Decimal(str(now)) - Decimal(str(before)))


def change(now: Number | Decimal, before: Number | Decimal) -> str:
    """Return how much that is of what was before, in signed percent.

    >>> change(9, 8), change(8, 8), change(1, 0)
    ('+12.5%', '0%', 'New')
    """
    if before == 0:
        return "New" if now else "0%"
    old = Decimal(str(before))
    # Money taken back can be below zero; more of it is still less.
    share = _rounded((Decimal(str(now)) - old) * 100 / abs(old), _TENTH)
    return f"{share:+}%" if share else "0%"


def _rounded(number: Decimal, step: Decimal) -> Decimal:
    return number.quantize(step, ROUND_HALF_UP)
