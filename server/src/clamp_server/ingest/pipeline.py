"""From an opened body to stored events: decode, enrich, commit."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

from clamp_server.errors import InvalidRequestError
from clamp_server.ingest.buffer import Buffer
from clamp_server.ingest.counts import Outcome, Rejection
from clamp_server.ingest.decode import SentBody, decode_event
from clamp_server.ingest.drop_reason import DropReason
from clamp_server.model.event import EnrichedEvent, Sending, SentEvent

# A batch of 1,000 takes some 20 ms; others' single events do not wait for it.
EVENTS_A_TURN = 100


class Enrich(Protocol):
    """What adds the server's columns to an event."""

    def enrich(self, sent: SentEvent, sending: Sending) -> EnrichedEvent:
        """Return the event as it is stored."""
        ...


class Pipeline:
    """The way of every event that was let in."""

    def __init__(self, enricher: Enrich, buffer: Buffer) -> None:
        self._enricher = enricher
        self._buffer = buffer

    async def take(
        self, body: SentBody, sending: Sending, event_id: str | None = None
    ) -> Outcome:
        """Store what is usable of a body; return when it is on disk.

        Args:
            event_id: Idempotency id of the body's one event; None reads the
                events' own.

        Raises:
            StoreUnavailableError: Nothing of the body was stored.
        """
        self._buffer.reserve(len(body.events), body.size_bytes)
        try:
            usable, rejected = await self._usable(body, sending, event_id)
            stored = await self._buffer.put(usable) if usable else []
        finally:
            self._buffer.release(len(body.events), body.size_bytes)
        accepted = sum(stored)
        return Outcome(accepted, len(stored) - accepted, tuple(rejected))

    async def _usable(
        self, body: SentBody, sending: Sending, event_id: str | None
    ) -> tuple[list[EnrichedEvent], list[Rejection]]:
        usable: list[EnrichedEvent] = []
        rejected: list[Rejection] = []
        for index, sent in enumerate(body.events):
            if index and index % EVENTS_A_TURN == 0:
                await asyncio.sleep(0)
            try:
                event = decode_event(sent, sending, event_id)
            except InvalidRequestError as error:
                reason = cast(DropReason, error.code)
                rejected.append(Rejection(index, reason, error.message))
            else:
                usable.append(self._enricher.enrich(event, sending))
        return usable, rejected
