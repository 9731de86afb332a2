from __future__ import annotations

import pytest

from clamp_server.errors import CatalogError
from clamp_server.store.catalog_rules import (
    checked_email,
    checked_name,
    checked_origins,
    checked_rate_limit,
    checked_time_zone,
)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Shop", "Shop"), ("  Läden & Söhne 🛒 ", "Läden & Söhne 🛒"), ("x" * 200,) * 2],
)
def test_a_name_is_kept_without_the_spaces_around_it(name: str, kept: str) -> None:
    assert checked_name(name) == kept


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb", "a\0b", "a\u202eb"])
def test_a_name_that_is_not_one_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(CatalogError) as refusal:
        checked_name(name)

    assert str(refusal.value) == (
        "a project's name has 1 to 200 characters and no control characters;"
        f" got {name.strip()[:60]!r}"
    )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_an_iana_name(zone: str) -> None:
    assert checked_time_zone(zone) == zone


@pytest.mark.parametrize(
    "zone", ["", "Berlin", "Europe", "../UTC", "/etc/passwd", "a\0"]
)
def test_another_time_zone_is_refused_with_examples(zone: str) -> None:
    with pytest.raises(CatalogError) as refusal:
        checked_time_zone(zone)

    assert str(refusal.value) == (
        f"time zone {zone!r} is not known; give an IANA name such as UTC or"
        " Europe/Berlin"
    )


def test_origins_are_kept_as_browsers_send_them() -> None:
    origins = (
        " HTTPS://Shop.Example ",
        "https://shop.example:443",
        "http://shop.example:80",
        "http://shop.example:443",
        "http://localhost:3000",
        "http://[::1]:8000",
        "https://10.0.0.7",
    )

    assert checked_origins(origins) == (
        "https://shop.example",
        "https://shop.example",
        "http://shop.example",
        "http://shop.example:443",
        "http://localhost:3000",
        "http://[::1]:8000",
        "https://10.0.0.7",
    )


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "shop.example",
        "https://",
        "https://shop.example/",
        "https://shop.example/path",
        "https://shop.example?x",
        "https://user@shop.example",
        "https://*.shop.example",
        "https://-shop.example",
        "https://shop.example:port",
        "https://a.example https://b.example",
        "file:///tmp",
        "null",
    ],
)
def test_what_is_no_origin_is_refused_with_an_example(origin: str) -> None:
    with pytest.raises(CatalogError) as refusal:
        checked_origins(("https://shop.example", origin))

    assert str(refusal.value) == (
        f"origin {origin!r} is not scheme://host or scheme://host:port with http or"
        " https and no path, such as https://shop.example"
    )


@pytest.mark.parametrize("limit", [None, 1, 1_000_000])
def test_a_rate_limit_is_at_least_one_or_none(limit: int | None) -> None:
    assert checked_rate_limit(limit) == limit


@pytest.mark.parametrize("limit", [0, -5])
def test_a_rate_limit_that_lets_nothing_in_is_refused(limit: int) -> None:
    with pytest.raises(CatalogError) as refusal:
        checked_rate_limit(limit)

    assert str(refusal.value) == (
        f"a rate limit is 1 or more events a second, got {limit}; leave it out for no"
        " limit"
    )


def test_an_email_address_is_compared_in_lower_case() -> None:
    assert checked_email(" Ann@Example.COM ") == "ann@example.com"


@pytest.mark.parametrize(
    "email", ["", "ann", "@", "ann@", "a b@c", "a@b@c", "a@" + "b" * 253]
)
def test_what_is_no_email_address_is_refused(email: str) -> None:
    with pytest.raises(CatalogError) as refusal:
        checked_email(email)

    assert str(refusal.value) == (
        f"{email[:60]!r} is not an email address: name@host, at most 254 characters"
    )
