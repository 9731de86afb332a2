"""A small coffee shop that uses Clamp: run by `clamp demo`, as its customer.

It is a program of its own that knows the server by its address and a key, and
talks to it through the published SDK. It writes one JSON line about what it
sent; a line on its standard input lets it go on with a trickle, and the end of
that input closes it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from clamp_analytics import Money, capture_error, init, track
from clamp_server.clock import now
from clamp_server.demo.visitors import (
    Browsers,
    Visitor,
    arriving_visitor,
    page_events,
)

DAYS = 7
TRICKLE_S = 1.5
PLANS = {"starter": "12.00", "pro": "29.00", "office": "118.50"}
BEANS = {"yirgacheffe": "14.90", "huila": "12.50"}
CURRENCIES = ("USD", "USD", "USD", "EUR")


class PaymentDeclinedError(Exception):
    """The card company said no."""


def charge(order: int, took_ms: int) -> None:
    """Charge a card; this one is always declined."""
    raise PaymentDeclinedError(f"order {order} declined after {took_ms} ms")


def invoice_address(customer: dict[str, str]) -> str:
    """Format the address for an invoice; crashes without a postcode."""
    return f"{customer['postcode']} {customer['city']}"


class Shop:
    """The back end: every call here is what a real application would write."""

    def __init__(self, browsers: Browsers, dice: Random) -> None:
        self._browsers = browsers
        self._dice = dice
        self.sent: Counter[str] = Counter()

    def serve(self, visitor: Visitor, came_at: datetime) -> None:
        """Let one visitor look around and perhaps become a customer."""
        pages = page_events(visitor, came_at, now(), self._dice)
        self._browsers.send(visitor, pages)
        self.sent.update(event["name"] for event in pages)
        # A few minutes into the visit, and never in the future.
        at = min(came_at + timedelta(minutes=2), now())
        luck = self._dice.random()
        if luck < 0.45:
            self.sign_up(visitor, at)
        if luck < 0.20:
            self.subscribe(visitor, at)
        if 0.30 < luck < 0.52:
            self.sell_beans(visitor, at)
        if luck > 0.88:
            self.fail_to_charge(visitor, at)
        if 0.52 < luck < 0.57:
            self.fail_to_invoice(visitor, at)

    def sign_up(self, visitor: Visitor, at: datetime) -> None:
        """Open an account."""
        track(
            "signup",
            {
                "plan": self._dice.choice(list(PLANS)),
                "method": self._dice.choice(["email", "google", "github"]),
                "invited": self._dice.random() < 0.3,
            },
            visitor.anonymous_id,
            at,
        )
        self.sent["signup"] += 1

    def subscribe(self, visitor: Visitor, at: datetime) -> None:
        """Start a monthly subscription."""
        plan = self._dice.choice(list(PLANS))
        total = Money(float(PLANS[plan]), self._dice.choice(CURRENCIES))
        track(
            "subscription_started",
            {"plan": plan, "total": total, "seats": self._dice.randrange(1, 9)},
            visitor.anonymous_id,
            at,
        )
        self.sent["subscription_started"] += 1

    def sell_beans(self, visitor: Visitor, at: datetime) -> None:
        """Sell one bag."""
        product = self._dice.choice(list(BEANS))
        total = Money(float(BEANS[product]), self._dice.choice(CURRENCIES))
        track(
            "purchase",
            {"product": product, "total": total, "items": 1, "gift": False},
            visitor.anonymous_id,
            at,
        )
        self.sent["purchase"] += 1

    def fail_to_charge(self, visitor: Visitor, at: datetime) -> None:
        """Hit the first bug: another order number and duration every time."""
        order, took_ms = self._dice.randrange(10**6), self._dice.randrange(90, 900)
        self._capture(lambda: charge(order, took_ms), visitor, at)

    def fail_to_invoice(self, visitor: Visitor, at: datetime) -> None:
        """Hit the second bug."""
        self._capture(lambda: invoice_address({"city": "Bern"}), visitor, at)

    def _capture(
        self, work: Callable[[], object], visitor: Visitor, at: datetime
    ) -> None:
        try:
            work()
        except (PaymentDeclinedError, KeyError) as error:
            capture_error(error, {"area": "checkout"}, visitor.anonymous_id, at)
            self.sent["$error"] += 1


def open_shop(days: int, visits: int, dice: Random, shop: Shop) -> None:
    """Serve `visits` visitors, spread evenly over the last `days` days."""
    opened_at = now() - timedelta(days=days)
    step = timedelta(days=days) / max(visits, 1)
    for number in range(visits):
        shop.serve(arriving_visitor(dice), opened_at + number * step)
    # Luck must not leave a demonstration without what it is to show.
    guest = arriving_visitor(dice)
    for act in (shop.sign_up, shop.subscribe, shop.sell_beans):
        act(guest, now())
    for _ in range(3):
        shop.fail_to_charge(guest, now())
        shop.fail_to_invoice(guest, now())


def ended() -> threading.Event:
    """Return an event that is set when standard input ends: the demo is over."""
    over = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=watch, daemon=True).start()
    return over


def main() -> None:
    """Run the shop against the server that the environment names."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--visits", type=int, default=250)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()

    project_id = os.environ["CLAMP_PROJECT_ID"]
    endpoint = os.environ["CLAMP_ENDPOINT"]
    init(project_id, os.environ["CLAMP_API_KEY"], endpoint)
    dice = Random(options.seed)
    shop = Shop(Browsers(endpoint, project_id), dice)
    open_shop(DAYS, options.visits, dice, shop)
    sys.stdout.write(json.dumps(shop.sent) + "\n")
    sys.stdout.flush()
    if sys.stdin.readline():
        over = ended()
        while not over.wait(TRICKLE_S):
            shop.serve(arriving_visitor(dice), now())


if __name__ == "__main__":
    main()
