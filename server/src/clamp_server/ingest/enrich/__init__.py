"""What the server adds to an event: one fact a module, put together here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from clamp_server.ingest.enrich.channel import Sources, channel, load_sources
from clamp_server.ingest.enrich.device import DeviceParser
from clamp_server.ingest.enrich.fingerprint import bug
from clamp_server.ingest.enrich.name import stored_name
from clamp_server.ingest.enrich.place import BUILT_IN, PlaceReader
from clamp_server.ingest.enrich.referrer import referrer_host
from clamp_server.ingest.enrich.url import MAX_URL_CHARS, location, page
from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Sending,
    SentEvent,
)

# What is remembered of earlier events: pages and browsers come again, and a look
# costs a thirtieth of working them out. Longer texts are worked out each time, so
# that all of it stays near 10 MB whatever is sent.
REMEMBERED_PAGES = 2_048
REMEMBERED_DEVICES = 2_048
REMEMBERED_PLACES = 8_192
LONGEST_REMEMBERED_CHARS = 512

NO_PAGE, NO_ARRIVAL, NO_DEVICE, NO_PLACE = Page(), Arrival(), Device(), Place()
NO_BUG = Bug()

Found = TypeVar("Found")


class Enricher:
    """Turns sent events into events as they are stored. Safe in many threads."""

    def __init__(self, geo_paths: Sequence[Path] = ()) -> None:
        """Load the lists, the parsers and the database of places.

        Args:
            geo_paths: Where an operator may have put a database; the first file
                that exists is used, else the built-in one of countries.

        Raises:
            ConfigError: If that file is not a database of places.
        """
        sources = load_sources()
        places = PlaceReader(next(filter(Path.exists, geo_paths), BUILT_IN))
        devices = DeviceParser()
        self._page = _remembered(page, REMEMBERED_PAGES)
        self._arrival = _remembered(partial(arrival, sources), REMEMBERED_PAGES)
        self._device = _remembered(devices.device, REMEMBERED_DEVICES)
        self._place = _remembered(places.place, REMEMBERED_PLACES)

    def enrich(self, sent: SentEvent, sending: Sending) -> EnrichedEvent:
        """Add what the server knows to what was sent.

        A server's request says nothing of the visitor's page, browser or place:
        it comes from the customer's own machine.
        """
        is_browser = sending.sent_by == "browser"
        return EnrichedEvent(
            project_id=sending.project_id,
            id=sent.id,
            name=stored_name(sent.name, sending.sent_by),
            sent_by=sending.sent_by,
            occurred_at=sent.occurred_at or sending.received_at,
            received_at=sending.received_at,
            anonymous_id=sent.anonymous_id,
            user_id=sent.user_id,
            session_id=sent.session_id,
            screen_width=sent.screen_width,
            screen_height=sent.screen_height,
            language=sent.language,
            platform=sent.platform,
            page=self._page(sent.url) if is_browser else NO_PAGE,
            arrival=self._arrival(sent.referrer, sent.url)
            if is_browser
            else NO_ARRIVAL,
            device=self._device(sending.user_agent, sent.platform)
            if is_browser
            else NO_DEVICE,
            place=self._place(sending.address) if is_browser else NO_PLACE,
            properties=sent.properties,
            bug=bug(sent.error) if sent.error else NO_BUG,
        )


def arrival(sources: Sources, referrer: str, url: str) -> Arrival:
    """Fill the columns that say where a visit to `url` came from."""
    referrer = referrer[:MAX_URL_CHARS]
    here = location(url[:MAX_URL_CHARS])
    host = referrer_host(referrer, here.host if here else "")
    return Arrival(
        referrer=referrer,
        referrer_host=host,
        channel=channel(sources, here.values() if here else {}, host),
    )


def _remembered(work_out: Callable[..., Found], entries: int) -> Callable[..., Found]:
    look_up = lru_cache(entries)(work_out)

    def remembered(*texts: str) -> Found:
        is_short = sum(map(len, texts)) <= LONGEST_REMEMBERED_CHARS
        return (look_up if is_short else work_out)(*texts)

    return remembered
