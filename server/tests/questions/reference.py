"""The questions once more, in plain Python over plain events.

Written from the contract's words and slow on purpose: nothing in here knows SQL
or shares a line with what it checks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import md5
from typing import Any, TypeAlias

from tests.make import NOON, TODAY

from clamp_server.model.event import EnrichedEvent

Events: TypeAlias = Sequence[EnrichedEvent]
Query: TypeAlias = Mapping[str, str]
ValueOf: TypeAlias = Callable[[EnrichedEvent, str, Events], str]

DAY = timedelta(days=1)
AFTER_NOW = NOON + timedelta(milliseconds=1)
# Worked out by hand, for a project in UTC that is asked at noon.
PERIODS: dict[str, tuple[datetime, datetime]] = {
    "today": (TODAY, AFTER_NOW),
    "yesterday": (TODAY - DAY, TODAY),
    "2d": (TODAY - DAY, AFTER_NOW),
    "2026-03-08:2026-03-09": (TODAY - 2 * DAY, TODAY),
}
FILTERED: dict[str, Callable[[EnrichedEvent], str]] = {
    "pathname": lambda event: event.page.pathname,
    "referrer_host": lambda event: event.arrival.referrer_host,
    "channel": lambda event: event.arrival.channel,
    "country": lambda event: event.place.country,
    "city": lambda event: event.place.city,
    "utm_source": lambda event: event.page.utm_source,
    "device_type": lambda event: event.device.device_type,
}
DECIMALS = {"USD": 2, "JPY": 0, "KWD": 3}


def value(event: EnrichedEvent, dimension: str, events: Events) -> str:
    """Return an event's own value, or for a server event its session's."""
    own = FILTERED[dimension](event)
    if own or event.sent_by != "server":
        return own
    return value_of_session(session_of(event, events), dimension)


def value_of_session(session: Events, dimension: str) -> str:
    """Return what the first page view says, or without one the first event."""
    views = [e for e in session if e.name == "$pageview"] or session
    return FILTERED[dimension](min(views, key=place)) if views else ""


def place(event: EnrichedEvent) -> tuple[datetime, int]:
    """Return what events of a session are put in order by."""
    page, device = event.page, event.device
    values = (
        page.pathname,
        event.arrival.referrer_host,
        event.arrival.channel,
        event.place.country,
        event.place.region,
        event.place.city,
        device.device_type,
        device.browser,
        device.browser_version,
        device.os,
        device.os_version,
        page.utm_source,
        page.utm_medium,
        page.utm_campaign,
        page.utm_content,
        page.utm_term,
    )
    return event.occurred_at, id_key("\x1f".join(values)) % 2**20


def paying_value(event: EnrichedEvent, dimension: str, events: Events) -> str:
    """Return the same for a payment: a user's is of any session of the user's."""
    found = value(event, dimension, events)
    if found or event.sent_by != "server" or event.anonymous_id or not event.user_id:
        return found
    session = session_among(event, linked_to(event.user_id, events), events)
    return value_of_session(session, dimension)


def linked_to(user_id: str, events: Events) -> set[str]:
    return {e.anonymous_id for e in events if e.user_id == user_id} - {""}


def session_of(event: EnrichedEvent, events: Events) -> list[EnrichedEvent]:
    """Return what happened in the browser session of a server event."""
    return session_among(event, {event.anonymous_id} - {""}, events)


def session_among(
    event: EnrichedEvent, people: set[str], events: Events
) -> list[EnrichedEvent]:
    """Return the session of any of these visitors that an event belongs to."""
    sessions = by_session([e for e in events if e.anonymous_id in people])
    name, _ = session_at(event.occurred_at, sessions)
    return sessions.get(name, [])


def by_session(events: Events) -> dict[str, list[EnrichedEvent]]:
    """Return what browsers sent, by session."""
    return {
        name: [e for e in events if e.session_id == name]
        for name in {e.session_id for e in events} - {""}
    }


def session_at(at: datetime, sessions: Mapping[str, Events]) -> tuple[str, bool]:
    """Return a visitor's session at an instant, and whether the instant is in it."""
    start = {name: min(e.occurred_at for e in sessions[name]) for name in sessions}
    end = {name: max(e.occurred_at for e in sessions[name]) for name in sessions}
    begun = [name for name in sessions if start[name] <= at]
    newest = max(begun, key=lambda s: (start[s], id_key(s) % 2**20), default="")
    longest = max(begun, key=lambda s: (end[s], id_key(s) % 2**20), default="")
    for name in (newest, longest):
        if name and at - end[name] <= timedelta(minutes=30):
            return name, True
    soon = [s for s in sessions if at < start[s] <= at + timedelta(seconds=60)]
    if soon:
        return min(soon, key=lambda s: (start[s], id_key(s) % 2**20)), True
    return longest, False


def id_key(name: str) -> int:
    """Return what sessions and visitors are put in order by where nothing else does."""
    return int.from_bytes(md5(name.encode()).digest()[8:], "little") if name else 0


def within(
    events: Events,
    query: Query,
    before: bool = False,
    value: ValueOf = value,
) -> list[EnrichedEvent]:
    """Return the events of the period, or of the one before, that pass filters."""
    start, end = PERIODS[query["period"]]
    if before:
        start, end = start - (end - start), start
    return [
        event
        for event in events
        if start <= event.occurred_at < end
        and all(
            value(event, name, events) == query[name]
            for name in FILTERED
            if name in query
        )
    ]


def visitors(events: Iterable[EnrichedEvent]) -> int:
    return len({event.anonymous_id for event in events} - {""})


def property_text(event: EnrichedEvent, key: str, kind: str) -> str | None:
    """Return a property of one type as an answer writes it, None without it."""
    if kind == "number":
        number = event.properties.numbers.get(key)
        if number is None:
            return None
        return str(int(number)) if number == int(number) else repr(number)
    if kind == "boolean":
        flag = event.properties.booleans.get(key)
        return None if flag is None else str(flag).lower()
    return event.properties.strings.get(key)


def events_list(events: Events, query: Query) -> list[dict[str, Any]]:
    """Answer `events.list`."""
    now = [e for e in within(events, query) if is_asked_for(e, query)]
    if "group_by" in query:
        return grouped_events(now, query)
    if "name" in query:
        return [{"name": query["name"], "count": len(now)}] if now else []
    before = [e for e in within(events, query, before=True) if is_asked_for(e, query)]
    compares = query.get("compare") == "true"
    found: list[dict[str, Any]] = []
    for name in {e.name for e in (now + before if compares else now)}:
        these = [e for e in now if e.name == name]
        row = {"name": name, "count": len(these), "visitors": visitors(these)}
        if compares:
            those = [e for e in before if e.name == name]
            row |= {"prev_count": len(those), "prev_visitors": visitors(those)}
        found.append(row)
    return sorted(found, key=lambda row: (-row["count"], row["name"]))[: limit(query)]


def is_asked_for(event: EnrichedEvent, query: Query) -> bool:
    if "name" in query:
        if event.name != query["name"]:
            return False
    elif event.name.startswith("$"):
        return False
    if "property" not in query:
        return True
    kind = query.get("value_type", "string")
    return property_text(event, query["property"], kind) == query["value"]


def grouped_events(events: Events, query: Query) -> list[dict[str, Any]]:
    kind = query.get("group_by_type", "string")
    values = [(e.name, property_text(e, query["group_by"], kind)) for e in events]
    counts = Counter((name, value) for name, value in values if value is not None)
    rows = [
        {"name": name, "count": count, "group_value": value}
        for (name, value), count in counts.items()
    ]

    def place(row: dict[str, Any]) -> Any:
        value = row["group_value"]
        in_order = float(value) if kind == "number" else value
        return -row["count"], row["name"], in_order

    return sorted(rows, key=place)[: limit(query)]


def observed_schema(events: Events, query: Query) -> dict[str, Any]:
    """Answer `events.observed_schema`."""
    adds_system = query.get("include_pageviews") == "true"
    counts: Counter[str] = Counter()
    types: dict[str, dict[str, Counter[str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    for event in within(events, {"period": query["period"]}):
        if event.name.startswith("$") and not adds_system:
            continue
        counts[event.name] += 1
        for key, kind in typed_keys(event):
            types[event.name][key][kind] += 1
    return {
        "period": query["period"],
        "events": [
            {
                "name": name,
                "count": counts[name],
                "properties": {
                    key: [
                        {"type": kind, "occurrences": count}
                        for kind, count in sorted(
                            kinds.items(), key=lambda item: (-item[1], item[0])
                        )
                    ]
                    for key, kinds in types[name].items()
                },
            }
            for name in sorted(counts, key=lambda name: (-counts[name], name))
        ],
    }


def typed_keys(event: EnrichedEvent) -> list[tuple[str, str]]:
    found = event.properties
    return [
        *((key, "string") for key in found.strings),
        *((key, "number") for key in found.numbers),
        *((key, "boolean") for key in found.booleans),
        *((key, "money") for key in found.money),
    ]


def revenue_list(events: Events, query: Query) -> list[dict[str, Any]]:
    """Answer `revenue.list`."""
    payers: dict[tuple[str, str], list[EnrichedEvent]] = defaultdict(list)
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for event in within(events, query, value=paying_value):
        if query.get("event", event.name) != event.name or not is_paying(event):
            continue
        for key, money in event.properties.money.items():
            if query.get("property", key) != key:
                continue
            if not has_first_touch(event, query, events):
                continue
            group = group_of(event, query, events)
            place = (group, money.currency)
            refund = event.name == "$refund_issued"
            sums[place] += -abs(money.amount) if refund else money.amount
            # By identity: two events may well be equal in everything.
            if all(event is not payer for payer in payers[place]):
                payers[place].append(event)
    rows = []
    for place in sorted(sums, key=lambda p: (-sums[p], p[1], p[0])):
        group, currency = place
        row = {
            "currency": currency,
            "amount": shown(sums[place], currency),
            "events": len(payers[place]),
            "visitors": visitors(payers[place]),
        }
        rows.append(row | ({"group_value": group} if "group_by" in query else {}))
    return rows[: limit(query)]


def is_paying(event: EnrichedEvent) -> bool:
    # What ends or pauses says what will not be paid.
    return event.name not in ("$subscription_canceled", "$subscription_paused")


def group_of(event: EnrichedEvent, query: Query, events: Events) -> str:
    group_by = query.get("group_by", "")
    if group_by == "plan":
        return event.properties.strings.get("plan", "")
    if group_by == "product":
        return event.properties.strings.get("product", "") or event.name
    if query.get("attribution_model") == "first_touch":
        return value_of_session(first_session_of(event, events), group_by)
    return paying_value(event, group_by, events) if group_by else ""


def has_first_touch(event: EnrichedEvent, query: Query, events: Events) -> bool:
    if "first_touch_dim" not in query:
        return True
    first = first_session_of(event, events)
    return (
        value_of_session(first, query["first_touch_dim"])
        == (query["first_touch_value"])
    )


def first_session_of(event: EnrichedEvent, events: Events) -> list[EnrichedEvent]:
    """Return the first session of an event's user on any device, or visitor."""
    linked = [e for e in events if e.anonymous_id and e.user_id]
    theirs = [e for e in linked if e.anonymous_id == event.anonymous_id]
    last_user = max(((e.occurred_at, e.user_id) for e in theirs), default=(None, ""))
    user = event.user_id or last_user[1]
    people = linked_to(user, events) if user else {event.anonymous_id} - {""}
    sessions: dict[tuple[str, str], list[EnrichedEvent]] = defaultdict(list)
    for e in events:
        if e.session_id and e.anonymous_id in people:
            sessions[e.session_id, e.anonymous_id].append(e)
    started = {
        name: min(e.occurred_at for e in session) for name, session in sessions.items()
    }
    first = min(
        started,
        key=lambda s: (started[s], id_key(s[0]) % 2**20, id_key(s[1])),
        default=None,
    )
    if first is None or started[first] - event.occurred_at > timedelta(seconds=60):
        return []
    return sessions[first]


def shown(amount: Decimal, currency: str) -> str:
    step = Decimal(10) ** -DECIMALS[currency]
    text = str(amount.quantize(step, ROUND_HALF_UP))
    return text.removeprefix("-") if not Decimal(text) else text


def limit(query: Query) -> int:
    return int(query.get("limit", "10"))
