"""CORS for the browser endpoints: open, because they read no cookie.

Which origin may send to a project is decided by the project's own list, when
the body has said which project it is; a preflight cannot know that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

RawHeaders: TypeAlias = tuple[tuple[bytes, bytes], ...]

# The longest that Firefox keeps a preflight's answer; Chrome keeps it two hours.
MAX_AGE_S = 86_400

_PREFLIGHT = (
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type"),
    (b"access-control-max-age", str(MAX_AGE_S).encode()),
    (b"content-length", b"0"),
)


def cors_headers(headers: Mapping[bytes, bytes]) -> RawHeaders:
    """Return what lets the page that asked read the answer, an error too.

    The origin is repeated instead of `*`: a beacon is always sent with
    credentials, and then a browser does not accept `*`.
    """
    origin = headers.get(b"origin")
    if origin is None:
        return ((b"vary", b"origin"),)
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"retry-after"),
        (b"vary", b"origin"),
    )


def preflight_headers(headers: Mapping[bytes, bytes]) -> RawHeaders:
    """Return the headers of the answer to an `OPTIONS` request."""
    return cors_headers(headers) + _PREFLIGHT
