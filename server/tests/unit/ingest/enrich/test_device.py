import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamp_server.ingest.enrich.device import MAX_USER_AGENT_CHARS, DeviceParser
from clamp_server.model.event import Device

PARSER = DeviceParser()
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64) {CHROME} Safari/537.36 Edg/126.1",
            Device(
                browser="Edge",
                browser_version="126.1",
                os="Windows",
                os_version="10",
                device_type="desktop",
            ),
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Safari/605.1.15",
            Device(
                browser="Safari",
                browser_version="17.5",
                os="Mac OS X",
                os_version="10.15",
                device_type="desktop",
            ),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            Device(
                browser="Firefox",
                browser_version="127.0",
                os="Linux",
                device_type="desktop",
            ),
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {SAFARI}"
            " Mobile/15E148 Safari/604.1",
            Device(
                browser="Mobile Safari",
                browser_version="17.5",
                os="iOS",
                os_version="17.5",
                device_type="mobile",
            ),
        ),
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            Device(browser="Googlebot", browser_version="2.1", device_type="bot"),
        ),
        ("MyOwnClient", Device(device_type="desktop")),
        ("", Device()),
    ],
)
def test_a_user_agent_tells_its_device(user_agent: str, expected: Device) -> None:
    assert PARSER.device(user_agent, "web") == expected


@pytest.mark.parametrize(
    ("user_agent", "device_type"),
    [
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", "mobile"),
        (f"Mozilla/5.0 (Linux; Android 13; SM-X710) {CHROME} Safari/537.36", "tablet"),
        ("Mozilla/5.0 (Android 14; Tablet; rv:127.0) Firefox/127.0", "tablet"),
        (f"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) {SAFARI} Mobile/15", "tablet"),
        (f"Mozilla/5.0 (Linux; Android 9; KFMAWI) {CHROME} Silk/98 Safari", "tablet"),
        (
            f"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K) {CHROME} Safari/537.36",
            "desktop",
        ),
        ("Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) Chrome/76 TV Safari", "desktop"),
        (f"Mozilla/5.0 (X11; CrOS x86_64) {CHROME}", "desktop"),  # codespell:ignore
        (
            "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Tablet PC 2.0)",
            "desktop",
        ),
        ("MyApp/7 CFNetwork/1408.0.4 Darwin/22.5.0", "mobile"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT NOTE S) Chrome/100 Mobile", "mobile"),
        ("Mozilla/5.0 (X11; Linux) HeadlessChrome/126.0 Safari/537.36", "bot"),
        ("ClaudeBot/1.0", "bot"),
        ("nobody-knows-me/1.0 (+https://crawler.example/about)", "bot"),
        ("curl/8.1", "bot"),
        ("python-requests/2.31", "bot"),
    ],
)
def test_the_kind_of_device_shows_in_few_marks(
    user_agent: str, device_type: str
) -> None:
    assert PARSER.device(user_agent, "web").device_type == device_type


@pytest.mark.parametrize(
    ("user_agent", "platform", "device_type"),
    [
        ("okhttp/4.9.3", "android", "mobile"),
        ("okhttp/4.9.3", "web", "bot"),
        ("Dart/3.1 (dart:io)", "ios", "mobile"),
        ("Googlebot/2.1", "android", "bot"),
    ],
)
def test_an_app_is_no_bot_for_the_library_that_it_is_built_with(
    user_agent: str, platform: str, device_type: str
) -> None:
    assert PARSER.device(user_agent, platform).device_type == device_type


def test_what_stands_behind_the_limit_does_not_count() -> None:
    name = "MyOwnClient".ljust(MAX_USER_AGENT_CHARS)

    assert PARSER.device(f"{name}Googlebot/2.1", "web") == Device(device_type="desktop")


@settings(deadline=None)
@given(st.text(max_size=600), st.sampled_from(["web", "ios", ""]))
def test_every_text_is_some_device(user_agent: str, platform: str) -> None:
    kind = PARSER.device(user_agent, platform).device_type

    assert kind in ({"desktop", "mobile", "tablet", "bot"} if user_agent else {""})
