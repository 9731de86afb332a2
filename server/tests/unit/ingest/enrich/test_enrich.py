from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from tests.make import NOON, PROJECT
from tests.unit.ingest.enrich.mmdb import write_database

from clamp_server.errors import ConfigError
from clamp_server.ingest.enrich import LONGEST_REMEMBERED_CHARS, Enricher
from clamp_server.ingest.enrich.fingerprint import bug
from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
    Sending,
    SentError,
    SentEvent,
)

ENRICHER = Enricher()
BROWSER = Sending(
    project_id=PROJECT,
    sent_by="browser",
    received_at=NOON,
    user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    address="81.2.69.142",
)
SERVER = msgspec.structs.replace(BROWSER, sent_by="server")
SENT = SentEvent(
    name="pageview",
    id="evt_1",
    occurred_at=NOON - timedelta(seconds=5),
    anonymous_id="aid_1",
    user_id="user_1",
    session_id="sid_1",
    url="https://shop.example/cart?utm_source=news&utm_medium=email",
    referrer="https://www.google.com/",
    screen_width=1920,
    screen_height=1080,
    language="en-GB",
    platform="web",
    properties=Properties(strings={"plan": "pro"}),
)


def test_a_browsers_event_gets_every_fact() -> None:
    assert ENRICHER.enrich(SENT, BROWSER) == EnrichedEvent(
        project_id=PROJECT,
        id="evt_1",
        name="$pageview",
        sent_by="browser",
        occurred_at=NOON - timedelta(seconds=5),
        received_at=NOON,
        anonymous_id="aid_1",
        user_id="user_1",
        session_id="sid_1",
        screen_width=1920,
        screen_height=1080,
        language="en-GB",
        platform="web",
        page=Page(
            url="https://shop.example/cart?utm_source=news&utm_medium=email",
            hostname="shop.example",
            pathname="/cart",
            utm_source="news",
            utm_medium="email",
        ),
        arrival=Arrival(
            referrer="https://www.google.com/",
            referrer_host="www.google.com",
            channel="email",
        ),
        device=Device(
            browser="Firefox",
            browser_version="127.0",
            os="Linux",
            device_type="desktop",
        ),
        place=Place(country="GB"),
        properties=Properties(strings={"plan": "pro"}),
        bug=Bug(),
    )


def test_a_servers_request_says_nothing_of_the_visitor() -> None:
    sent = SentEvent(name="pageview", anonymous_id="aid_1")

    assert ENRICHER.enrich(sent, SERVER) == EnrichedEvent(
        project_id=PROJECT,
        id="",
        name="pageview",
        sent_by="server",
        occurred_at=NOON,
        received_at=NOON,
        anonymous_id="aid_1",
        user_id="",
        session_id="",
        screen_width=0,
        screen_height=0,
        language="",
        platform="",
        page=Page(),
        arrival=Arrival(),
        device=Device(),
        place=Place(),
        properties=Properties(),
        bug=Bug(),
    )


@pytest.mark.parametrize("sending", [BROWSER, SERVER])
def test_an_error_gets_its_fingerprint_whoever_sends_it(sending: Sending) -> None:
    error = SentError(message="no item 7", type="KeyError", stack="", handled=True)

    event = ENRICHER.enrich(SentEvent(name="$error", error=error), sending)

    assert event.bug == bug(error)
    assert event.bug.fingerprint_parts == "message: no item <number>"


@pytest.mark.parametrize(
    ("referrer", "url", "expected"),
    [
        (
            "https://shop.example/a",
            "https://www.shop.example/b",
            Arrival(referrer="https://shop.example/a", channel="direct"),
        ),
        (
            "https://shop.example/a",
            "https://shop.example/b?gclid=1",
            Arrival(referrer="https://shop.example/a", channel="paid"),
        ),
        (
            "https://news.example/a",
            "not a url",
            Arrival(
                referrer="https://news.example/a",
                referrer_host="news.example",
                channel="referral",
            ),
        ),
        ("", "", Arrival(channel="direct")),
        ("x" * 3000, "", Arrival(referrer="x" * 2048, channel="direct")),
    ],
)
def test_an_arrival_is_told_from_referrer_and_page(
    referrer: str, url: str, expected: Arrival
) -> None:
    sent = SentEvent(name="$pageview", referrer=referrer, url=url)

    assert ENRICHER.enrich(sent, BROWSER).arrival == expected


def test_a_long_url_is_read_like_a_short_one() -> None:
    url = "https://shop.example/cart?long=" + "x" * LONGEST_REMEMBERED_CHARS
    sent = SentEvent(name="$pageview", url=url)

    pages = [ENRICHER.enrich(sent, BROWSER).page for _ in range(2)]

    page = Page(url=url, hostname="shop.example", pathname="/cart")
    assert pages == [page, page]


def test_the_operators_database_of_places_comes_first(tmp_path: Path) -> None:
    record = {"country_code": "GB", "city": "Bath"}
    own = write_database(tmp_path / "geo.mmdb", {"81.2.69.0/24": record})

    enricher = Enricher([tmp_path / "missing.mmdb", own])

    place = enricher.enrich(SENT, BROWSER).place
    assert place == Place(country="GB", city="Bath")


def test_a_missing_database_of_the_operator_leaves_the_built_in_one(
    tmp_path: Path,
) -> None:
    enricher = Enricher([tmp_path / "missing.mmdb"])

    assert enricher.enrich(SENT, BROWSER).place == Place(country="GB")


def test_a_broken_database_of_the_operator_is_told_at_the_start(tmp_path: Path) -> None:
    broken = tmp_path / "geo.mmdb"
    broken.write_text("not a database")

    with pytest.raises(ConfigError, match="not a database of places"):
        Enricher([broken])


def test_an_address_is_in_no_part_of_what_is_stored() -> None:
    stored = msgspec.json.encode(ENRICHER.enrich(SENT, BROWSER)).decode()

    assert BROWSER.address not in stored
