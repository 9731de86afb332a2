"""A delivery with all that it is given, and what it tells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from tests.recorder import Recorder, Reply

from clamp_analytics import BackgroundDelivery, ClampConnectionError, Event
from clamp_analytics._delivery import Delivery
from clamp_analytics._memory_queue import MemoryQueue
from clamp_analytics._queue import Queue
from clamp_analytics._report import Reporter
from clamp_analytics._waiting import encode_unstamped

SILENT = ClampConnectionError("no answer")
# Longer than any test: what does not wait for it is done at once.
FOR_EVER_S = 3600.0


class Rig:
    """Made of the real parts, but for the transport."""

    def __init__(
        self, *replies: Reply, queue: Queue | None = None, **options: Any
    ) -> None:
        self.options = BackgroundDelivery(**{"linger_s": 0, **options})
        self.transport = Recorder(*replies)
        self.told: list[tuple[str, list[str]]] = []
        self.reporter = Reporter(self.on_error)
        self.delivery = Delivery(
            "proj_x",
            self.transport,
            queue or MemoryQueue(self.options.max_events, self.options.max_bytes),
            self.options,
            self.reporter,
        )

    def on_error(self, error: Exception, lost: Sequence[Event]) -> None:
        self.told.append((str(error), [event.name for event in lost]))

    def put(self, *names: str) -> list[bool]:
        return [self.delivery.put(waiting(name)) for name in names]

    @property
    def batches(self) -> list[list[str]]:
        return [post.names for post in self.transport.posts]


def waiting(name: str) -> bytes:
    return encode_unstamped(name, {}, None, None)


def delivery_threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name == "clamp-delivery"}


Start = Callable[..., Rig]
NewThreads = Callable[[], set[threading.Thread]]
