"""A stored event as the stream shows it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from clamp_server.model.event import Properties
from clamp_server.questions.live import SeenEvent
from clamp_server.web.words import money_text, number_text, shortened

ValueType: TypeAlias = Literal["string", "number", "boolean", "money"]
Kind: TypeAlias = Literal["error", "money", "page", "plain"]

CHIPS = 4
CHIP_CHARACTERS = 40
# Colours that tell visitors apart at a glance; the style sheet has one each.
HUES = 8
# Below this a difference is the time that the event was on its way.
LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Chip:
    """One property: its name, its value as text, and the type it was sent as."""

    key: str
    value: str
    type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One line of the stream, and what opens below it.

    Attributes:
        seq: Its place in the stream.
        time: When it arrived, on the project's clocks.
        chips: The first properties, shortened.
        chips_left: How many more there are.
        happened: When it happened, where that was long before it arrived.
        where: Path of the page, or what went wrong; '' for neither.
        visitor: Who, as short as it can be told apart; '' for nobody.
        hue: Number of the visitor's colour.
        origin: Browser and country, or 'server'.
        properties: All of them, in full.
        context: Everything else that is known: a word and a value each.
    """

    seq: int
    kind: Kind
    name: str
    time: str
    received_at: datetime
    chips: Sequence[Chip]
    chips_left: int
    happened: str
    where: str
    visitor: str
    hue: int
    origin: str
    is_bot: bool
    is_unhandled: bool
    properties: Sequence[Chip]
    context: Sequence[tuple[str, str]]


def event_view(event: SeenEvent, zone: ZoneInfo) -> EventView:
    """Shape one event for the stream."""
    properties = chips(event.properties)
    who = event.user_id or event.anonymous_id
    return EventView(
        seq=event.seq,
        kind=_kind(event),
        name=event.name,
        time=f"{event.received_at.astimezone(zone):%H:%M:%S}",
        received_at=event.received_at,
        chips=[_short(chip) for chip in properties[:CHIPS]],
        chips_left=max(0, len(properties) - CHIPS),
        happened=_happened(event, zone),
        where=shortened(_where(event), 120),
        visitor=shortened(who, 15),
        # Not Python's hash, which differs from start to start.
        hue=zlib.crc32(who.encode()) % HUES,
        origin=_origin(event),
        is_bot=event.device_type == "bot",
        is_unhandled=event.name == "$error" and not event.error_handled,
        properties=properties,
        context=_context(event, zone),
    )


def chips(properties: Properties) -> list[Chip]:
    """Return every property as text, money first, since it is looked for first."""
    return [
        *(Chip(k, money_text(v), "money") for k, v in properties.money.items()),
        *(Chip(k, v, "string") for k, v in properties.strings.items()),
        *(Chip(k, number_text(v), "number") for k, v in properties.numbers.items()),
        *(Chip(k, _bool_text(v), "boolean") for k, v in properties.booleans.items()),
    ]


def _bool_text(value: bool) -> str:
    return "true" if value else "false"


def _short(chip: Chip) -> Chip:
    return Chip(
        shortened(chip.key, CHIP_CHARACTERS),
        shortened(chip.value, CHIP_CHARACTERS),
        chip.type,
    )


def _kind(event: SeenEvent) -> Kind:
    if event.name == "$error":
        return "error"
    if event.properties.money:
        return "money"
    return "page" if event.name.startswith("$pageview") else "plain"


def _happened(event: SeenEvent, zone: ZoneInfo) -> str:
    if abs(event.received_at - event.occurred_at) < LATE:
        return ""
    at = event.occurred_at.astimezone(zone)
    return f"{at:%b} {at.day}, {at:%H:%M}"


def _where(event: SeenEvent) -> str:
    if event.name == "$error":
        return ": ".join(t for t in (event.error_type, event.error_message) if t)
    return event.pathname


def _origin(event: SeenEvent) -> str:
    if event.sent_by == "server":
        return "server"
    return " · ".join(text for text in (event.browser, event.country) if text)


def _context(event: SeenEvent, zone: ZoneInfo) -> list[tuple[str, str]]:
    browser = f"{event.browser} {event.browser_version}".strip()
    system = f"{event.os} {event.os_version}".strip()
    known = (
        ("user", event.user_id),
        ("visitor", event.anonymous_id),
        ("session", event.session_id),
        ("url", event.url),
        ("from", " · ".join(t for t in (event.referrer_host, event.channel) if t)),
        ("device", " · ".join(t for t in (browser, system, event.device_type) if t)),
        ("country", event.country),
        ("happened", _instant(event.occurred_at, zone)),
        ("arrived", _instant(event.received_at, zone)),
        ("id", event.id),
    )
    return [(word, value) for word, value in known if value]


def _instant(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%Z}"
