"""What became of every event, in numbers. Used on the event loop only.

Received = accepted + duplicates + rejected, at every instant: the four are
counted together when a request's fate is known, from different sources.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

import msgspec

from clamp_server.ingest.drop_reason import DropReason

# From a commit on a fast disk (a few milliseconds) to one that is in trouble.
COMMIT_BOUNDS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """One event of a request that is not stored.

    Attributes:
        index: Its place in the request, from 0.
    """

    index: int
    error: DropReason
    message: str


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a request's events; the three add up to what was sent."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejection, ...] = ()


@dataclass(slots=True)
class CommitTimes:
    """How long commits took, as a histogram.

    Attributes:
        counts: Commits up to each of `COMMIT_BOUNDS_S`, and beyond the last.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(COMMIT_BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one commit."""
        self.counts[bisect_left(COMMIT_BOUNDS_S, seconds)] += 1
        self.total_s += seconds


@dataclass(slots=True)
class Counts:
    """Events since the process started.

    A request that was refused before its events were counted is one event.
    """

    received: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    rejected: Counter[DropReason] = field(default_factory=Counter)
    commits: CommitTimes = field(default_factory=CommitTimes)

    def settle(self, endpoint: str, sent: int, outcome: Outcome) -> None:
        """Count a request of `sent` events that was answered for each of them."""
        self.received[endpoint] += sent
        self.accepted[endpoint] += outcome.accepted
        self.duplicates[endpoint] += outcome.duplicates
        for rejection in outcome.rejected:
            self.rejected[rejection.error] += 1

    def refuse(self, endpoint: str, sent: int, reason: DropReason) -> None:
        """Count a request of `sent` events that was refused whole."""
        self.received[endpoint] += sent
        self.rejected[reason] += sent
