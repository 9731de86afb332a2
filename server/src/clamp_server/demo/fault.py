"""The shop's own code, where its bugs are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from clamp_server.demo.happening import BugName, Crashed


class PaymentDeclinedError(Exception):
    """The card company said no."""


def charge(order: int, took_ms: int) -> None:
    """Charge a card; this one is always declined."""
    raise PaymentDeclinedError(f"order {order} declined after {took_ms} ms")


def invoice_address(customer: dict[str, str]) -> str:
    """Format the address for an invoice; crashes without a postcode."""
    return f"{customer['postcode']} {customer['city']}"


def reading_time_min(words: int, words_a_minute: int) -> float:
    """Tell how long an article takes; crashes for a reader of no pace."""
    return words / words_a_minute


FAULTS: Mapping[BugName, Callable[[Crashed], object]] = {
    # Another order number and duration every time: still one bug.
    "declined": lambda crash: charge(crash.order, crash.took_ms),
    "postcode": lambda _: invoice_address({"city": "Bern"}),
    "reading_time": lambda _: reading_time_min(640, 0),
}
"""What raises, by bug."""
ERRORS = (PaymentDeclinedError, KeyError, ZeroDivisionError)
