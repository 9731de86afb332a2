"""The traffic questions once more, in plain Python over plain events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from tests.make import NOON
from tests.questions.reference import (
    FILTERED,
    id_key,
    limit,
    place,
    value,
    value_of_session,
    visitors,
)

from clamp_server.model.event import EnrichedEvent

Events: TypeAlias = Sequence[EnrichedEvent]
Query: TypeAlias = Mapping[str, str]
Span: TypeAlias = tuple[datetime, datetime]

DAY, QUARTER = timedelta(days=1), timedelta(minutes=15)
EPOCH = datetime.fromisoformat("1970-01-01T00:00Z")


def span(period: str, zone: ZoneInfo) -> Span:
    """Return a period's first instant and the first one after it."""
    today = NOON.astimezone(zone).date()
    if ":" in period:
        first, last = map(date.fromisoformat, period.split(":"))
        return midnight(first, zone), midnight(last + DAY, zone)
    if period == "yesterday":
        return midnight(today - DAY, zone), midnight(today, zone)
    days = 1 if period == "today" else int(period[:-1])
    return midnight(today - (days - 1) * DAY, zone), NOON + timedelta(milliseconds=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


@dataclass(frozen=True)
class Session:
    """One session, whole."""

    events: list[EnrichedEvent]

    @property
    def views(self) -> list[EnrichedEvent]:
        return [e for e in self.events if e.name == "$pageview"]

    @property
    def seconds(self) -> Fraction:
        at = [event.occurred_at for event in self.events]
        engaged = sum(
            digits(event.properties.strings.get("engagement_seconds")) or 0
            for event in self.events
            if event.name == "$pageview_end"
        )
        lasted = (max(at) - min(at)) // timedelta(milliseconds=1)
        return max(Fraction(lasted, 1000), Fraction(engaged))

    @property
    def entry_page(self) -> str:
        return min(self.views, key=place).page.pathname if self.views else ""

    @property
    def exit_page(self) -> str:
        return max(self.views, key=place).page.pathname if self.views else ""


def digits(text: str | None) -> int | None:
    if text is None or not 1 <= len(text) <= 9 or set(text) - set("0123456789"):
        return None
    return int(text)


def happened(
    events: Events, query: Query, within: Span, covering: Span | None = None
) -> list[EnrichedEvent]:
    """Return the events of a period that every filter holds for, without bots.

    A visitor is seen as a bot up to a day away from all that is asked about.
    """
    start, end = within
    bots = bot_visitors(events, covering or within)
    filters = [name for name in FILTERED if name in query]
    return [
        event
        for event in events
        if start <= event.occurred_at < end
        and all(value(event, name, events) == query[name] for name in filters)
        and ("device_type" in filters or not is_of_bots(event, bots))
    ]


def bot_visitors(events: Events, within: Span) -> set[str]:
    start, end = within
    return {
        event.anonymous_id
        for event in events
        if start - DAY <= event.occurred_at < end + DAY
        and event.device.device_type == "bot"
    } - {""}


def is_of_bots(event: EnrichedEvent, bots: set[str]) -> bool:
    is_served = event.sent_by == "server" and event.anonymous_id in bots
    return is_served or event.device.device_type == "bot"


def sessions(
    events: Events, query: Query, within: Span, covering: Span | None = None
) -> list[Session]:
    """Return the sessions of a period, each as the whole that it is.

    What is in no quarter of an hour within a day of what is asked about does not
    count.
    """
    start, end = within
    least, most = covering or within
    nearest = least - DAY - (least - EPOCH) % QUARTER
    farthest = most + DAY + (EPOCH - most) % QUARTER
    found: dict[str, list[EnrichedEvent]] = defaultdict(list)
    for event in events:
        is_near = nearest <= event.occurred_at < farthest
        is_bot = event.device.device_type == "bot" and "device_type" not in query
        if event.session_id and is_near and not is_bot:
            found[event.session_id].append(event)
    return [
        Session(session)
        for session in found.values()
        if any(start <= event.occurred_at < end for event in session)
        and all(
            value_of_session(session, name) == query[name]
            for name in FILTERED
            if name in query
        )
    ]


def rounded(number: Fraction, decimals: int) -> float:
    """Round half away from 0."""
    scaled = abs(number) * 10**decimals
    whole = int(scaled) + (scaled - int(scaled) >= Fraction(1, 2))
    return float(Fraction(whole if number >= 0 else -whole, 10**decimals))


def percent(part: int, whole: int) -> float:
    return rounded(Fraction(100 * part, whole), 1) if whole else 0.0


def figure(metric: str, seen: Events, visits: Sequence[Session]) -> float:
    if metric == "pageviews":
        return sum(e.name == "$pageview" for e in seen)
    if metric == "visitors":
        return visitors([*seen])
    if metric == "sessions":
        return len(visits)
    if metric == "bounce_rate":
        return percent(sum(len(v.views) == 1 for v in visits), len(visits))
    assert metric == "avg_duration"
    lasted = sum((visit.seconds for visit in visits), Fraction(0))
    return rounded(lasted / len(visits), 0) if visits else 0


def figures(
    events: Events, query: Query, within: Span, covering: Span
) -> dict[str, float]:
    seen = happened(events, query, within, covering)
    visits = sessions(events, query, within, covering)
    return {
        metric: figure(metric, seen, visits)
        for metric in (
            "pageviews",
            "visitors",
            "sessions",
            "bounce_rate",
            "avg_duration",
        )
    }


def change(now: float, before: float) -> str:
    if not before:
        return "New" if now else "0%"
    old = Fraction(str(before))
    share = rounded(100 * (Fraction(str(now)) - old) / old, 1)
    return f"{share:+.1f}%" if share else "0%"


def overview(events: Events, query: Query, zone: ZoneInfo) -> dict[str, Any]:
    start, end = span(query["period"], zone)
    previous = start - (end - start)
    now = figures(events, query, (start, end), (previous, end))
    before = figures(events, query, (previous, start), (previous, end))
    return now | {
        "comparison": {
            name: {"previous": before[name], "change": change(now[name], before[name])}
            for name in ("pageviews", "visitors", "sessions", "bounce_rate")
        }
    }


def compare(events: Events, query: Query, zone: ZoneInfo) -> dict[str, Any]:
    metric = query["metric"]
    spans = [span(query[x], zone) for x in ("a", "b")]
    both = min(start for start, _ in spans), max(end for _, end in spans)
    a, b = (figures(events, query, one, both)[metric] for one in spans)
    return {
        "metric": metric,
        "a": {"period": query["a"], "value": a},
        "b": {"period": query["b"], "value": b},
        "absolute_delta": float(Fraction(str(a)) - Fraction(str(b))),
        "pct_delta": change(a, b),
    }


def timeseries(events: Events, query: Query, zone: ZoneInfo) -> list[dict[str, Any]]:
    start, end = span(query["period"], zone)
    granularity = query.get("granularity") or usual(start, end, zone)
    seen = [e for e in happened(events, query, (start, end)) if is_counted(e, query)]
    visits = sessions(events, query, (start, end))
    metric = query.get("metric")

    def bucket(at: datetime) -> str:
        local = at.astimezone(zone).date()
        if granularity == "hour":
            return at.astimezone(UTC).strftime("%Y-%m-%dT%H:00:00Z")
        if granularity == "week":
            local -= timedelta(local.weekday())
        return str(local.replace(day=1) if granularity == "month" else local)

    def count(name: str) -> float:
        these = [e for e in seen if bucket(e.occurred_at) == name]
        those = [
            visit
            for visit in visits
            if any(
                start <= e.occurred_at < end and bucket(e.occurred_at) == name
                for e in visit.events
            )
        ]
        return figure(metric, these, those) if metric else len(these)

    steps = (end - start) // timedelta(minutes=15)
    instants = [start + n * timedelta(minutes=15) for n in range(steps + 1)]
    names = sorted({bucket(at) for at in instants if at < end})
    return [{"date": name, "count": count(name)} for name in names]


def usual(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    last = (end - timedelta(milliseconds=1)).astimezone(zone).date()
    return "hour" if (last - start.astimezone(zone).date()).days < 2 else "day"


def is_counted(event: EnrichedEvent, query: Query) -> bool:
    if "metric" in query:
        return True
    if event.name != query.get("event", "$pageview"):
        return False
    strings = event.properties.strings
    return "property" not in query or strings.get(query["property"]) == query["value"]


def breakdown(events: Events, query: Query, zone: ZoneInfo) -> list[dict[str, Any]]:
    within = span(query["period"], zone)
    dimension = query["dimension"]
    if dimension in ("entry_page", "exit_page"):
        return by_page(sessions(events, query, within), dimension, within)[
            : limit(query)
        ]
    groups: dict[str, list[EnrichedEvent]] = defaultdict(list)
    for event in happened(events, query, within):
        groups[value(event, dimension, events)].append(event)
    beside = {"referrer_host": "channel", "city": "country"}.get(dimension)
    rows = []
    for name in groups.keys() - {""}:
        row = share(name, groups[name])
        if beside:
            counts = Counter(value(e, beside, events) for e in groups[name])
            known = [(-n, text) for text, n in counts.items() if text]
            row |= {beside: min(known)[1]} if known else {}
        rows.append(row)
    return ranked(rows)[: limit(query)]


def share(name: str, events: Events) -> dict[str, Any]:
    views = sum(event.name == "$pageview" for event in events)
    return {"name": name, "pageviews": views, "visitors": visitors(events)}


def by_page(visits: Sequence[Session], page: str, within: Span) -> list[dict[str, Any]]:
    rows = []
    for name in {getattr(visit, page) for visit in visits} - {""}:
        these = [visit for visit in visits if getattr(visit, page) == name]
        views = [
            view
            for visit in these
            for view in visit.views
            if within[0] <= view.occurred_at < within[1]
        ]
        people = {
            max((e.anonymous_id for e in visit.events), key=id_key) for visit in these
        } - {""}
        rows.append({"name": name, "pageviews": len(views), "visitors": len(people)})
    return ranked(rows)


def ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda r: (-r["visitors"], -r["pageviews"], r["name"]))


def session_paths(events: Events, query: Query, zone: ZoneInfo) -> list[dict[str, Any]]:
    least = int(query.get("min_pages", "1"))
    groups: dict[tuple[str, str, bool], list[Session]] = defaultdict(list)
    for visit in sessions(events, query, span(query["period"], zone)):
        if len(visit.views) >= least:
            bounced = len(visit.views) == 1
            groups[visit.entry_page, visit.exit_page, bounced].append(visit)
    return [
        {
            "entry_page": entry,
            "exit_page": exit_,
            "sessions": len(groups[entry, exit_, bounced]),
            "avg_pages": mean(len(v.views) for v in groups[entry, exit_, bounced]),
            "avg_duration_seconds": figure(
                "avg_duration", [], groups[entry, exit_, bounced]
            ),
            "bounced": bounced,
        }
        for entry, exit_, bounced in sorted(groups, key=lambda g: (-len(groups[g]), g))
    ][: limit(query)]


def mean(numbers: Iterable[int]) -> float | None:
    found = [*numbers]
    return rounded(Fraction(sum(found), len(found)), 1) if found else None


def engagement(events: Events, query: Query, zone: ZoneInfo) -> list[dict[str, Any]]:
    within = span(query["period"], zone)
    events = [event for event in events if event.sent_by == "browser"]
    if query.get("view") == "sections":
        return sections(events, query, within)
    seen = happened(events, query, within)
    visits = sessions(events, query, within)
    rows = []
    for page in {e.page.pathname for e in seen if e.name == "$pageview"} - {""}:
        these = [e for e in seen if e.page.pathname == page]
        views = [e for e in these if e.name == "$pageview"]
        row: dict[str, Any] = {"pathname": page, "pageviews": len(views)}
        row["visitors"] = visitors(views)
        if query.get("view") == "engagement":
            row |= reading(these, [v for v in visits if v.entry_page == page])
        rows.append(row)
    rows.sort(key=lambda r: (-r["pageviews"], -r["visitors"], r["pathname"]))
    return rows[: limit(query)]


def reading(events: Events, begun: Sequence[Session]) -> dict[str, Any]:
    ends = [e.properties.strings for e in events if e.name == "$pageview_end"]
    engaged = [digits(end.get("engagement_seconds")) for end in ends]
    scrolled = [digits(end.get("max_scroll_pct")) for end in ends]
    known = [n for n in scrolled if n is not None]
    reached = {
        f"pct_reached_{pct}": percent(sum(n >= pct for n in known), len(known))
        for pct in (25, 50, 75, 100)
    }
    bounces = sum(len(visit.views) == 1 for visit in begun)
    return {
        "avg_engagement_seconds": mean(n for n in engaged if n is not None),
        "bounce_rate": percent(bounces, len(begun)) if begun else None,
        "avg_max_scroll": mean(known),
        "scroll_distribution": {"samples": len(known), **reached} if known else None,
    }


def sections(events: Events, query: Query, within: Span) -> list[dict[str, Any]]:
    others = {name: text for name, text in query.items() if name != "pathname"}
    seen = happened(events, others, within)
    page = query["pathname"]
    views = sum(e.name == "$pageview" and e.page.pathname == page for e in seen)
    found: dict[str, set[str]] = defaultdict(set)
    for event in seen:
        strings = event.properties.strings
        is_there = (strings.get("pathname") or event.page.pathname) == page
        if event.name == "$section_viewed" and is_there and event.session_id:
            found[strings.get("section", "")].add(event.session_id)
    return [
        {
            "section": name,
            "views": len(found[name]),
            "view_rate": percent(len(found[name]), views) if views else None,
            "pageviews": views,
        }
        for name in sorted(found, key=lambda name: (-len(found[name]), name))
        if name
    ][: limit(query)]
