"""Values as people read them. Nothing here is HTML: the templates escape it."""

from __future__ import annotations

from datetime import datetime

from clamp_server.model.currency import CURRENCIES
from clamp_server.model.money import Money

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    >>> plural(1, "event"), plural(2400, "event"), plural(2, "person", "people")
    ('1 event', '2,400 events', '2 people')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def count_text(count: int) -> str:
    """Return a count with its thousands apart.

    >>> count_text(1234567)
    '1,234,567'
    """
    return f"{count:,}"


def percent_text(share: float) -> str:
    """Return a share of 0.0 to 1.0 as a length of SVG.

    >>> percent_text(1 / 3)
    '33.33%'
    """
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def number_text(number: float) -> str:
    """Return a number as a developer would have written it.

    >>> number_text(5.0), number_text(0.1), number_text(1234567.0)
    ('5', '0.1', '1234567')
    """
    # Above this a float cannot hold every whole number, so that its digits
    # would claim more than it knows.
    if number.is_integer() and abs(number) < 2**53:
        return str(int(number))
    return repr(number)


def money_text(money: Money) -> str:
    """Return an amount after its currency, exact.

    >>> from decimal import Decimal
    >>> money_text(Money(Decimal("29"), "USD")), money_text(Money(Decimal("9"), "JPY"))
    ('USD 29.00', 'JPY 9')
    """
    decimals = -int(money.amount.normalize().as_tuple().exponent)
    shown = max(decimals, CURRENCIES.get(money.currency, 2), 0)
    return f"{money.currency} {money.amount:,.{shown}f}"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago something was, to one unit.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    >>> [ago(now - timedelta(seconds=s), now) for s in (5, 90, 7200, 200_000)]
    ['5 s ago', '1 min ago', '2 h ago', '2 d ago']
    """
    # An event may be dated up to a day ahead of the server's clock.
    seconds = max(0, int((now - at).total_seconds()))
    for unit_s, unit in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= unit_s:
            return f"{seconds // unit_s} {unit} ago"
    return f"{seconds} s ago"


def shortened(text: str, characters: int) -> str:
    """Return `text`, or its beginning and an ellipsis where it is longer."""
    return text if len(text) <= characters else text[: characters - 1] + "…"
