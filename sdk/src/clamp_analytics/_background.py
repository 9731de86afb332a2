"""How background delivery is asked for, and what it has done. Values only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

Path = Union[str, "os.PathLike[str]"]

# 100,000 events of five properties take 20 MB; an outage of minutes fits.
MAX_EVENTS = 100_000
MAX_BYTES = 64 * 1024 * 1024
OUTBOX_MAX_BYTES = 256 * 1024 * 1024
# Long enough that a burst becomes one batch, short enough to watch events arrive.
LINGER_S = 0.1
EXIT_TIMEOUT_S = 5.0
# A socket's wait may be a day, and nobody waits longer at an exit either.
MAX_TIME_S = 86_400.0


@dataclass(frozen=True)
class BackgroundDelivery:
    """How events are delivered behind the caller's back.

    Attributes:
        max_events: So many may wait in memory; `track()` returns False beyond.
        max_bytes: The same in bytes; an event waits in about as many as its JSON has.
        linger_s: How long the first event of a batch waits for others, in seconds.
        exit_timeout: How long the end of the process may wait for what is left, in
            seconds; 2 when the server gives no answer at all.
        outbox: A directory that keeps events until the server has them, also
            through a `kill -9`. Then `max_events` and `max_bytes` say nothing.
        outbox_max_bytes: What this process may keep there.

    Raises:
        ValueError: Names the one that is out of range.
    """

    max_events: int = MAX_EVENTS
    max_bytes: int = MAX_BYTES
    linger_s: float = LINGER_S
    exit_timeout: float = EXIT_TIMEOUT_S
    outbox: Path | None = None
    outbox_max_bytes: int = OUTBOX_MAX_BYTES

    def __post_init__(self) -> None:
        for name in ("max_events", "max_bytes", "outbox_max_bytes"):
            _check(name, getattr(self, name), int, 1, None)
        for name in ("linger_s", "exit_timeout"):
            _check(name, getattr(self, name), (int, float), 0, MAX_TIME_S)
        if self.outbox is not None and not isinstance(self.outbox, (str, os.PathLike)):
            kind = type(self.outbox).__name__
            raise ValueError(f"outbox must be the path of a directory, not {kind}")


@dataclass(frozen=True)
class Stats:
    """What became of the events of one client, in this process.

    Attributes:
        sent: The server has them.
        waiting: Still to be delivered; with an outbox also those that processes
            before this one left there and that it has taken over.
        dropped: How many are lost, by reason.
    """

    sent: int
    waiting: int
    dropped: Mapping[str, int]


def _check(name: str, value: Any, kind: Any, least: float, most: float | None) -> None:
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not (is_number and least <= value and (most is None or value <= most)):
        allowed = f"{least} or more" if most is None else f"{least} to {most:.0f}"
        raise ValueError(f"{name} must be a number, {allowed}, not {value!r}")
