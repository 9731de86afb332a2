"""What holds for every page: headers, forms, files, refusals."""

import re

import pytest
from tests.surfaces.browser import FROM_HERE, Site

from clamp_server.web.form import MAX_FORM_BYTES
from clamp_server.web.template import assets

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "x-robots-tag": "noindex, nofollow",
}
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/account", 200),
        ("/sign-in/link?token=x", 200),
        ("/sign-in", 303),
        ("/p/proj_unknown", 404),
        ("/p/proj_unknown/stream", 404),
        ("/p/proj_unknown/errors/0", 404),
    ],
)
def test_every_answer_carries_the_headers(pages: Site, path: str, status: int) -> None:
    pages.open_link()

    answer = pages.get(path)

    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_a_redirect_to_the_sign_in_page_carries_them_too(pages: Site) -> None:
    answer = pages.get("/")

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("body", "sent_as", "status", "words"),
    [
        (b"{}", "application/json", 415, "takes application/x-www-form-urlencoded"),
        (b"token=x", "", 415, "takes application/x-www-form-urlencoded"),
        (b"x" * (MAX_FORM_BYTES + 1), FORM, 413, "over 32,768 bytes"),
        (b"token=%ff", FORM, 400, "not a form of at most 10 fields"),
        (b"token=\xff", FORM, 400, "not a form of at most 10 fields"),
        (b"&".join([b"a=b"] * 11), FORM, 400, "not a form of at most 10 fields"),
    ],
)
def test_a_body_that_is_no_form_of_ours_is_refused(
    pages: Site, body: bytes, sent_as: str, status: int, words: str
) -> None:
    headers = FROM_HERE | {"content-type": sent_as}

    answer = pages.loop.run(
        pages.client.post("/sign-in/link", content=body, headers=headers)
    )

    assert answer.status_code == status
    assert words in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_largest_form_is_taken(pages: Site) -> None:
    filler = "x" * (MAX_FORM_BYTES - len("token=&f="))

    answer = pages.post("/sign-in/link", token="", f=filler)

    assert "used already or is too old" in answer.text


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.css", "text/css; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_may_be_kept_for_ever_because_its_name_changes_with_it(
    pages: Site, name: str, media_type: str
) -> None:
    path = assets()[name].path

    answer = pages.get(path)

    assert re.fullmatch(r"/static/[a-z]+\.[0-9a-f]{12}\.[a-z]+", path)
    assert answer.content == assets()[name].body
    assert dict(answer.headers) == HEADERS | {
        "cache-control": "public, max-age=31536000, immutable",
        "content-length": str(len(answer.content)),
        "content-type": media_type,
    }


@pytest.mark.parametrize("name", ["page.css", "..%2fsite.py", "page.0123456789ab.css"])
def test_nothing_else_is_served_as_a_file(pages: Site, name: str) -> None:
    answer = pages.get(f"/static/{name}")

    assert answer.status_code == 404


def test_every_file_that_a_page_names_is_there(pages: Site) -> None:
    pages.open_link()
    named = set(re.findall(r"/static/[^\"]+", pages.get("/").text))

    assert {pages.get(path).status_code for path in named} == {200}
