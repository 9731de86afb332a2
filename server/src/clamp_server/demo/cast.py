"""Who comes to the coffee shop, from where, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TypeVar

from clamp_server.demo.happening import Device, Place, Source, Visitor

Choice = TypeVar("Choice")

# One visitor in twenty-five.
BOT_SHARE = 0.04

_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
# Each with how many of a hundred have it.
_DEVICES = {
    Device(
        kind="desktop",
        browser="Chrome",
        os="Windows",
        user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
        f" {_BLINK} Chrome/141.0.0.0 Safari/537.36",
    ): 31,
    Device(
        kind="desktop",
        browser="Safari",
        os="Mac OS X",
        user_agent=f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLE}"
        " Version/18.5 Safari/605.1.15",
    ): 14,
    Device(
        kind="desktop",
        browser="Firefox",
        os="Linux",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:143.0)"
        " Gecko/20100101 Firefox/143.0",
    ): 7,
    Device(
        kind="mobile",
        browser="Mobile Safari",
        os="iOS",
        user_agent=f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_APPLE}"
        " Version/18.5 Mobile/15E148 Safari/604.1",
    ): 24,
    Device(
        kind="mobile",
        browser="Chrome Mobile",
        os="Android",
        user_agent=f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {_BLINK}"
        " Chrome/141.0.0.0 Mobile Safari/537.36",
    ): 19,
    Device(
        kind="tablet",
        browser="Mobile Safari",
        os="iOS",
        user_agent=f"Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) {_APPLE}"
        " Version/17.7 Mobile/15E148 Safari/604.1",
    ): 5,
}
_BOTS = {
    Device(
        kind="bot",
        browser="Googlebot",
        os="",
        user_agent="Mozilla/5.0 (compatible; Googlebot/2.1;"
        " +http://www.google.com/bot.html)",
    ): 2,
    Device(
        kind="bot",
        browser="bingbot",
        os="",
        user_agent="Mozilla/5.0 (compatible; bingbot/2.0;"
        " +http://www.bing.com/bingbot.htm)",
    ): 1,
}
# The addresses are public name servers of those countries: nothing is sent to
# them, they stand for a place.
_PLACES = {
    Place(country=country, address=address, language=language, currency=currency): share
    for country, address, language, currency, share in (
        ("US", "8.8.8.8", "en-US", "USD", 38),
        ("DE", "84.200.69.80", "de-DE", "EUR", 16),
        ("GB", "158.43.240.3", "en-GB", "USD", 11),
        ("NL", "80.80.80.80", "nl-NL", "EUR", 9),
        ("CH", "185.95.218.42", "de-CH", "EUR", 8),
        ("JP", "210.130.1.1", "ja-JP", "JPY", 8),
        ("BR", "200.221.11.100", "pt-BR", "USD", 6),
        ("AU", "203.50.2.71", "en-AU", "USD", 4),
    )
}
_DIRECT = Source(channel="direct")
_SOURCES = {
    _DIRECT: 27,
    Source(
        channel="organic_search",
        referrer="https://www.google.com/",
        referrer_host="www.google.com",
    ): 29,
    Source(
        channel="organic_search",
        referrer="https://duckduckgo.com/",
        referrer_host="duckduckgo.com",
    ): 6,
    Source(
        channel="organic_social",
        referrer="https://www.reddit.com/r/Coffee/",
        referrer_host="www.reddit.com",
    ): 8,
    Source(
        channel="paid",
        referrer="https://www.google.com/",
        referrer_host="www.google.com",
        query="utm_source=google&utm_medium=cpc&utm_campaign=espresso&gclid=demo",
        campaign="espresso",
    ): 12,
    Source(
        channel="email",
        query="utm_source=newsletter&utm_medium=email&utm_campaign=autumn",
        campaign="autumn",
    ): 10,
    Source(
        channel="referral",
        referrer="https://chatgpt.com/",
        referrer_host="chatgpt.com",
    ): 8,
}


def drawn(shares: Mapping[Choice, int], dice: Random) -> Choice:
    """Draw one, each as often as its share says."""
    return dice.choices(tuple(shares), tuple(shares.values()))[0]


def visitor(seed: int, number: int) -> Visitor:
    """Return a visitor by number: the same one whenever asked again.

    So a million of them need not be remembered for some to come back.
    """
    dice = Random(f"visitor {number} of {seed}")
    anonymous_id = f"anon_{dice.getrandbits(64):016x}"
    is_bot = dice.random() < BOT_SHARE
    return Visitor(
        anonymous_id=anonymous_id,
        user_id=f"user_{number}",
        device=drawn(_BOTS if is_bot else _DEVICES, dice),
        place=drawn(_PLACES, dice),
    )


def source(visitor: Visitor, dice: Random) -> Source:
    """Draw what brings a visit; a crawler comes from nowhere."""
    return _DIRECT if visitor.is_bot else drawn(_SOURCES, dice)
