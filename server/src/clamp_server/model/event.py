"""An event on its way in: as it was sent, and as it is stored.

`msgspec.Struct` and not a dataclass: a million of these are made an hour, and
a frozen dataclass of this size takes several times as long to construct.
`gc=False`: none can be part of a cycle, and the thousands that wait to be stored
are what the garbage collector would otherwise walk through again and again.
An absent text is the empty string everywhere, because a NULL means different
things to the two stores and clients send empty strings for absent values.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money

Sender: TypeAlias = Literal["browser", "server"]
Channel: TypeAlias = Literal[
    "direct", "organic_search", "organic_social", "paid", "email", "referral"
]
DeviceType: TypeAlias = Literal["desktop", "mobile", "tablet", "bot"]


class Properties(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A sent event's properties by type, so that 5 and "5" stay two things."""

    strings: dict[str, str] = {}
    numbers: dict[str, float] = {}
    booleans: dict[str, bool] = {}
    money: dict[str, Money] = {}


class SentError(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True
):
    """The `error.*` properties of an `$error` event.

    Attributes:
        handled: Whether the application caught it; False where it did not say.
    """

    message: str = ""
    type: str = ""
    stack: str = ""
    handled: bool = False


class SentEvent(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True
):
    """One event as a client sent it, checked against every limit.

    Attributes:
        id: The client's idempotency id; empty when it gave none.
        occurred_at: The wire's `timestamp`, in UTC; None when it gave none.
        error: Set exactly when `name` is `$error`.
    """

    name: str
    id: str = ""
    occurred_at: datetime | None = None
    anonymous_id: str = ""
    user_id: str = ""
    session_id: str = ""
    url: str = ""
    referrer: str = ""
    screen_width: int = 0
    screen_height: int = 0
    language: str = ""
    platform: str = ""
    properties: Properties = Properties()
    error: SentError | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a URL says; all empty for one that cannot be parsed."""

    url: str = ""
    hostname: str = ""
    pathname: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_content: str = ""
    utm_term: str = ""


class Arrival(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Where a visit came from. `channel` is empty for server events."""

    referrer: str = ""
    referrer_host: str = ""
    channel: Channel | Literal[""] = ""


class Device(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a User-Agent says; all empty for server events."""

    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device_type: DeviceType | Literal[""] = ""


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Where an address is; all empty without a database, and for server events.

    Attributes:
        country: ISO 3166-1 alpha-2, two upper-case letters.
    """

    country: str = ""
    region: str = ""
    city: str = ""


class Bug(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An `$error`'s columns.

    Attributes:
        fingerprint: First 16 hex digits of a SHA-256; empty when there is
            neither a message nor a stack.
        fingerprint_version: Number of the frozen rules that made it; 0 for none.
        fingerprint_parts: The text that was hashed, one part a line, so that a
            person can see why two errors are one bug.
    """

    message: str = ""
    type: str = ""
    stack: str = ""
    handled: bool = False
    fingerprint: str = ""
    fingerprint_version: int = 0
    fingerprint_parts: str = ""


class Sending(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What the request around an event says; the same for a whole batch.

    Attributes:
        address: The client's IP address as text, proxies resolved; it goes no
            further than the look-up of a place. Empty when unknown.
    """

    project_id: ProjectId
    sent_by: Sender
    received_at: datetime
    user_agent: str = ""
    address: str = ""


class EnrichedEvent(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True
):
    """One event as it is stored.

    Attributes:
        id: The client's idempotency id; empty when it gave none.
        occurred_at: When it happened, UTC; the receipt's time when not sent.
        received_at: The server's clock at receipt, UTC, whole milliseconds.
    """

    project_id: ProjectId
    id: str
    name: str
    sent_by: Sender
    occurred_at: datetime
    received_at: datetime
    anonymous_id: str
    user_id: str
    session_id: str
    screen_width: int
    screen_height: int
    language: str
    platform: str
    page: Page
    arrival: Arrival
    device: Device
    place: Place
    properties: Properties
    bug: Bug
