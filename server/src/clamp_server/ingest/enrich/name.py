"""Under which name an event is kept."""

from __future__ import annotations

from clamp_server.model.event import Sender

# Browser clients up to 0.11 send these four without the `$` of Clamp's own names.
BARE_NAMES = {
    name: f"${name}"
    for name in ("pageview", "pageview_end", "web_vital", "section_viewed")
}


def stored_name(name: str, sent_by: Sender) -> str:
    """Return the name that an event is stored under.

    A server's `pageview` stays: there it is the developer's own event.

    >>> stored_name("pageview", "browser"), stored_name("pageview", "server")
    ('$pageview', 'pageview')
    """
    return BARE_NAMES.get(name, name) if sent_by == "browser" else name
