"""Who is in a cohort and who comes back, in plain Python over plain events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from tests.questions.reference_traffic import span

from clamp_server.model.cohort import CohortDefinition
from clamp_server.model.event import EnrichedEvent

Events = Sequence[EnrichedEvent]


def person(event: EnrichedEvent, events: Events) -> str:
    """Return an event's user, or its visitor's last one, or its visitor."""
    linked = [
        (e.occurred_at, e.user_id)
        for e in events
        if e.user_id and e.anonymous_id and e.anonymous_id == event.anonymous_id
    ]
    return event.user_id or max(linked, default=(None, event.anonymous_id))[1]


def anchors(
    events: Events, definition: CohortDefinition, zone: ZoneInfo
) -> dict[str, date]:
    """Return the day of each member's first cohort event."""
    start, end = span(definition.period, zone)
    found: dict[str, date] = {}
    for event in sorted(events, key=lambda e: e.occurred_at):
        wanted = definition.filter
        of = event.properties
        values = [
            kept[wanted.property]
            for kept in (of.strings, of.numbers, of.booleans)
            if wanted and wanted.property in kept
        ]
        holds = wanted is None or any(
            type(value) is type(wanted.value) and value == wanted.value
            for value in values
        )
        who = person(event, events)
        in_period = start <= event.occurred_at < end
        if who and in_period and holds and event.name == definition.event:
            found.setdefault(who, event.occurred_at.astimezone(zone).date())
    return found


def retained(
    events: Events, definition: CohortDefinition, zone: ZoneInfo, days: int
) -> int:
    """Return the members who did anything on that day after their anchor."""
    active = {
        (person(e, events), e.occurred_at.astimezone(zone).date())
        for e in events
        if e.name != "$pageview_end"
    }
    after = timedelta(days=days)
    members = anchors(events, definition, zone)
    return sum((who, day + after) in active for who, day in members.items())
