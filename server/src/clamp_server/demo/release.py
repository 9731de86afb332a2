"""The shop's releases, and the bugs that came with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from clamp_server.demo.happening import BugName


@dataclass(frozen=True, slots=True)
class Bug:
    """What goes wrong on one page.

    Attributes:
        share: Of those who open the page, from 0.0 to 1.0.
        releases: Those that have it.
    """

    name: BugName
    path: str
    share: float
    releases: tuple[str, ...]


# Each with how much of the plan's time is over when it is released.
_RELEASES = (("2.3.0", 0.0), ("2.4.0", 0.4), ("2.5.0", 0.75))
BUGS = (
    # No bug of a release: some cards are declined, always.
    Bug("declined", "/checkout", 0.22, ("2.3.0", "2.4.0", "2.5.0")),
    Bug("postcode", "/cart", 0.45, ("2.4.0",)),
    Bug("reading_time", "/journal/grind", 0.6, ("2.5.0",)),
)


def release(start: datetime, until: datetime, at: datetime) -> str:
    """Return the release that runs at `at`, in a plan from `start` to `until`."""
    over = (at - start) / (until - start)
    return [name for name, since in _RELEASES if since <= over][-1]


def bugs(path: str, running: str) -> Iterator[Bug]:
    """Return the bugs of a page in a release."""
    return (bug for bug in BUGS if bug.path == path and running in bug.releases)
