"""The shop's visitors: browsers that send what Clamp's browser script sends.

An outside program: it knows the server by its address alone.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Event: TypeAlias = dict[str, Any]

SHOP = "https://shop.example"
TIMEOUT_S = 10.0

# Share of visits, and where they come from. The addresses are public name
# servers of those countries: nothing is sent to them, they stand for a place.
_ADDRESSES = (
    "8.8.8.8",  # United States
    "80.80.80.80",  # Netherlands
    "185.95.218.42",  # Switzerland
    "194.242.2.2",  # Sweden
    "210.130.1.1",  # Japan
    "203.50.2.71",  # Australia
    "200.221.11.100",  # Brazil
)
_USER_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36"
    " (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
)
_BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_LANDINGS = (
    ("/", "https://www.google.com/"),
    ("/", ""),
    ("/plans", "https://duckduckgo.com/"),
    ("/beans/yirgacheffe", "https://www.reddit.com/r/Coffee/"),
    ("/plans?utm_source=newsletter&utm_medium=email&utm_campaign=autumn", ""),
    ("/?utm_source=google&utm_medium=cpc&gclid=demo", "https://www.google.com/"),
    ("/journal/water", "https://chatgpt.com/"),
)
_PAGES = ("/plans", "/beans/yirgacheffe", "/beans/huila", "/journal/water", "/about")


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person in one browser, on one visit."""

    anonymous_id: str
    session_id: str
    user_agent: str
    address: str
    landing: str
    referrer: str


def arriving_visitor(dice: Random) -> Visitor:
    """Draw who comes next; one in twenty-five is a crawler."""
    landing, referrer = dice.choice(_LANDINGS)
    crawls = dice.random() < 0.04
    return Visitor(
        anonymous_id=f"anon_{dice.getrandbits(64):016x}",
        session_id=f"sess_{dice.getrandbits(64):016x}",
        user_agent=_BOT if crawls else dice.choice(_USER_AGENTS),
        address=dice.choice(_ADDRESSES),
        landing=landing,
        referrer=referrer,
    )


def page_events(
    visitor: Visitor, began_at: datetime, until: datetime, dice: Random
) -> list[Event]:
    """Write the events of a visit: one to four pages, read for a while each.

    What would happen after `until` is left out: it has not happened yet.
    """
    urls = [visitor.landing, *dice.sample(_PAGES, k=dice.randrange(4))]
    events: list[Event] = []
    at, referrer = began_at, visitor.referrer
    for url in urls:
        reading_s = dice.randrange(4, 90)
        page = {
            "url": SHOP + url,
            "referrer": referrer,
            "anonymousId": visitor.anonymous_id,
            "sessionId": visitor.session_id,
            "userId": "",
            "platform": "web",
        }
        left_at = at + timedelta(seconds=reading_s)
        engagement = {
            "engagement_seconds": str(reading_s),
            "max_scroll_pct": str(dice.randrange(20, 101)),
        }
        events.append({"name": "$pageview", "timestamp": at.isoformat()} | page)
        events.append(
            {"name": "$pageview_end", "timestamp": left_at.isoformat()}
            | page
            | {"properties": engagement}
        )
        at, referrer = left_at, SHOP + url
    # ISO 8601 in one offset sorts as the instants do.
    return [event for event in events if event["timestamp"] <= until.isoformat()]


class Browsers:
    """Sends batches as browsers do, over one kept connection."""

    def __init__(self, endpoint: str, project_id: str) -> None:
        """Take the server's address, such as `http://127.0.0.1:8400`."""
        self._project_id = project_id
        self._connection = http.client.HTTPConnection(
            urlsplit(endpoint).netloc, timeout=TIMEOUT_S
        )

    def send(self, visitor: Visitor, events: list[Event]) -> int:
        """Send `events` as a beacon and return how many the server accepted.

        Raises:
            RuntimeError: The server answered anything but 200.
        """
        body = json.dumps({"p": self._project_id, "events": events})
        self._connection.request(
            "POST",
            "/e/batch",
            body.encode(),
            {
                "content-type": "text/plain;charset=UTF-8",
                "origin": SHOP,
                "user-agent": visitor.user_agent,
                "x-forwarded-for": visitor.address,
            },
        )
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"/e/batch answered {answer.status}: {text[:500]!r}")
        return int(json.loads(text)["accepted"])
