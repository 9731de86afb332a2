"""What happens at the coffee shop, as plain values: who came, read, bought, crashed.

They are decided before any of it is sent, so that the true figures of a demo can be
counted here, without asking the server that is to be shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

PaymentEvent: TypeAlias = Literal[
    "purchase",
    "refund_issued",
    "subscription_started",
    "subscription_renewed",
    "subscription_upgraded",
    "subscription_canceled",
]
BugName: TypeAlias = Literal["declined", "postcode", "reading_time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What somebody browses with.

    Attributes:
        kind: `desktop`, `mobile`, `tablet` or `bot`.
    """

    kind: str
    browser: str
    os: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody is.

    Attributes:
        country: Two letters.
        address: An Internet address of that country.
        language: That of the browser, such as `en-US`.
        currency: What is paid in there.
    """

    country: str
    address: str
    language: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What brought a visit.

    Attributes:
        referrer: URL of the page before; empty without any.
        query: What the link to the shop has after its `?`.
    """

    channel: str
    referrer: str = ""
    referrer_host: str = ""
    query: str = ""
    campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One person in one browser."""

    anonymous_id: str
    user_id: str
    device: Device
    place: Place

    @property
    def is_bot(self) -> bool:
        """Whether it is a crawler."""
        return self.device.kind == "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead:
    """One page of a visit.

    Attributes:
        left_at: None for a tab that died, or is still open.
        engaged_s: Seconds that it was in the foreground, once it was left.
    """

    path: str
    at: datetime
    left_at: datetime | None
    engaged_s: int
    scroll_pct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What the shop's server does for a visitor: one event.

    Attributes:
        user_id: Empty before the visitor has an account.
    """

    visitor: Visitor
    user_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedUp(Act):
    """An account was opened."""

    plan: str
    method: str
    invited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified(Act):
    """The visitor is known as a user from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CartFilled(Act):
    """Some bags were put into the cart."""

    product: str
    items: int
    gift: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Act):
    """Money came in or went back, or what comes in monthly changed.

    Attributes:
        amount: Of this payment, in major units; of a cancellation, what is not
            paid any more.
        previous_amount: What a month cost before; None where nothing did.
        monthly_change: Of the monthly recurring revenue.
        plan: Empty for what was bought once; then there is a `product`.
    """

    event: PaymentEvent
    amount: Decimal
    currency: str
    previous_amount: Decimal | None = None
    monthly_change: Decimal = Decimal(0)
    plan: str = ""
    product: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed(Act):
    """A bug struck.

    Attributes:
        order: Of the order at hand; it differs every time, as does `took_ms`.
    """

    bug: BugName
    release: str
    order: int
    took_ms: int


Deed: TypeAlias = SignedUp | Identified | CartFilled | Payment | Crashed


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One session of a visitor. No two of its events have the same instant.

    Attributes:
        pages: In order, at least one.
        deeds: In order.
    """

    visitor: Visitor
    session_id: str
    source: Source
    pages: tuple[PageRead, ...]
    deeds: tuple[Deed, ...]

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.pages[0].at

    @property
    def end(self) -> datetime:
        """When its last event happens."""
        return self._instants()[-1]

    @property
    def events(self) -> int:
        """How many there are in it."""
        return len(self._instants())

    def until(self, end: datetime) -> Visit:
        """Return what of it happens before `end`: nothing, where that is its start."""
        return replace(
            self,
            pages=tuple(
                page
                if page.left_at is None or page.left_at < end
                else replace(page, left_at=None)
                for page in self.pages
                if page.at < end
            ),
            deeds=tuple(deed for deed in self.deeds if deed.at < end),
        )

    def first(self, events: int) -> Visit:
        """Return its first so many events, or all there are; at least one."""
        instants = self._instants()
        return self.until(instants[events]) if events < len(instants) else self

    def _instants(self) -> list[datetime]:
        views = [page.at for page in self.pages]
        ends = [page.left_at for page in self.pages if page.left_at]
        return sorted([*views, *ends, *(deed.at for deed in self.deeds)])


Happening: TypeAlias = Visit | Payment
"""A visit, or what happens to a customer who is not there."""
