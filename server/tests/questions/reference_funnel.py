"""How far visitors get in a funnel, in plain Python over plain events.

Every way to give the steps events of their own is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from tests.questions.reference import (
    PERIODS,
    by_session,
    id_key,
    session_at,
    value_of_session,
)

from clamp_server.model.event import EnrichedEvent

Events = Sequence[EnrichedEvent]
Holds = Callable[[EnrichedEvent], bool]
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

STEPS: Mapping[str, Holds] = {
    "signup": lambda e: e.name == "signup",
    "signup[plan=pro]": lambda e: (
        e.name == "signup" and e.properties.strings.get("plan") == "pro"
    ),
    "buy[plan:s=]": lambda e: (
        e.name == "buy" and e.properties.strings.get("plan") == ""
    ),
    "buy[items:n=0]": lambda e: (
        e.name == "buy" and e.properties.numbers.get("items") == 0
    ),
    "buy[gift:b=false]": lambda e: (
        e.name == "buy" and e.properties.booleans.get("gift") is False
    ),
    "buy": lambda e: e.name == "buy",
    "pageview:/": lambda e: e.name == "$pageview" and e.page.pathname == "/",
    "pageview:/ü/*": lambda e: (
        e.name == "$pageview" and e.page.pathname.startswith("/ü/")
    ),
    "pageview:/*": lambda e: e.name == "$pageview" and e.page.pathname.startswith("/"),
    "pageview:/*[utm_source=ad]": lambda e: (
        e.name == "$pageview"
        and e.page.pathname.startswith("/")
        and e.page.utm_source == "ad"
    ),
}


def counts(events: Events, steps: Sequence[str], query: Mapping[str, str]) -> list[int]:
    """Return the visitors who got to each step."""
    furthest: dict[str, int] = {}
    for visitor, session in sessions(events, query):
        depth = depth_of(session, steps, LONG_AGO)
        furthest[visitor] = max(furthest.get(visitor, 0), depth)
    depths = [depth for visitor, depth in furthest.items() if visitor]
    return [
        sum(depth >= number for depth in depths) for number in range(1, len(steps) + 1)
    ]


def depth_of(session: Events, steps: Sequence[str], since: datetime) -> int:
    """Return the most steps that can each have an event, in order."""
    if not steps:
        return 0
    ways = [
        1
        + depth_of(
            [other for other in session if other is not event],
            steps[1:],
            event.occurred_at,
        )
        for event in session
        if STEPS[steps[0]](event) and event.occurred_at >= since
    ]
    return max(ways, default=0)


def sessions(
    events: Events, query: Mapping[str, str]
) -> list[tuple[str, list[EnrichedEvent]]]:
    """Return the visitor and the events of every session that counts."""
    start, end = PERIODS[query["period"]]
    found = []
    for name in sorted({e.session_id for e in events} - {""}):
        own = [
            e for e in events if e.session_id == name and e.device.device_type != "bot"
        ]
        if not any(start <= e.occurred_at < end for e in own):
            continue
        if any(
            value_of_session(own, dimension) != query[dimension]
            for dimension in ("country", "channel")
            if dimension in query
        ):
            continue
        told = [e for e in events if e.sent_by == "server" and belongs(e, own, events)]
        found.append((max((e.anonymous_id for e in own), key=id_key), [*own, *told]))
    return found


def belongs(event: EnrichedEvent, own: Events, events: Events) -> bool:
    """Tell whether a server event is part of a session, and not only like it."""
    theirs = [e for e in events if e.anonymous_id == event.anonymous_id]
    name, is_in_it = session_at(event.occurred_at, by_session(theirs))
    return bool(event.anonymous_id) and is_in_it and name == own[0].session_id
