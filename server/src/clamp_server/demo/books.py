"""The shop's books: who has an account, who subscribed, and what is due when."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from clamp_server.demo.cast import drawn
from clamp_server.demo.happening import (
    CartFilled,
    Crashed,
    Deed,
    Identified,
    PageRead,
    Payment,
    SignedUp,
    Visitor,
)
from clamp_server.demo.money import (
    BEANS,
    PLAN_SHARES,
    aftermath,
    purchase,
    subscription,
)
from clamp_server.demo.release import bugs, release

# Between what the server does for one page; nobody leaves one within so little.
STEP = timedelta(milliseconds=180)


@dataclass(frozen=True, slots=True)
class Cart:
    """What somebody would buy."""

    product: str
    items: int


class Books:
    """Decides what the shop does for its visitors, and knows who is a customer."""

    def __init__(self, start: datetime, until: datetime, dice: Random) -> None:
        """Take the time that is planned: the shop's releases are spread over it."""
        self._start = start
        self._until = until
        self._dice = dice
        # By anonymous id.
        self._users: set[str] = set()
        self._subscribers: set[str] = set()
        # By time; the number is there because payments cannot be compared.
        self._due: list[tuple[datetime, int, Payment]] = []
        self._written = 0

    def due(self, end: datetime) -> Iterator[Payment]:
        """Take out what customers pay before `end`, in order."""
        while self._due and self._due[0][0] < end:
            yield heapq.heappop(self._due)[2]

    def deeds(self, visitor: Visitor, pages: Sequence[PageRead]) -> list[Deed]:
        """Decide what is done for a visitor who opens `pages`, in order."""
        cart = Cart(self._dice.choice(list(BEANS)), self._dice.choice((1, 1, 1, 2, 3)))
        return [deed for page in pages for deed in self._served(visitor, page, cart)]

    def _served(self, who: Visitor, page: PageRead, cart: Cart) -> list[Deed]:
        done = [*self._sold(who, page, cart), *self._broken(who, page)]
        return [
            replace(deed, at=page.at + number * STEP)
            for number, deed in enumerate(done, 1)
        ]

    def _sold(self, who: Visitor, page: PageRead, cart: Cart) -> list[Deed]:
        if page.path == "/cart":
            return [self._filled(who, page, cart)]
        if page.path == "/thanks":
            user_id = self._user_id(who)
            paid = purchase(who, user_id, page.at, cart.product, cart.items)
            return [self._entered(paid)]
        if page.path == "/welcome" and not self._user_id(who):
            return self._opened(who, page)
        if page.path == "/billing/done" and self._may_subscribe(who):
            self._subscribers.add(who.anonymous_id)
            plan = drawn(PLAN_SHARES, self._dice)
            return [self._entered(subscription(who, who.user_id, page.at, plan))]
        return []

    def _filled(self, who: Visitor, page: PageRead, cart: Cart) -> Deed:
        return CartFilled(
            visitor=who,
            user_id=self._user_id(who),
            at=page.at,
            product=cart.product,
            items=cart.items,
            gift=self._dice.random() < 0.15,
        )

    def _opened(self, who: Visitor, page: PageRead) -> list[Deed]:
        """Open an account."""
        self._users.add(who.anonymous_id)
        signed_up = SignedUp(
            visitor=who,
            user_id=who.user_id,
            at=page.at,
            plan=drawn(PLAN_SHARES, self._dice),
            method=self._dice.choice(("email", "google", "github")),
            invited=self._dice.random() < 0.3,
        )
        return [signed_up, Identified(visitor=who, user_id=who.user_id, at=page.at)]

    def _broken(self, who: Visitor, page: PageRead) -> list[Deed]:
        running = release(self._start, self._until, page.at)
        return [
            Crashed(
                visitor=who,
                user_id=self._user_id(who),
                at=page.at,
                bug=bug.name,
                release=running,
                order=self._dice.randrange(10**6),
                took_ms=self._dice.randrange(90, 900),
            )
            for bug in bugs(page.path, running)
            if self._dice.random() < bug.share
        ]

    def _entered(self, first: Payment) -> Payment:
        """Enter a payment, with all that follows from it."""
        for payment in aftermath(first, self._until, self._dice):
            self._written += 1
            heapq.heappush(self._due, (payment.at, self._written, payment))
        return first

    def _may_subscribe(self, who: Visitor) -> bool:
        return bool(self._user_id(who)) and who.anonymous_id not in self._subscribers

    def _user_id(self, who: Visitor) -> str:
        return who.user_id if who.anonymous_id in self._users else ""
