"""The people who come to the shop: one visit after the other."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from clamp_server.demo.books import Books
from clamp_server.demo.cast import source, visitor
from clamp_server.demo.happening import PageRead, Payment, Visit, Visitor
from clamp_server.demo.site import walk

# Who comes back is one of the latest visitors: mostly of the last tenth.
RETURN_SHARE, LATEST_SHARE, FEWEST_LATEST = 0.35, 0.1, 20
# Tabs that die without a word, as they do on phones.
LOST_SHARE = 0.06
SHORTEST_READING_S, MEAN_READING_S, LONGEST_READING_S = 4, 34, 110

_MILLISECOND = timedelta(milliseconds=1)


class Crowd:
    """Draws visits; the same seed draws the same ones."""

    def __init__(self, start: datetime, until: datetime, seed: int) -> None:
        """Take the time that is planned: no payment falls due after it."""
        self._seed = seed
        self._dice = Random(seed)
        self._books = Books(start, until, self._dice)
        self._visitors = 0
        self._here: set[str] = set()
        self._just_here: set[str] = set()

    def begin_hour(self, end: datetime) -> list[Payment]:
        """Return what customers pay in the hour that ends then, in order.

        Nobody comes in the hour after another visit or payment, so that what the
        server does is always in one visit or long after it.
        """
        due = list(self._books.due(end))
        self._just_here = self._here
        self._here = {payment.visitor.anonymous_id for payment in due}
        return due

    def visit(self, earliest: datetime, latest: datetime) -> Visit:
        """Draw a visit that begins between two instants."""
        dice = self._dice
        span = (latest - earliest) // _MILLISECOND
        pages = self._pages(earliest + dice.randrange(span) * _MILLISECOND)
        who = self._visitor()
        return Visit(
            visitor=who,
            session_id=f"sess_{dice.getrandbits(64):016x}",
            source=source(who, dice),
            pages=tuple(pages),
            deeds=() if who.is_bot else tuple(self._books.deeds(who, pages)),
        )

    def _visitor(self) -> Visitor:
        """Draw somebody new, or of those who came some time before."""
        number = self._visitors
        if self._dice.random() < RETURN_SHARE:
            latest = FEWEST_LATEST + LATEST_SHARE * self._visitors
            number -= 1 + int(self._dice.expovariate(1 / latest))
        who = visitor(self._seed, number)
        is_here = who.anonymous_id in self._here or who.anonymous_id in self._just_here
        if number < 0 or is_here:
            number = self._visitors
            who = visitor(self._seed, number)
        self._visitors = max(self._visitors, number + 1)
        self._here.add(who.anonymous_id)
        return who

    def _pages(self, at: datetime) -> list[PageRead]:
        paths = walk(self._dice)
        last = len(paths) - 1
        # The page on which the visit is lost, if it is.
        lost = last if self._dice.random() < LOST_SHARE else None
        pages: list[PageRead] = []
        for place, path in enumerate(paths):
            reading_s = self._reading_s()
            left_at = at + timedelta(seconds=reading_s)
            pages.append(
                PageRead(
                    path=path,
                    at=at,
                    left_at=None if place == lost else left_at,
                    engaged_s=self._dice.randrange(2, reading_s + 1),
                    scroll_pct=self._dice.randrange(15, 101),
                )
            )
            # The next one takes a moment to load.
            at = left_at + self._dice.randrange(80, 700) * _MILLISECOND
        return pages

    def _reading_s(self) -> int:
        mean_s = MEAN_READING_S - SHORTEST_READING_S
        drawn_s = SHORTEST_READING_S + int(self._dice.expovariate(1 / mean_s))
        return min(drawn_s, LONGEST_READING_S)
