"""Who gets events in the place of the server, while a test captures them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from clamp_analytics._wire import Event

Taker = Callable[[Event], object]

# Of the whole process, not of a thread or task: a test waits for the work that it
# starts, wherever that runs. One name, so that reading it needs no lock.
_taker: Taker | None = None


def taker() -> Taker | None:
    """Who gets every event just now; None when the server does."""
    return _taker


@contextmanager
def captured_by(take: Taker) -> Iterator[None]:
    """Give every event of a block to `take`; a block in it has its own."""
    global _taker
    before, _taker = _taker, take
    try:
        yield
    finally:
        _taker = before
