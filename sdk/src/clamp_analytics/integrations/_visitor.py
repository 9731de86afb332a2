"""Who visits: the browser's anonymous id, as a request brings it. No I/O in here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COOKIE = "clamp_aid"
HEADER = "x-clamp-anonymous-id"
_ENVIRON_HEADER = f"HTTP_{HEADER.upper().replace('-', '_')}"
# The server takes no longer ones.
MAX_ID_CHARS = 128


def usable_id(candidate: object) -> str | None:
    r"""`candidate`, if an event can carry it as an id; else None.

    Whoever sends a request chooses what is in it: an id is 1 to 128 characters, all
    of them printable.

    >>> usable_id(" aid_1 "), usable_id("a" * 129), usable_id("a\nb"), usable_id("")
    ('aid_1', None, None, None)
    """
    if not isinstance(candidate, str):
        return None
    text = candidate.strip()
    is_usable = 0 < len(text) <= MAX_ID_CHARS and text.isprintable()
    return text if is_usable else None


def anonymous_id(cookie: object, header: object) -> str | None:
    """The visitor's id: that of the cookie, or else that of the header.

    >>> anonymous_id(None, "aid_1"), anonymous_id("aid_2", "aid_1")
    ('aid_1', 'aid_2')
    """
    return usable_id(cookie) or usable_id(header)


def ids_of(environ: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Cookie and header as WSGI has them, without parsing what else there is.

    >>> ids_of({"HTTP_COOKIE": "clamp_aid=aid_1"})
    ('aid_1', None)
    """
    return cookie_of(environ.get("HTTP_COOKIE", "")), environ.get(_ENVIRON_HEADER)


def cookie_of(header: str) -> str | None:
    """The value of our cookie in a request's `cookie` header.

    >>> cookie_of('theme=dark; clamp_aid="aid_1"; other=2')
    'aid_1'
    >>> cookie_of("my_clamp_aid=no") is None
    True
    """
    # Nearly every request of an API comes without it, and most cookies are long.
    if COOKIE not in header:
        return None
    for pair in header.split(";"):
        name, _, value = pair.partition("=")
        if name.strip() == COOKIE:
            return value.strip().strip('"')
    return None
