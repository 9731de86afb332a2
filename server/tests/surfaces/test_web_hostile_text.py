"""Whatever an event or a project is called, pages and stream show it as text."""

import re

import pytest
from tests.make import event
from tests.surfaces.browser import Site
from tests.surfaces.project_page import add, page, stream
from tests.surfaces.shop import FINGERPRINT, failure, sale

from clamp_server.model.event import Page, Properties
from clamp_server.model.project import Project

SCRIPT = "<script>alert(1)</script>"
TAGS = """
    html head meta title link body a header p img span h1 h2 nav details summary ul li
    form button main section dl dt dd small figure figcaption b div svg line rect text
    table thead tbody tr th td bdi time code pre ol footer i script strong
"""
KNOWN_TAGS = {f"{slash}{tag}" for slash in ("", "/") for tag in TAGS.split()}
HOSTILE = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "</code></pre></details><h1>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202eright to left\u2066",
    "مرحبا بالعالم",
    "\x00\r\nid: 9\r\rdata: x\x1b[31m",
    "&lt;already&gt;",
    "-->",
    "]]>",
    "😀" * 256,
)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_texts_stay_texts(pages: Site, project: Project, text: str) -> None:
    add(
        pages,
        project,
        event(
            text,
            anonymous_id=text,
            user_id=text,
            id=text,
            properties=Properties(strings={text: text}, numbers={text: 1.0}),
            page=Page(url=text, hostname=text, pathname=text),
        ),
        failure(type=text, message=text, stack=text, fingerprint_parts=text),
    )
    plain = page(pages, project)
    add(pages, project, sale())

    told = stream(pages, project)
    fields = {line.partition(": ")[0] for line in re.split(r"\r\n|\r|\n", told)}

    assert fields == {"retry", "id", "data", ""}
    bug = pages.get(f"/p/{project.id}/errors/{FINGERPRINT}").text
    for html in (plain, bug, told):
        assert set(re.findall(r"<(/?[a-z0-9]+)", html)) <= KNOWN_TAGS
        assert (
            re.findall(r"<script(?! src=\"/static/page\.[0-9a-f]+\.js\")", html) == []
        )
        assert re.findall(r"<[^>]*\s(on\w+|style)=", html) == []
        assert "49" not in re.findall(r"<bdi>(\d+)</bdi>", html)


def test_a_name_of_the_project_cannot_break_out(pages: Site) -> None:
    pages.open_link()
    project = pages.catalog.create_project(f'"{SCRIPT}')
    add(pages, project, sale())

    html = page(pages, project)

    assert SCRIPT not in html
    assert "<title>&#34;&lt;script&gt;" in html
