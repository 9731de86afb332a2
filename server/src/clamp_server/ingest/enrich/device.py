"""Which browser, on which system, on what kind of device; or that it is a bot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import resources
from typing import Any, Protocol

import msgspec
import re2  # type: ignore[import-untyped]  # it publishes no types
from ua_parser import Domain
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

from clamp_server.model.event import Device, DeviceType

# Of a longer one the rest is parsed by nobody and only costs: 500 characters of
# the worst kind take 0.12 ms. The longest of real apps are under 450.
MAX_USER_AGENT_CHARS = 512

# By convention only a crawler puts the address of its own page in there.
CRAWLER_PAGE = r"\+https?://"
# What an app is built with: no sign of a bot when the app says what it is.
LIBRARY_TAG = "http-library"

TELEVISION = re.compile(r"TV\b|BRAVIA|\bAFT[A-Z]|CrKey")
# A "Tablet PC" is how old Internet Explorers call a Windows with a pen.
TABLET = re.compile(r"iPad|Tablet(?! PC)|PlayBook|Silk|Kindle")
PHONE = re.compile(r"Mobi|iPhone|iPod|Opera Mini|Windows Phone|BlackBerry|BB10")
APP_PLATFORMS = frozenset({"ios", "android"})


class Crawler(msgspec.Struct, frozen=True):
    """One entry of the list of crawlers; its other fields are skipped."""

    pattern: str
    tags: list[str] = []


class Version(Protocol):
    """What the parser tells of a browser's or a system's version."""

    @property
    def major(self) -> str | None:
        """The first number, or a name such as `XP`."""

    @property
    def minor(self) -> str | None:
        """The second number."""


class DeviceParser:
    """Tells devices by their User-Agent. Made once a process: it takes 20 MB."""

    def __init__(self) -> None:
        # Without the parser's third list, which names models of phones and takes
        # 23 MB: what kind of device it is shows in few marks.
        browsers, systems, _ = load_lazy_builtins()
        self._parse = Resolver((browsers, systems, []))
        crawlers = _crawlers()
        libraries = [c.pattern for c in crawlers if LIBRARY_TAG in c.tags]
        others = [c.pattern for c in crawlers if LIBRARY_TAG not in c.tags]
        self._is_library = _any_of(libraries)
        self._is_crawler = _any_of([CRAWLER_PAGE, *others])

    def device(self, user_agent: str, platform: str) -> Device:
        """Return what sent an event; all empty without a User-Agent.

        Args:
            user_agent: As sent; only its first 512 characters count.
            platform: The event's `platform`: `web`, `ios`, `android` or empty.
        """
        user_agent = user_agent[:MAX_USER_AGENT_CHARS]
        if not user_agent:
            return Device()
        parsed = self._parse(user_agent, Domain.USER_AGENT | Domain.OS)
        browser, system = parsed.user_agent, parsed.os
        family = system.family if system else ""
        is_app = platform in APP_PLATFORMS
        is_bot = self._is_bot(user_agent, is_app)
        return Device(
            browser=browser.family if browser else "",
            browser_version=_version(browser),
            os=family,
            os_version=_version(system),
            device_type="bot" if is_bot else device_type(user_agent, family, is_app),
        )

    def _is_bot(self, user_agent: str, is_app: bool) -> bool:
        if self._is_crawler(user_agent):
            return True
        return not is_app and self._is_library(user_agent)


def device_type(user_agent: str, system: str, is_app: bool) -> DeviceType:
    """Tell phones and tablets from everything else, which is `desktop`.

    An iPad that asks for desktop pages sends a Mac's User-Agent to the letter,
    and counts as one.

    Args:
        user_agent: Of something that is no bot.
        system: Name of the operating system; empty when unknown.
        is_app: Whether a native app of iOS or Android sent it.

    >>> device_type("Mozilla/5.0 (Linux; Android 14; SM-X710)", "Android", False)
    'tablet'
    """
    if TELEVISION.search(user_agent):
        return "desktop"
    if TABLET.search(user_agent):
        return "tablet"
    if PHONE.search(user_agent):
        return "mobile"
    if is_app or system in {"iOS", "KaiOS"}:
        return "mobile"
    return "tablet" if system == "Android" else "desktop"


def _version(found: Version | None) -> str:
    # Two numbers at most: the third makes a group of every week's release.
    if found is None or not found.major:
        return ""
    return f"{found.major}.{found.minor}" if found.minor else found.major


def _crawlers() -> list[Crawler]:
    # The package's file and not the package: importing it keeps 7 MB of
    # examples in memory that nobody asks for.
    file = resources.files("crawleruseragents") / "crawler-user-agents.json"
    return msgspec.json.decode(file.read_bytes(), type=list[Crawler])


def _any_of(patterns: Iterable[str]) -> Callable[[str], bool]:
    # One expression for an engine that takes linear time: 4 us, against 939 us
    # for the standard library's.
    options = re2.Options()
    options.never_capture = True
    options.max_mem = 32 * 1024 * 1024
    joined = _compiled("|".join(f"(?:{p})" for p in patterns), options)
    return lambda text: joined.search(text) is not None


def _compiled(pattern: str, options: re2.Options) -> Any:
    # It publishes no types, so that what it returns is `Any`.
    return re2.compile(pattern, options)  # pyright: ignore[reportUnknownMemberType]
