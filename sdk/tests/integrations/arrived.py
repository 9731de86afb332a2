"""What arrived at a sink: single events and batches alike, as the same values."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event
from typing import Any

from tests.sink import Received, Sink

LONGEST_WAIT_S = 60.0
LOOK_S = 0.02
# These differ from run to run.
CHANGING = ("error.stack", "task.id")


@dataclass(frozen=True)
class Arrived:
    """An event, without what differs from run to run."""

    name: str
    anonymous_id: str | None
    user_id: str | None
    properties: dict[str, Any]


def arrived(sink: Sink) -> list[Arrived]:
    """Every event so far, in the order they came."""
    return [_event(raw) for request in list(sink.requests) for raw in _raw(request)]


def wait_for(sink: Sink, count: int) -> None:
    """Wait until so many events came."""
    deadline_s = time.monotonic() + LONGEST_WAIT_S
    while len(arrived(sink)) < count:
        assert time.monotonic() < deadline_s, arrived(sink)
        Event().wait(LOOK_S)


def _raw(request: Received) -> list[dict[str, Any]]:
    body = request.body
    events: list[dict[str, Any]] = body.get("events", [body])
    return events


def _event(raw: dict[str, Any]) -> Arrived:
    properties = raw.get("properties", {})
    kept = {key: properties[key] for key in properties if key not in CHANGING}
    return Arrived(raw["name"], raw.get("anonymousId"), raw.get("userId"), kept)
