"""The time line: quarters of an hour added up to bars, in the project's zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from clamp_server.questions.figures import QuarterHour

# Of a bar's slot, the share that stays empty on each side.
GAP = 0.14
# A single error beside thousands of events would be thinner than a pixel.
LEAST_HEIGHT = 0.015

_TITLES = {1: "Each hour", 3: "Every 3 hours", 24: "Each day"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar, in shares of the chart's width and height.

    Attributes:
        errors_height: The part of `height` that is errors; it stands at the foot.
        words: What a person reads when pointing at it.
    """

    x: float
    width: float
    height: float
    errors_height: float
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A word below the chart, at a share of its width."""

    x: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A time line, ready to be drawn.

    Attributes:
        title: What a bar is.
        top: The value at the upper edge, a round number.
        words: What a screen reader says in place of the picture.
    """

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    title: str
    top: int
    words: str


@dataclass(frozen=True, slots=True)
class _Slot:
    start: datetime
    end: datetime
    events: int = 0
    errors: int = 0


def chart(
    quarters: Sequence[QuarterHour], days: Sequence[date], zone: ZoneInfo
) -> Chart:
    """Draw the events of `days`, which follow each other.

    A single day has a bar an hour, a week one every three hours, more have one
    a day: between 24 and 60 bars, so that a phone can show them.
    """
    step_h = 1 if len(days) <= 2 else 3 if len(days) <= 7 else 24
    slots = _filled(_slots(days, zone, step_h), quarters)
    top = round_top(max(slot.events for slot in slots))
    return Chart(
        bars=[
            _bar(slot, n / len(slots), 1 / len(slots), top, zone)
            for n, slot in enumerate(slots)
        ],
        ticks=_ticks(slots, zone),
        title=_TITLES[step_h],
        top=top,
        words=_summary(slots, zone),
    )


def round_top(largest: int) -> int:
    """Return the round number at or above `largest` that ends the axis.

    >>> [round_top(n) for n in (0, 3, 11, 26, 130, 501)]
    [4, 4, 20, 40, 200, 600]
    """
    # Each can be halved, because the axis has a line at its middle too.
    steps = (1, 2, 4, 6, 8)
    power = 1
    while True:
        for step in steps:
            if step * power >= max(largest, 4):
                return step * power
        power *= 10


def _slots(days: Sequence[date], zone: ZoneInfo, step_h: int) -> list[_Slot]:
    slots: list[_Slot] = []
    for day in days:
        start, midnight = _midnight(day, zone), _midnight(day + timedelta(1), zone)
        # A day has 23 or 25 hours where the clocks change, and the last slot
        # gives or takes what is over.
        while start < midnight:
            end = midnight if step_h == 24 else start + timedelta(hours=step_h)
            slots.append(_Slot(start, min(end, midnight)))
            start = end
    return slots


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _filled(slots: Sequence[_Slot], quarters: Sequence[QuarterHour]) -> list[_Slot]:
    starts = [slot.start for slot in slots]
    events, errors = [0] * len(slots), [0] * len(slots)
    for quarter in quarters:
        n = bisect_right(starts, quarter.start) - 1
        if n >= 0 and quarter.start < slots[n].end:
            events[n] += quarter.events
            errors[n] += quarter.errors
    return [
        _Slot(slot.start, slot.end, events[n], errors[n])
        for n, slot in enumerate(slots)
    ]


def _bar(slot: _Slot, x: float, width: float, top: int, zone: ZoneInfo) -> Bar:
    return Bar(
        x=x + GAP * width,
        width=width * (1 - 2 * GAP),
        height=_height(slot.events, top),
        errors_height=_height(slot.errors, top),
        words=f"{_when(slot, zone)}: {_amount(slot)}",
    )


def _height(count: int, top: int) -> float:
    return max(count / top, LEAST_HEIGHT) if count else 0.0


def _ticks(slots: Sequence[_Slot], zone: ZoneInfo) -> list[Tick]:
    starts = [slot.start.astimezone(zone) for slot in slots]
    days = sorted({start.date() for start in starts})
    ticks: list[Tick] = []
    for n, start in enumerate(starts):
        if len(days) <= 2:
            words = f"{start:%H:%M}" if start.hour % 6 == 0 else ""
        elif start.hour != 0:
            words = ""
        elif len(days) <= 7:
            words = f"{start:%a}"
        else:
            words = f"{start:%b} {start.day}" if n % 7 == len(days) % 7 else ""
        if words:
            ticks.append(Tick(n / len(slots), words))
    return ticks


def _when(slot: _Slot, zone: ZoneInfo) -> str:
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
    day = f"{start:%a %b} {start.day}"
    if slot.end - slot.start > timedelta(hours=22):
        return day
    return f"{day}, {start:%H:%M} to {end:%H:%M}"


def _amount(slot: _Slot) -> str:
    words = f"{slot.events:,} {'event' if slot.events == 1 else 'events'}"
    if slot.errors:
        words += f", {slot.errors:,} {'error' if slot.errors == 1 else 'errors'}"
    return words


def _summary(slots: Sequence[_Slot], zone: ZoneInfo) -> str:
    busiest = max(slots, key=lambda slot: slot.events)
    if not busiest.events:
        return "No events in this time."
    return f"Events over time. The most: {_when(busiest, zone)}, {_amount(busiest)}."
