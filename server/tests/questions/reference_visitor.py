"""What one visitor did, and when errors happened, once more in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from tests.questions.reference import by_session, id_key, place, session_at
from tests.questions.reference_traffic import DAY, midnight, span

from clamp_server.model.event import EnrichedEvent

Events: TypeAlias = Sequence[EnrichedEvent]
Query: TypeAlias = Mapping[str, str]

ORIGIN: dict[str, Callable[[EnrichedEvent], str]] = {
    "channel": lambda event: event.arrival.channel,
    "referrer_host": lambda event: event.arrival.referrer_host,
    "utm_source": lambda event: event.page.utm_source,
    "utm_medium": lambda event: event.page.utm_medium,
    "utm_campaign": lambda event: event.page.utm_campaign,
    "country": lambda event: event.place.country,
    "device_type": lambda event: event.device.device_type,
}


def shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def property_values(events: Events, query: Query, zone: ZoneInfo) -> dict[str, Any]:
    start, end = span(query["period"], zone)
    counts = Counter(
        event.properties.strings[query["property"]]
        for event in events
        if start <= event.occurred_at < end
        and event.name == query["event"]
        and query["property"] in event.properties.strings
    )
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "event": query["event"],
        "property": query["property"],
        "period": query["period"],
        "values": [
            {"value": value, "count": count}
            for value, count in ranked[: int(query["limit"])]
        ],
    }


def visits_of(theirs: Events) -> dict[str, list[EnrichedEvent]]:
    """Return a visitor's events by session, those of servers in the one they are of."""
    browsed = by_session(theirs)
    found = {name: [*session] for name, session in browsed.items()}
    for event in theirs:
        if event.sent_by == "server":
            name, is_in_it = session_at(event.occurred_at, browsed)
            if is_in_it:
                found[name].append(event)
    return found


def journey(events: Events, query: Query, zone: ZoneInfo) -> dict[str, Any]:
    start, end = span(query["period"], zone)
    visits = visits_of(
        [
            event
            for event in events
            if event.anonymous_id == query["anonymous_id"]
            and start - DAY <= event.occurred_at < end + DAY
        ]
    )
    rows = [
        session_row(name, session)
        for name, session in visits.items()
        if any(e.session_id and start <= e.occurred_at < end for e in session)
    ]
    rows.sort(key=lambda row: (row["started_at"], row["session_id"]))
    return {
        "anonymous_id": query["anonymous_id"],
        "sessions": [
            {**row, "is_first_touch": row is rows[0]}
            for row in rows[: int(query["limit"])]
        ],
    }


def session_row(name: str, session: Events) -> dict[str, Any]:
    browsed = [e for e in session if e.session_id]
    views = [e for e in browsed if e.name == "$pageview"]
    first = min(views or browsed, key=place)
    custom = [e for e in session if not e.name.startswith("$")]
    names = {
        e.name: min(f.occurred_at for f in custom if f.name == e.name) for e in custom
    }
    return {
        "session_id": name,
        "started_at": shown(min(e.occurred_at for e in browsed)),
        "ended_at": shown(max(e.occurred_at for e in browsed)),
        "entry_page": first.page.pathname if views else "",
        "pageviews": len(views),
        "events": sorted(names, key=lambda name: (names[name], name)),
        **{dimension: get(first) for dimension, get in ORIGIN.items()},
    }


def timeline(events: Events, query: Query, zone: ZoneInfo) -> dict[str, Any]:
    start, end = span(query["period"], zone)
    # None of the periods that are asked about is longer than seven days.
    interval = query.get("interval", "hour")
    counts: Counter[datetime] = Counter()
    for event in events:
        is_asked_for = query.get("fingerprint") in (None, event.bug.fingerprint)
        if event.name == "$error" and is_asked_for and start <= event.occurred_at < end:
            hour = event.occurred_at.replace(minute=0, second=0, microsecond=0)
            day = midnight(event.occurred_at.astimezone(zone).date(), zone)
            counts[hour if interval == "hour" else day] += 1
    return {
        "period": query["period"],
        "interval": interval,
        "fingerprint": query.get("fingerprint"),
        "series": [{"bucket": shown(at), "count": counts[at]} for at in sorted(counts)],
    }


def context(events: Events, query: Query, zone: ZoneInfo) -> dict[str, Any]:
    before = datetime.fromisoformat(query["before_timestamp"])
    theirs = [
        event
        for event in events
        if event.anonymous_id == query["anonymous_id"] and event.occurred_at <= before
    ]
    *_, current = max(
        (
            (e.occurred_at, e.name == "$error", id_key(e.session_id), e.session_id)
            for e in theirs
            if e.session_id
        ),
        default=(before, False, 0, ""),
    )
    of_it = [e for e in visits_of(theirs).get(current, []) if e.occurred_at < before]
    of_it.sort(
        key=lambda e: (
            e.occurred_at,
            e.name,
            e.page.pathname,
            e.page.url,
            e.arrival.referrer,
        )
    )
    last = of_it[-int(query["limit"]) :]
    return {
        "anonymous_id": query["anonymous_id"],
        "before_timestamp": query["before_timestamp"],
        "count": len(last),
        "events": [event_row(event) for event in last],
    }


def event_row(event: EnrichedEvent) -> dict[str, str]:
    known = {
        "url": event.page.url,
        "pathname": event.page.pathname,
        "referrer": event.arrival.referrer,
    }
    return {
        "timestamp": shown(event.occurred_at),
        "name": event.name,
        **{name: text for name, text in known.items() if text},
    }
