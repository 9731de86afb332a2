"""A small coffee shop that uses Clamp: run by `clamp demo`, as its customer.

It is a program of its own that knows the server by its address and a key, and
talks to it through the published SDK. It writes JSON lines about what it sent; a
line on its standard input lets it go on with a trickle, and the end of that input
closes it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from clamp_analytics import Clamp
from clamp_server.clock import now
from clamp_server.demo.browsers import Browsers, WireEvent, page_events
from clamp_server.demo.crowd import Crowd
from clamp_server.demo.fault import ERRORS, FAULTS
from clamp_server.demo.happening import (
    CartFilled,
    Crashed,
    Deed,
    Happening,
    Identified,
    Payment,
    SignedUp,
    Visit,
    Visitor,
)
from clamp_server.demo.plan import plan

# Between two visitors who come while the demo is looked at.
TRICKLE_S = 3.0
# So many events of the server may wait: more would only take memory.
MOST_WAITING = 5_000
FLUSH_S = 60.0
# How often it says how far it is, in events.
TELL_EVERY = 5_000
# So many are in the shop already when it opens, having come within so long: the
# page has something of everything to show at once.
HERE, LATELY = 8, timedelta(minutes=2)


class Shop:
    """The back end: every call here is what a real application would write."""

    def __init__(self, clamp: Clamp, browsers: Browsers) -> None:
        self._clamp = clamp
        self._browsers = browsers
        self._waiting = 0
        self.sent: Counter[str] = Counter()

    def serve(self, happening: Happening) -> None:
        """Let a visitor look around and buy, or a customer pay."""
        if isinstance(happening, Payment):
            self._do(happening)
            return
        self._browse(happening.visitor, page_events(happening))
        for deed in happening.deeds:
            self._do(deed)

    def go_on(self, visit: Visit, seen_at: datetime, at: datetime) -> None:
        """Let a visitor do what falls between two instants."""
        seen, by_now = visit.until(seen_at), visit.until(at)
        # What is written of a visit only ever gets longer.
        events = page_events(by_now)[len(page_events(seen)) :]
        self._browse(visit.visitor, events)
        for deed in by_now.deeds[len(seen.deeds) :]:
            self._do(deed)

    def flush(self) -> None:
        """Return once the server has everything.

        Raises:
            RuntimeError: It does not take it.
        """
        self._browsers.flush()
        self._flush_own()

    def _browse(self, visitor: Visitor, events: list[WireEvent]) -> None:
        self._browsers.send(visitor, events)
        self.sent.update(event["name"] for event in events)

    def _flush_own(self) -> None:
        if not self._clamp.flush(FLUSH_S):
            raise RuntimeError(f"not all events arrived: {self._clamp.stats()}")
        self._waiting = 0

    def _do(self, deed: Deed) -> None:
        self.sent[self._tracked(deed)] += 1
        self._waiting += 1
        if self._waiting >= MOST_WAITING:
            self._flush_own()

    def _tracked(self, deed: Deed) -> str:
        """Track a deed and return its event's name."""
        if isinstance(deed, SignedUp):
            return self._sign_up(deed)
        if isinstance(deed, Identified):
            return self._identify(deed)
        if isinstance(deed, CartFilled):
            return self._fill_cart(deed)
        if isinstance(deed, Payment):
            return self._pay(deed)
        return self._crash(deed)

    def _sign_up(self, deed: SignedUp) -> str:
        self._clamp.track(
            "signup",
            {"plan": deed.plan, "method": deed.method, "invited": deed.invited},
            deed.visitor.anonymous_id,
            deed.at,
            user_id=deed.user_id,
        )
        return "signup"

    def _identify(self, deed: Identified) -> str:
        self._clamp.identify(
            deed.user_id,
            {"country": deed.visitor.place.country},
            deed.visitor.anonymous_id,
            deed.at,
        )
        return "$identify"

    def _fill_cart(self, deed: CartFilled) -> str:
        self._clamp.track(
            "added_to_cart",
            {"product": deed.product, "items": deed.items, "gift": deed.gift},
            deed.visitor.anonymous_id,
            deed.at,
            user_id=deed.user_id or None,
        )
        return "added_to_cart"

    def _pay(self, deed: Payment) -> str:
        self._clamp.revenue(
            deed.amount,
            deed.currency,
            event=deed.event,
            plan=deed.plan or None,
            product=deed.product or None,
            previous_amount=deed.previous_amount,
            user_id=deed.user_id or None,
            anonymous_id=deed.visitor.anonymous_id,
            timestamp=deed.at,
        )
        return f"${deed.event}"

    def _crash(self, deed: Crashed) -> str:
        try:
            FAULTS[deed.bug](deed)
        except ERRORS as error:
            self._clamp.capture_error(
                error,
                {"area": "shop", "release": deed.release},
                deed.visitor.anonymous_id,
                deed.at,
                user_id=deed.user_id or None,
            )
        return "$error"


def open_shop(shop: Shop, happenings: Iterable[Happening]) -> None:
    """Let it all happen, and say every so often how far it is."""
    told = 0
    for happening in happenings:
        shop.serve(happening)
        if shop.sent.total() - told >= TELL_EVERY:
            told = shop.sent.total()
            tell({"sent_so_far": told})
    shop.flush()


def keep_open(shop: Shop, crowd: Crowd) -> None:
    """Let more visitors come, and each thing happen in its time, until input ends."""
    over = ended()
    at = now()
    seen_at = at - LATELY
    here = [crowd.visit(seen_at, at) for _ in range(HERE)]
    while True:
        for visit in here:
            shop.go_on(visit, seen_at, at)
        shop.flush()
        if over.wait(TRICKLE_S):
            return
        seen_at, at = at, now()
        here = [visit for visit in here if visit.end >= seen_at]
        here.append(crowd.visit(seen_at, at))


def ended() -> threading.Event:
    """Return an event that is set when standard input ends: the demo is over."""
    over = threading.Event()

    def watch() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=watch, daemon=True).start()
    return over


def tell(message: dict[str, object]) -> None:
    """Write a JSON line for whoever runs the demo."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the shop against the server that the environment names."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for option in ("--days", "--events", "--seed"):
        parser.add_argument(option, type=int, required=True)
    chosen = parser.parse_args()
    until = now().replace(microsecond=0)
    project_id, endpoint = os.environ["CLAMP_PROJECT_ID"], os.environ["CLAMP_ENDPOINT"]
    with Clamp(background=True) as clamp, Browsers(endpoint, project_id) as browsers:
        shop = Shop(clamp, browsers)
        open_shop(
            shop,
            plan(until, days=chosen.days, events=chosen.events, seed=chosen.seed),
        )
        tell({"sent": shop.sent})
        if sys.stdin.readline():
            since = until - timedelta(days=chosen.days)
            # Other people: those of the plan have come already.
            keep_open(shop, Crowd(since, until, chosen.seed + 1))


if __name__ == "__main__":
    main()
