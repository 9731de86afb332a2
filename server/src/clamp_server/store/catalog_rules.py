"""What the catalog accepts; every refusal says what is allowed."""

from __future__ import annotations

import re
import unicodedata
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clamp_server.errors import CatalogError

MAX_NAME_CHARACTERS = 200
# The longest address that SMTP can carry (RFC 5321, with its erratum 1690).
MAX_EMAIL_CHARACTERS = 254

_ORIGIN = re.compile(
    r"https?://(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{1,5})?"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def checked_name(name: str) -> str:
    """Return a project's name, without spaces around it.

    Raises:
        CatalogError: It is empty, over 200 characters, or has control characters.
    """
    name = name.strip()
    has_control = any(unicodedata.category(c).startswith("C") for c in name)
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or has_control:
        raise CatalogError(
            f"a project's name has 1 to {MAX_NAME_CHARACTERS} characters and no"
            f" control characters; got {name[:60]!r}"
        )
    return name


def checked_time_zone(time_zone: str) -> str:
    """Return the name of a time zone that this machine knows.

    Raises:
        CatalogError: It is not one of the IANA database.
    """
    try:
        return ZoneInfo(time_zone).key
    # ZoneInfo answers a path such as ../x with ValueError and a directory of
    # the database such as "Europe" with an OSError.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CatalogError(
            f"time zone {time_zone[:60]!r} is not known; give an IANA name such as"
            " UTC or Europe/Berlin"
        ) from error


def checked_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    """Return web origins in the form in which browsers send them.

    Raises:
        CatalogError: One is not scheme://host or scheme://host:port.
    """
    return tuple(_checked_origin(origin) for origin in origins)


def _checked_origin(origin: str) -> str:
    lower = origin.strip().lower()
    if not _ORIGIN.fullmatch(lower):
        raise CatalogError(
            f"origin {origin[:60]!r} is not scheme://host or scheme://host:port with"
            " http or https and no path, such as https://shop.example"
        )
    # A browser leaves its scheme's own port out of the Origin header.
    own_port = ":443" if lower.startswith("https:") else ":80"
    return lower.removesuffix(own_port)


def checked_rate_limit(rate_limit_per_s: int | None) -> int | None:
    """Return a rate limit in events a second; None is no limit.

    Raises:
        CatalogError: It is below 1.
    """
    if rate_limit_per_s is not None and rate_limit_per_s < 1:
        raise CatalogError(
            f"a rate limit is 1 or more events a second, got {rate_limit_per_s};"
            " leave it out for no limit"
        )
    return rate_limit_per_s


def checked_email(email: str) -> str:
    """Return an email address in the form in which it is compared.

    Raises:
        CatalogError: It is not name@host.
    """
    email = email.strip().lower()
    if len(email) > MAX_EMAIL_CHARACTERS or not _EMAIL.fullmatch(email):
        raise CatalogError(
            f"{email[:60]!r} is not an email address: name@host, at most"
            f" {MAX_EMAIL_CHARACTERS} characters"
        )
    return email
