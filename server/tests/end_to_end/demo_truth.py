"""The true figures of a demo, counted on its plan.

No event exists yet, nothing is asked of a server, and no SQL is run: every answer
is worked out from what the plan decided, in the plain words of the specification.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

from tests.end_to_end.demo_money import MOST_ROWS, Rows, rounded

from clamp_server.demo.happening import (
    Crashed,
    Deed,
    Happening,
    PageRead,
    Payment,
    SignedUp,
    Visit,
)

# What a step of a funnel is: a page's path, or a kind of deed.
Step: TypeAlias = Callable[[PageRead | Deed], bool]

ERROR_TYPES = {
    "declined": "PaymentDeclinedError",
    "postcode": "KeyError",
    "reading_time": "ZeroDivisionError",
}
# What the first page of a visit tells of it; later ones come from the shop itself.
FIRST_PAGE: Mapping[str, Callable[[Visit], str]] = {
    "channel": lambda visit: visit.source.channel,
    "referrer_host": lambda visit: visit.source.referrer_host,
    "utm_campaign": lambda visit: visit.source.campaign,
}
EVERY_PAGE: Mapping[str, Callable[[Visit, PageRead], str]] = {
    "country": lambda visit, _: visit.visitor.place.country,
    "device_type": lambda visit, _: visit.visitor.device.kind,
    "browser": lambda visit, _: visit.visitor.device.browser,
    "os": lambda visit, _: visit.visitor.device.os,
    "pathname": lambda _, page: page.path,
    "entry_page": lambda visit, _: visit.pages[0].path,
    "exit_page": lambda visit, _: visit.pages[-1].path,
}


class Truth:
    """What must be answered about a plan, in a period that holds all of it."""

    def __init__(
        self, happenings: Iterable[Happening], since: date, until: date
    ) -> None:
        days = (until - since).days + 1
        self.dates = [since + timedelta(days=number) for number in range(days)]
        self.visits: list[Visit] = []
        self.bot_visits: list[Visit] = []
        self.deeds: list[Deed] = []
        for happening in happenings:
            if isinstance(happening, Visit):
                is_bot = happening.visitor.is_bot
                (self.bot_visits if is_bot else self.visits).append(happening)
                self.deeds.extend(happening.deeds)
            else:
                self.deeds.append(happening)

    def names(self) -> dict[str, int]:
        """How many events of each name there are, those of bots too."""
        named = Counter(_name(deed) for deed in self.deeds)
        for visit in (*self.visits, *self.bot_visits):
            named["$pageview"] += len(visit.pages)
            named["$pageview_end"] += sum(p.left_at is not None for p in visit.pages)
        return {name: count for name, count in named.items() if count}

    def overview(self) -> dict[str, Any]:
        views = sum(len(visit.pages) for visit in self.visits)
        bounces = sum(len(visit.pages) == 1 for visit in self.visits)
        figures = {
            "pageviews": views,
            "visitors": len({visit.visitor.anonymous_id for visit in self.visits}),
            "sessions": len(self.visits),
            "bounce_rate": rounded(100 * bounces, len(self.visits), 1),
        }
        return {
            **figures,
            "avg_duration": _mean_duration_s(self.visits),
            "comparison": {name: {"previous": 0, "change": "New"} for name in figures},
        }

    def by_day(self, metric: str) -> Rows:
        seen: defaultdict[date, set[str]] = defaultdict(set)
        for at, what in self._moments(metric):
            seen[at.date()].add(what)
        return [{"date": str(day), "count": len(seen[day])} for day in self.dates]

    def _moments(self, metric: str) -> Iterator[tuple[datetime, str]]:
        """Return what counts in a metric, each time that it was there."""
        for visit in self.visits:
            who = visit.visitor.anonymous_id
            for page in visit.pages:
                if metric == "pageviews":
                    yield page.at, f"{visit.session_id} {page.at}"
                else:
                    what = who if metric == "visitors" else visit.session_id
                    yield from ((at, what) for at in (page.at, page.left_at) if at)
        if metric == "visitors":
            yield from ((deed.at, deed.visitor.anonymous_id) for deed in self.deeds)

    def breakdown(self, dimension: str) -> Rows:
        views: Counter[str] = Counter()
        visitors: defaultdict[str, set[str]] = defaultdict(set)
        for visit in self.visits:
            for page in visit.pages:
                label = _label(dimension, visit, page)
                views[label] += 1
                visitors[label].add(visit.visitor.anonymous_id)
        rows: Rows = [
            {"name": name, "pageviews": views[name], "visitors": len(visitors[name])}
            for name in views
            if name
        ]
        if dimension == "referrer_host":
            for row in rows:
                row["channel"] = self._usual_channel(row["name"])
        return _top(rows, lambda r: (-r["visitors"], -r["pageviews"], r["name"]))

    def _usual_channel(self, referrer_host: str) -> str:
        sources = [visit.source for visit in self.visits]
        found = Counter(s.channel for s in sources if s.referrer_host == referrer_host)
        return found.most_common(1)[0][0]

    def session_paths(self) -> Rows:
        paths: defaultdict[tuple[str, str, bool], list[Visit]] = defaultdict(list)
        for visit in self.visits:
            pages = visit.pages
            paths[pages[0].path, pages[-1].path, len(pages) == 1].append(visit)
        rows = [
            {
                "entry_page": entry,
                "exit_page": exit_page,
                "sessions": len(visits),
                "avg_pages": rounded(sum(len(v.pages) for v in visits), len(visits), 1),
                "avg_duration_seconds": _mean_duration_s(visits),
                "bounced": bounced,
            }
            for (entry, exit_page, bounced), visits in paths.items()
        ]
        return _top(
            rows,
            lambda r: (-r["sessions"], r["entry_page"], r["exit_page"], r["bounced"]),
        )

    def funnel(self, steps: Sequence[Step]) -> list[int]:
        """Return how many visitors got to each step in one of their visits."""
        depths: defaultdict[str, int] = defaultdict(int)
        for visit in self.visits:
            depth = 0
            for moment in sorted([*visit.pages, *visit.deeds], key=lambda m: m.at):
                if depth < len(steps) and steps[depth](moment):
                    depth += 1
            who = visit.visitor.anonymous_id
            depths[who] = max(depths[who], depth)
        return [
            sum(depth >= number for depth in depths.values())
            for number in range(1, len(steps) + 1)
        ]

    def error_groups(self) -> dict[str, dict[str, Any]]:
        """By type: what the server alone decides, the fingerprint, is left out."""
        bugs: defaultdict[str, list[Crashed]] = defaultdict(list)
        for deed in sorted(self.deeds, key=lambda deed: deed.at):
            if isinstance(deed, Crashed):
                bugs[ERROR_TYPES[deed.bug]].append(deed)
        return {
            kind: {
                "sample_message": _message(crashes[-1]),
                "sample_type": kind,
                "count": len(crashes),
                "users_affected": len(
                    {c.user_id or c.visitor.anonymous_id for c in crashes}
                ),
                "first_seen": _instant(crashes[0].at),
                "last_seen": _instant(crashes[-1].at),
            }
            for kind, crashes in bugs.items()
        }


def _name(deed: Deed) -> str:
    if isinstance(deed, Payment):
        return f"${deed.event}"
    named = {"Crashed": "$error", "Identified": "$identify"}
    named |= {"SignedUp": "signup", "CartFilled": "added_to_cart"}
    return named[type(deed).__name__]


def _message(crash: Crashed) -> str:
    return {
        "declined": f"order {crash.order} declined after {crash.took_ms} ms",
        "postcode": "'postcode'",
        "reading_time": "division by zero",
    }[crash.bug]


def _label(dimension: str, visit: Visit, page: PageRead) -> str:
    if dimension not in FIRST_PAGE:
        return EVERY_PAGE[dimension](visit, page)
    if page is visit.pages[0]:
        return FIRST_PAGE[dimension](visit)
    return "direct" if dimension == "channel" else ""


def _mean_duration_s(visits: Sequence[Visit]) -> float:
    total = timedelta()
    for visit in visits:
        last = visit.pages[-1]
        between = (last.left_at or last.at) - visit.at
        engaged_s = sum(p.engaged_s for p in visit.pages if p.left_at)
        total += max(between, timedelta(seconds=engaged_s))
    return rounded(total // timedelta(milliseconds=1), 1000 * len(visits), 0)


def _top(rows: Rows, rank: Callable[[dict[str, Any]], tuple[Any, ...]]) -> Rows:
    return sorted(rows, key=rank)[:MOST_ROWS]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at:%f}"[:3] + "Z"


def page(path: str) -> Step:
    """Match the page of a path, or all that begin so where it ends in `*`."""
    start = path.removesuffix("*")
    return lambda moment: (
        isinstance(moment, PageRead)
        and (
            moment.path.startswith(start) if path.endswith("*") else moment.path == path
        )
    )


def signup(moment: PageRead | Deed) -> bool:
    """Match the opening of an account."""
    return isinstance(moment, SignedUp)


def payment(event: str) -> Step:
    """Match a payment by its event."""
    return lambda moment: isinstance(moment, Payment) and moment.event == event
