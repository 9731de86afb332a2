"""Which other site a visit came from."""

from __future__ import annotations

from clamp_server.ingest.enrich.url import location


def referrer_host(referrer: str, own_host: str) -> str:
    """Return the referrer's host in lower case; empty for the site's own.

    A host with and without `www.` is one site. Another subdomain is another
    site: a visit from `blog.` to `shop.` is one that its owner wants to see.

    Args:
        referrer: Absolute URL, or what an Android app sends in its place
            (`android-app://com.google.android.gm/`).
        own_host: Host of the page itself, lower case; empty when unknown.

    >>> referrer_host("https://www.Google.com/", "shop.example")
    'www.google.com'
    >>> referrer_host("https://www.shop.example/cart", "shop.example")
    ''
    """
    place = location(referrer)
    if place is None or bare(place.host) == bare(own_host):
        return ""
    return place.host


def bare(host: str) -> str:
    """Return `host` without a leading `www.`.

    >>> bare("www.shop.example")
    'shop.example'
    """
    return host.removeprefix("www.")
