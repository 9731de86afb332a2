"""What the small applications of these tests have in common; they import it."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from clamp_analytics import BackgroundDelivery, Event, init, stats, track

# How many events `on_error` was given, by the error that came with them.
reported: Counter[str] = Counter()


def on_error(error: Exception, events: Sequence[Event]) -> None:
    reported[type(error).__name__] += len(events)


def start(endpoint: str, outbox: str = "", **options: Any) -> None:
    """Call `init()` for delivery in the background."""
    background = BackgroundDelivery(outbox=outbox or None, **options)
    init(
        "proj_test", "sk_proj_test", endpoint, background=background, on_error=on_error
    )


def track_many(who: str, events: int) -> int:
    """Track events with names that nobody else gives; how many were taken."""
    return sum(track(f"{who}_{number}") for number in range(events))


def tell(**more: Any) -> None:
    """Write down what became of the events so far, as one line."""
    line = {**more, **asdict(stats()), "reported": dict(reported)}
    # One write, for several processes may share the pipe.
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def trouble() -> threading.Event:
    """Return what is set once delivery has failed for now."""
    has_failed = threading.Event()

    class Waiting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "tried again" in record.getMessage():
                has_failed.set()

    logging.getLogger("clamp_analytics").addHandler(Waiting())
    return has_failed
