"""The page of a project: what it shows, and to whom."""

import re
from pathlib import Path

import pytest
from tests.make import NOON, event, view
from tests.surfaces.browser import ORIGIN, Site, opened_site
from tests.surfaces.project_page import add, page, words
from tests.surfaces.shop import BOT, FINGERPRINT, STACK, failure, sale, shop_day

from clamp_server.model.event import Bug, Properties
from clamp_server.model.project import Project
from clamp_server.web.figures import SHOWN_BUGS, SHOWN_STACK_CHARACTERS
from clamp_server.web.template import assets


def test_the_start_leads_to_the_only_project(pages: Site, project: Project) -> None:
    answer = pages.get("/")

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/p/{project.id}",
    )


def test_the_start_lists_several_projects_and_each_page_leads_to_the_others(
    pages: Site, project: Project
) -> None:
    name = "<script>alert(1)</script>"
    other = pages.catalog.create_project(name)

    for html in (pages.get("/").text, page(pages, project)):
        assert f'href="/p/{project.id}"' in html
        assert f'href="/p/{other.id}"' in html
        assert name not in html


def test_the_start_of_a_new_server_says_how_to_make_a_project(pages: Site) -> None:
    pages.open_link()

    assert 'clamp project create "My shop"' in words(pages.get("/").text).replace(
        "&#34;", '"'
    )


def test_a_project_without_events_shows_what_to_paste(
    pages: Site, project: Project
) -> None:
    html = page(pages, project)

    assert "pip install clamp-analytics" in html
    assert f'init( "{project.id}" , "sk_proj_…" , endpoint= "{ORIGIN}" )' in words(html)
    assert f"clamp key create {project.id}" in html
    assert f'data-stream="/p/{project.id}/stream" data-seq="0"' in html
    assert '<noscript><meta http-equiv="refresh"' in html


def test_what_to_paste_names_the_public_address(tmp_path: Path) -> None:
    with opened_site(tmp_path, public_url="https://clamp.example/") as pages:
        project = pages.catalog.create_project("Shop")
        token = pages.catalog.create_web_session(None, NOON - NOON.replace(hour=0))
        cookie = {"cookie": f"__Host-clamp_session={token}"}
        html = pages.get(f"/p/{project.id}", headers=cookie).text

    assert 'endpoint= "https://clamp.example" )' in words(html)


def test_the_figures_of_a_day(pages: Site, project: Project) -> None:
    add(pages, project, *shop_day())

    seen = words(page(pages, project, "?period=today"))

    for fact in (
        "Events 200 Visitors 41 Errors 40 in 1 bug",
        "Revenue USD 1,160.00 in 40 events",
        "$pageview 80 40 visitors $error 40 1 visitor purchase 40 1 visitor",
        "signup 40 40 visitors",
        "PaymentDeclinedError handled order 20417 declined 40 \N{MULTIPLICATION SIGN}",
        "last 0 s ago · first 13 h ago · 1 person",
        "Times of Europe/Zurich. 4 events of bots are counted as events,",
    ):
        assert fact in seen


def test_a_period_has_its_own_figures_and_the_stream_is_the_same(
    pages: Site, project: Project
) -> None:
    add(pages, project, sale(NOON.replace(day=1), "5"), sale(NOON.replace(day=8), "7"))
    add(pages, project, sale())

    seen = {
        p: words(page(pages, project, p)) for p in ("?period=today", "", "?period=30d")
    }

    assert [re.findall(r"Revenue (USD \S+)", html) for html in seen.values()] == [
        ["USD 29.00"],
        ["USD 36.00"],
        ["USD 41.00"],
    ]
    assert {html.count("purchase total") for html in seen.values()} == {3}


def test_nothing_in_the_period_is_said(pages: Site, project: Project) -> None:
    add(pages, project, sale(NOON.replace(day=1)))

    seen = words(page(pages, project, "?period=today"))

    for fact in (
        "Events 0 Visitors 0 Errors 0 Revenue none yet",
        "No events in this time.",
        "No errors in this time.",
    ):
        assert fact in seen


def test_a_line_of_the_stream_shows_each_type(pages: Site, project: Project) -> None:
    add(pages, project, sale())

    html = page(pages, project)

    for type_, key, value in (
        ("money", "total", "USD 29.00"),
        ("string", "plan", "pro"),
        ("number", "seats", "3"),
        ("boolean", "gift", "false"),
    ):
        assert (
            f'<span class="chip {type_}"><span class="key">{key}</span>'
            f' <bdi title="{type_}">{value}</bdi></span>'
        ) in html
        assert (
            f'<dt>{key}</dt><dd class="{type_}"><bdi>{value}</bdi>'
            f" <small>{type_}</small></dd>"
        ) in html
    assert '<time datetime="2026-03-10T12:00:00+00:00">13:00:00</time>' in html


def test_bots_and_unhandled_errors_are_marked(pages: Site, project: Project) -> None:
    add(pages, project, view("aid_bot", device=BOT), failure(handled=False))

    html = page(pages, project)

    assert '<span class="badge bot">bot</span>' in html
    assert html.count('<span class="badge unhandled">unhandled</span>') == 2


def test_a_bug_that_was_sometimes_handled_says_how_often(
    pages: Site, project: Project
) -> None:
    add(pages, project, failure(), failure(handled=False), failure())

    assert '<span class="badge">2 handled</span>' in page(pages, project)


def test_a_bug_opens_to_the_stack_of_its_last_occurrence(
    pages: Site, project: Project
) -> None:
    add(pages, project, failure(stack="older"), failure())

    html = page(pages, project)
    bug = pages.get(f"/p/{project.id}/errors/{FINGERPRINT}")

    escaped = STACK.replace('"', "&#34;")
    assert f"<code>{escaped}</code></pre>" in html
    assert f'href="/p/{project.id}/errors/{FINGERPRINT}"' in html
    assert bug.status_code == 200
    assert f"<code>{escaped}</code></pre>" in bug.text
    assert "order &lt;n&gt; declined\nshop/billing.py:charge" in bug.text
    assert "area “checkout” string" in words(bug.text).replace("checkout", "“checkout”")


def test_a_long_stack_is_cut_on_the_page_and_whole_on_its_own(
    pages: Site, project: Project
) -> None:
    stack = "begin" + "x" * 16_374 + "end"
    add(pages, project, failure(stack=stack))

    html = page(pages, project)
    bug = pages.get(f"/p/{project.id}/errors/{FINGERPRINT}").text

    assert stack not in html
    half = SHOWN_STACK_CHARACTERS // 2
    assert f"{stack[:half]}\n… 12,382 characters …\n{stack[-half:]}" in html
    assert stack in bug


def test_an_error_with_neither_message_nor_stack_is_shown_without_a_page(
    pages: Site, project: Project
) -> None:
    nothing = Bug(handled=True)
    add(pages, project, event("$error", bug=nothing))

    html = page(pages, project)

    assert "This error came without a stack." in html
    assert "/errors/" not in html


def test_more_names_and_bugs_than_are_shown_are_counted(
    pages: Site, project: Project
) -> None:
    bugs = [failure(fingerprint=f"{n:016x}") for n in range(SHOWN_BUGS + 2)]
    add(pages, project, *bugs, *(event(f"name {n}") for n in range(11)))

    seen = words(page(pages, project))

    assert "and 2 more bugs" in seen
    assert "and 2 more names" in seen


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/p/proj_unknown", 404, "there is no such project"),
        ("/p/%3Cscript%3E", 404, "there is no such project"),
        ("/p/{}/errors/ffffffffffffffff", 404, "no error has this fingerprint"),
        ("/p/{}/errors/%3Cscript%3E", 404, "no error has this fingerprint"),
        ("/p/{}?period=1h", 400, "period: must be today, 7d, 30d; got &#39;1h&#39;"),
        ("/p/{}?period=%3Cscript%3E", 400, "got &#39;&lt;script&gt;&#39;"),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(
    pages: Site, project: Project, path: str, status: int, message: str
) -> None:
    answer = pages.get(path.format(project.id))

    assert answer.status_code == status
    assert message in answer.text
    assert "<script>" not in answer.text


def test_the_heaviest_events_that_are_allowed_are_shown(
    pages: Site, project: Project
) -> None:
    long = {f"{n:02d}" + "k" * 126: "v" * 512 for n in range(20)}
    heavy = event("n" * 200, properties=Properties(strings=long), user_id="u" * 128)
    add(pages, project, *[heavy] * 30)

    html = page(pages, project)

    assert html.count("v" * 512) == 20 * 20
    assert f'<b class="event-name"><bdi>{"n" * 200}</bdi></b>' in html
    assert html.count('<span class="more">+16</span>') == 20


def test_a_filled_page_weighs_less_than_60_kb_with_its_style_and_script(
    pages: Site, project: Project
) -> None:
    add(pages, project, *shop_day())

    weights = {
        period: len(page(pages, project, f"?period={period}").encode())
        for period in ("today", "7d", "30d")
    }
    files = sum(len(asset.body) for asset in assets().values())

    assert {p: w for p, w in weights.items() if w + files >= 60_000} == {}
