"""What a page's URL says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from clamp_server.model.event import Page

MAX_URL_CHARS = 2048

# The code points that the URL standard forbids in a host.
NOT_IN_HOST = re.compile(r"[\x00-\x20\x7f#/<>?@\\^|%]")
# A decoded `%00` is a control character that no campaign is named with.
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Location:
    """An absolute URL in its parts.

    Attributes:
        host: Lower case, without port, user or trailing dot.
        path: As sent, `/` when the URL has none.
        query: As sent, without the `?`.
    """

    host: str
    path: str
    query: str

    def values(self) -> dict[str, str]:
        """Decode the query; of a repeated key the first value counts."""
        values: dict[str, str] = {}
        for key, value in parse_qsl(self.query):
            values.setdefault(key, CONTROL.sub("", value))
        return values


def location(url: str) -> Location | None:
    """Take a URL apart; None when it is not an absolute URL with a host.

    >>> location("https://WWW.Shop.example:8443/cart?a=1#top")
    Location(host='www.shop.example', path='/cart', query='a=1')
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        _ = parts.port  # raises for a port that is no port
    except ValueError:
        return None
    if not parts.scheme or not host or NOT_IN_HOST.search(host):
        return None
    return Location(host, parts.path or "/", parts.query)


def page(url: str) -> Page:
    """Fill the columns that a page's URL gives; `url` itself is kept, cut.

    >>> page("https://shop.example/?utm_source=news").utm_source
    'news'
    """
    url = url[:MAX_URL_CHARS]
    place = location(url)
    if place is None:
        return Page(url=url)
    # Most URLs carry no campaign, and decoding a query costs as much as the rest.
    values = place.values() if "utm_" in place.query else {}
    return Page(
        url=url,
        hostname=place.host,
        pathname=place.path,
        utm_source=values.get("utm_source", ""),
        utm_medium=values.get("utm_medium", ""),
        utm_campaign=values.get("utm_campaign", ""),
        utm_content=values.get("utm_content", ""),
        utm_term=values.get("utm_term", ""),
    )
