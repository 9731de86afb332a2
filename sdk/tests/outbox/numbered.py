"""Events with a number: how tests put them into an outbox, and find them there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from clamp_analytics._outbox import Outbox
from clamp_analytics.errors import ClampError

MANY = 1_000_000
NOON = 1_773_144_000.0
# So much more than the event does its line take.
OVERHEAD = 24
# Called with the id of a project and the most bytes that may wait, or without.
OpenOutbox = Callable[..., Outbox]


class Dropped:
    """What an outbox has reported: reason, error, events."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, str, list[bytes]]] = []

    def __call__(self, reason: str, why: Exception, events: Sequence[bytes]) -> None:
        assert isinstance(why, ClampError)
        self.reports.append((reason, str(why), list(events)))


class Clock:
    def __init__(self) -> None:
        self.now_s = NOON

    def __call__(self) -> float:
        self.now_s += 0.01
        return self.now_s


def event(number: int, padding: str = "") -> bytes:
    return f'{{"id":"{number:032x}","name":"signup{padding}"}}'.encode()


def fill(outbox: Outbox, numbers: Sequence[int], padding: str = "") -> None:
    for number in numbers:
        outbox.put(event(number, padding))


def leave(open_outbox: OpenOutbox, *groups: Sequence[int]) -> None:
    """As processes do that ran at the same time and ended with events waiting."""
    outboxes = [open_outbox() for _ in groups]
    for outbox, numbers in zip(outboxes, groups):
        fill(outbox, numbers)
    for outbox in outboxes:
        outbox.close()


def numbers_of(events: Sequence[bytes]) -> list[int]:
    return [int(json.loads(each)["id"], 16) for each in events]


def drain(outbox: Outbox) -> list[int]:
    """The numbers of all that waits, in order."""
    found = []
    while taken := outbox.take(1_000, MANY):
        found += numbers_of(taken)
        outbox.settle()
    return found


def files(path: Path) -> list[Path]:
    return sorted(path.iterdir())
