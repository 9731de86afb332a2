"""Money: an exact amount in one currency."""

from __future__ import annotations

from decimal import Decimal

import msgspec

# A column of DECIMAL(38, 18): eighteen decimals hold the shortest form of every
# binary float of everyday size (0.1 + 0.2 has 17), and leave twenty digits
# before the point, so that a sum of 100,000 of the largest cannot overflow.
DECIMALS = 18
LARGEST_AMOUNT = Decimal(10) ** 15


class Money(msgspec.Struct, frozen=True, gc=False):
    """An exact amount in one currency.

    Attributes:
        amount: In major units: 29 is 29 dollars. At most 18 decimals.
        currency: ISO 4217 code, three upper-case letters.
    """

    amount: Decimal
    currency: str
