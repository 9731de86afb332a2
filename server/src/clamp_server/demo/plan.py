"""All that happens at the shop in some days: drawn first, then sent.

A plan is a stream in the order of time, an hour at a time in memory, however many
events it has. The same arguments make the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from clamp_server.demo.crowd import Crowd
from clamp_server.demo.happening import Happening
from clamp_server.demo.rhythm import HOUR, hours


def plan(until: datetime, *, days: int, events: int, seed: int) -> Iterator[Happening]:
    """Draw what happens in the `days` before `until`, in exactly so many events.

    Args:
        until: Aware, in UTC.
    """
    crowd = Crowd(until - timedelta(days=days), until, seed)
    planned = 0
    for hour in hours(until, days):
        end = hour.start + HOUR
        due = crowd.begin_hour(end)
        found: list[Happening] = [*due[: events - planned]]
        planned += len(found)
        while planned < round(hour.share * events):
            visit = crowd.visit(hour.start, end).until(until).first(events - planned)
            planned += visit.events
            found.append(visit)
        yield from sorted(found, key=lambda happening: happening.at)
