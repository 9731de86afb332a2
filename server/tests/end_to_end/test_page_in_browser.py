"""The page as a person sees it: a real browser on a real server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from clamp_server.app import open_catalog
from clamp_server.config import Settings
from clamp_server.store.catalog import Catalog
from clamp_server.web.sign_in import LINK_LIFETIME, sign_in_link

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Debian's chromium is not installed"
)

# The browser's own calls home, which have nothing to do with the page.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# Shared machines are slow; nothing waits longer than it has to.
PATIENCE_MS = 30_000
EMAIL, PASSWORD = "ada@shop.example", "four words in a row"
TRACEBACK = """Traceback (most recent call last):
  File "/srv/shop/checkout.py", line 88, in pay
    charge(order)
shop.billing.PaymentDeclinedError: order 20417 declined
"""


@dataclass(frozen=True)
class Server:
    """A running `clamp serve`, with its catalog."""

    address: str
    first_link: str
    catalog: Catalog
    process: subprocess.Popen[str]

    def shop(self) -> Shop:
        project = self.catalog.create_project("Corner Coffee")
        key = self.catalog.create_key(project.id)
        return Shop(self, project.id, key.api_key)

    def link(self) -> str:
        return sign_in_link(self.catalog, self.address, LINK_LIFETIME)


@dataclass(frozen=True)
class Shop:
    """One project of a server, and a key to send with."""

    server: Server
    project_id: str
    api_key: str

    @property
    def page(self) -> str:
        return f"{self.server.address}/p/{self.project_id}"

    def send(self, name: str, **properties: Any) -> None:
        answer = httpx.post(
            f"{self.server.address}/e/s",
            headers={"x-clamp-key": self.api_key},
            json={
                "p": self.project_id,
                "name": name,
                "anonymousId": "aid_5f0c2e",
                "properties": properties,
            },
        )
        assert answer.json() == {"ok": True}, answer.text

    def sell(self, amount: float = 29.0) -> None:
        total = {"amount": amount, "currency": "USD"}
        self.send("purchase", plan="pro", total=total, seats=3, gift=False)

    def fail(self) -> None:
        error = {
            "error.type": "PaymentDeclinedError",
            "error.message": "order 20417 declined",
            "error.stack": TRACEBACK,
            "error.handled": False,
        }
        self.send("$error", **error)


@contextmanager
def running_server(data: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "clamp_server", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        address, link = (process.stdout.readline().split()[-1] for _ in range(2))
        catalog = open_catalog(Settings(data=data))
        yield Server(address, link, catalog, process)
        catalog.close()
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture
def shop(server: Server) -> Shop:
    return server.shop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, server: Server) -> Any:
    """The cookies of a browser that has used the link that the start printed."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.first_link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{server.address}/account")
    cookies = context.storage_state()
    context.close()
    return cookies


@contextmanager
def visitor(browser: Browser, server: Server, **options: Any) -> Iterator[Page]:
    """A browser of its own, which must neither complain nor ask anybody else."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(f"{server.address}/")] == []


@pytest.fixture
def page(browser: Browser, server: Server, signed_in: Any) -> Iterator[Page]:
    with visitor(browser, server, storage_state=signed_in) as opened:
        yield opened


def open_live(page: Page, shop: Shop) -> None:
    page.goto(shop.page)
    expect(page.locator("#status")).to_have_attribute("data-state", "live")


def scroll_width(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width


expect.set_options(timeout=PATIENCE_MS)


def test_a_person_takes_a_password_signs_out_and_comes_back_with_it(
    browser: Browser, server: Server, shop: Shop
) -> None:
    with visitor(browser, server) as page:
        page.goto(server.link())
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Save").click()
        page.goto(shop.page)
        page.get_by_label("Account").click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{server.address}/sign-in")
        page.goto(f"{shop.page}?period=30d")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

        expect(page).to_have_url(f"{shop.page}?period=30d")


def test_the_empty_page_turns_into_the_live_page_with_the_first_event(
    page: Page, shop: Shop
) -> None:
    open_live(page, shop)
    expect(page.get_by_text(f'init("{shop.project_id}"')).to_be_visible()

    shop.sell()

    expect(page.get_by_role("heading", name="Live events")).to_be_visible()
    expect(page.locator(".totals")).to_contain_text("USD 29.00")


def test_an_event_appears_while_one_looks_and_the_figures_follow(
    page: Page, shop: Shop
) -> None:
    shop.sell()
    open_live(page, shop)
    expect(page.locator(".event")).to_have_count(1)

    shop.sell(12.5)

    expect(page.locator(".event")).to_have_count(2)
    expect(page.locator(".event .what").first).to_have_text(
        "purchase total USD 12.50 plan pro seats 3 gift false"
    )
    expect(page.locator(".totals")).to_contain_text("USD 41.50")
    expect(page.locator("#names td").first).to_have_text("2")
    expect(page.locator("#news")).to_have_text("1 new: purchase")


def test_pausing_holds_the_stream_and_resuming_brings_what_was_missed(
    page: Page, shop: Shop
) -> None:
    shop.sell()
    open_live(page, shop)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#status")).to_have_text("Paused")

    shop.send("while paused")
    page.get_by_role("button", name="Resume").click()

    expect(page.locator(".event-name")).to_have_text(["while paused", "purchase"])


def test_an_error_opens_to_its_stack_and_stays_open_when_figures_change(
    page: Page, shop: Shop
) -> None:
    shop.fail()
    open_live(page, shop)
    bug = page.locator(".bug")
    expect(bug.locator("pre")).to_be_hidden()
    bug.locator("summary").click()
    expect(bug.locator("pre")).to_have_text(TRACEBACK)
    # A card that has the focus is left alone.
    page.evaluate("document.activeElement.blur()")

    shop.fail()

    expect(bug.locator(".count")).to_have_text("2\N{MULTIPLICATION SIGN}")
    expect(bug.locator("pre")).to_be_visible()
    bug.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Why these are one bug")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390, 360, 320])
def test_no_width_scrolls_sideways(
    browser: Browser, server: Server, shop: Shop, signed_in: Any, width: int
) -> None:
    size = {"width": width, "height": 800}
    with visitor(browser, server, viewport=size, storage_state=signed_in) as page:
        widths = []
        # The empty page not last: it loads itself anew with the first event.
        for address in ("/", f"/p/{shop.project_id}", "/account"):
            page.goto(server.address + address)
            widths.append(scroll_width(page))
        shop.send("n" * 200, **{"k" * 128: "v" * 512, "words": "many " * 100})
        shop.fail()
        open_live(page, shop)
        widths.append(scroll_width(page))
        for summary in page.locator(".event summary, .bug summary").all():
            summary.click()
        widths.append(scroll_width(page))

    assert widths == [width] * 5


def test_dark_is_dark_and_light_is_light(
    browser: Browser, server: Server, shop: Shop, signed_in: Any
) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        options = {"color_scheme": scheme, "storage_state": signed_in}
        with visitor(browser, server, **options) as page:
            page.goto(shop.page)
            grounds[scheme] = page.evaluate(
                "getComputedStyle(document.body).backgroundColor"
            )

    assert grounds == {"light": "rgb(246, 246, 243)", "dark": "rgb(16, 17, 19)"}


def test_everything_is_readable_without_the_script(
    browser: Browser, server: Server, shop: Shop
) -> None:
    shop.sell()
    shop.fail()
    with visitor(browser, server, java_script_enabled=False) as page:
        page.goto(server.link())
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{server.address}/account")
        page.goto(shop.page)
        page.locator(".bug summary").click()

        expect(page.locator(".bug pre")).to_be_visible()
        expect(page.locator(".event")).to_have_count(2)
        expect(page.get_by_role("button", name="Pause")).to_be_hidden()
        page.get_by_role("link", name="30 days").click()
        expect(page).to_have_url(f"{shop.page}?period=30d")


def test_hostile_values_run_nothing_and_change_nothing(page: Page, shop: Shop) -> None:
    attack = '</bdi></dd><img src=x onerror="document.title=1"><script>1</script>'
    shop.send("before")
    open_live(page, shop)
    title = page.title()

    shop.send(attack, **{attack[:100]: attack, "rtl": "\u202e evil"})

    # Once as it arrives, and once as a page that is loaded.
    for _ in range(2):
        expect(page.locator(".event-name").first).to_have_text(attack)
        expect(page.locator("main img")).to_have_count(0)
        assert page.title() == title
        page.reload()


def test_the_server_stops_at_once_with_somebody_looking(
    browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context()
    page = context.new_page()
    with running_server(tmp_path) as server:
        page.goto(server.first_link)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{server.address}/account")
        open_live(page, server.shop())

        server.process.terminate()

        # 8 seconds is what `clamp serve` waits for a request that does not end.
        assert server.process.wait(timeout=7) == 0
        expect(page.locator("#status")).to_have_text("Reconnecting")
    context.close()
