"""Signing in, by link and by password, and what keeps others out."""

from pathlib import Path

import httpx
import pytest
from tests.surfaces.browser import EMAIL, ORIGIN, PASSWORD, Site, opened_site

from clamp_server.web.password import password_hash
from clamp_server.web.sign_in import FIRST_LINK_LIFETIME, first_link, safe_next

COOKIE = "clamp_session"
PRIVATE = ("/", "/p/proj_x", "/p/proj_x/errors/0123456789abcdef", "/account")
FORMS = ("/sign-in", "/sign-in/link", "/account", "/sign-out")


def went_to(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers["location"]


def test_the_first_link_signs_in_and_invites_to_take_a_password(pages: Site) -> None:
    link = first_link(pages.catalog, "https://clamp.example/")
    assert link is not None
    token = link.removeprefix("https://clamp.example/sign-in/link?token=")

    offered = pages.get(f"/sign-in/link?token={token}")
    used = pages.post("/sign-in/link", token=token)
    invited = pages.get("/account")
    saved = pages.post("/account", email=EMAIL, password=PASSWORD)
    inside = pages.get("/")

    assert f'<input type="hidden" name="token" value="{token}">' in offered.text
    assert went_to(used) == (303, "/account")
    assert "Set an email and a password" in invited.text
    assert went_to(saved) == (303, "/")
    assert inside.status_code == 200
    assert [user.email for user in pages.catalog.users()] == [EMAIL]


def test_opening_a_link_does_not_use_it_up(pages: Site) -> None:
    token = pages.catalog.create_sign_in_link(FIRST_LINK_LIFETIME)

    for _ in range(3):
        opened = pages.get(f"/sign-in/link?token={token}")
        assert (opened.status_code, "set-cookie" in opened.headers) == (200, False)

    assert went_to(pages.post("/sign-in/link", token=token)) == (303, "/account")


def test_a_link_works_once_and_in_time(pages: Site) -> None:
    used, late = (
        pages.catalog.create_sign_in_link(FIRST_LINK_LIFETIME) for _ in range(2)
    )
    pages.post("/sign-in/link", token=used)
    again = pages.post("/sign-in/link", token=used)
    pages.clock.at += FIRST_LINK_LIFETIME
    too_late = pages.post("/sign-in/link", token=late)
    unknown = pages.post("/sign-in/link")

    for answer in (again, too_late, unknown):
        assert answer.status_code == 403
        assert "run `clamp user link` on the server" in answer.text
        assert "set-cookie" not in answer.headers


def test_there_is_no_first_link_once_somebody_has_an_account(pages: Site) -> None:
    pages.catalog.create_user(EMAIL, password_hash(PASSWORD))

    assert first_link(pages.catalog, ORIGIN) is None


def test_a_password_signs_in_and_leads_where_one_wanted_to_go(pages: Site) -> None:
    pages.sign_up()
    pages.post("/sign-out")

    turned_away = pages.get("/p/proj_x?period=7d")
    form = pages.get(turned_away.headers["location"])
    signed_in = pages.post(
        "/sign-in",
        email=f" {EMAIL.upper()} ",
        password=PASSWORD,
        next="/p/proj_x?period=7d",
    )

    assert went_to(turned_away) == (303, "/sign-in?next=%2Fp%2Fproj_x%3Fperiod%3D7d")
    assert 'name="next" value="/p/proj_x?period=7d"' in form.text
    assert went_to(signed_in) == (303, "/p/proj_x?period=7d")
    assert pages.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "another password"),
        ("nobody@shop.example", PASSWORD),
        ("not an address", ""),
        ("", ""),
        ("\x00\ud7ff😀", "\x00"),
    ],
)
def test_a_wrong_password_and_a_stranger_get_the_same_answer(
    pages: Site, email: str, password: str
) -> None:
    pages.sign_up()
    pages.client = pages.browser()

    answer = pages.post("/sign-in", email=email, password=password)

    assert answer.status_code == 403
    assert "That email and password do not belong together." in answer.text
    assert "set-cookie" not in answer.headers


def test_who_is_signed_in_does_not_see_the_form(pages: Site) -> None:
    pages.sign_up()

    assert went_to(pages.get("/sign-in?next=/account")) == (303, "/")


def test_without_any_account_the_form_says_how_to_get_in(pages: Site) -> None:
    page = pages.get("/sign-in").text

    assert "clamp user link" in page
    assert "<form" not in page


def test_after_ten_wrong_passwords_one_has_to_wait(pages: Site) -> None:
    pages.sign_up()
    pages.client = pages.browser()

    for _ in range(10):
        assert pages.post("/sign-in", email=EMAIL, password="-").status_code == 403
    refused = pages.post("/sign-in", email=EMAIL.upper(), password=PASSWORD)
    pages.clock.wait(seconds=30)
    later = pages.post("/sign-in", email=EMAIL, password=PASSWORD)

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    assert "wait 30 seconds, or run `clamp user link`" in refused.text
    assert went_to(later) == (303, "/")


@pytest.mark.parametrize("path", PRIVATE)
def test_a_page_sends_who_is_not_signed_in_to_the_form(pages: Site, path: str) -> None:
    status, place = went_to(pages.get(path))

    assert status == 303
    assert place.startswith("/sign-in?next=")


def test_the_stream_is_refused_and_not_redirected(pages: Site) -> None:
    answer = pages.get("/p/proj_x/stream", headers={"accept": "text/event-stream"})

    assert answer.status_code == 401


def test_signing_out_ends_the_session_everywhere_it_is_known(pages: Site) -> None:
    pages.sign_up()
    token = pages.client.cookies[COOKIE]

    out = pages.post("/sign-out")

    assert went_to(out) == (303, "/sign-in")
    assert COOKIE not in pages.client.cookies
    assert pages.catalog.web_session(token) is None
    assert went_to(pages.get("/account"))[0] == 303


def test_a_form_sent_without_a_session_leads_to_the_sign_in_page(pages: Site) -> None:
    assert went_to(pages.post("/sign-out")) == (303, "/sign-in")


def test_a_session_ends_after_its_time(pages: Site) -> None:
    pages.open_link()
    pages.clock.wait(hours=12)
    by_link = pages.get("/account")
    pages.sign_up()
    pages.clock.wait(days=29, hours=23)
    before = pages.get("/account")
    pages.clock.wait(hours=1)
    after = pages.get("/account")

    assert [a.status_code for a in (by_link, before, after)] == [303, 200, 303]


def test_a_new_session_replaces_the_one_before(pages: Site) -> None:
    pages.open_link()
    first = pages.client.cookies[COOKIE]

    pages.post("/account", email=EMAIL, password=PASSWORD)

    assert pages.client.cookies[COOKIE] != first
    assert pages.catalog.web_session(first) is None


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(pages: Site) -> None:
    cookie = pages.open_link().headers["set-cookie"]

    name, *attributes = cookie.split("; ")
    assert name.startswith("clamp_session=")
    assert sorted(attributes) == ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"]


def test_over_https_the_cookie_never_travels_in_the_clear(tmp_path: Path) -> None:
    with opened_site(tmp_path, public_url="https://clamp.example") as pages:
        cookie = pages.open_link().headers["set-cookie"]
        out = pages.loop.run(
            pages.client.post(
                "/sign-out",
                headers={"origin": ORIGIN, "cookie": cookie.split(";")[0]},
            )
        )

    assert cookie.startswith("__Host-clamp_session=")
    assert "; Secure" in cookie
    assert "; Secure" in out.headers["set-cookie"]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://clamp.test.evil.example"},
        {"origin": "http://[", "referer": ORIGIN},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_site_changes_nothing(
    pages: Site, path: str, headers: dict[str, str]
) -> None:
    pages.sign_up()
    token = pages.catalog.create_sign_in_link(FIRST_LINK_LIFETIME)

    answer = pages.post(
        path, headers, token=token, email="x@x.example", password="x" * 9
    )

    assert answer.status_code == 403
    assert "came from another site" in answer.text
    assert pages.catalog.redeem_sign_in_link(token)
    assert pages.get("/account").status_code == 200
    assert [user.email for user in pages.catalog.users()] == [EMAIL]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ORIGIN},
        {"origin": "https://clamp.test"},
        {"sec-fetch-site": "same-origin"},
        {"origin": "https://clamp.example", "sec-fetch-site": "same-origin"},
    ],
    ids=str,
)
def test_a_form_of_ours_is_taken_behind_a_proxy_too(
    pages: Site, headers: dict[str, str]
) -> None:
    pages.open_link()

    assert went_to(pages.post("/sign-out", headers)) == (303, "/sign-in")


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/p/proj_x\n",
        "/p/../../evil",
        "/p/proj_x?period=7d&x=//evil",
        "javascript:alert(1)",
        "/sign-out",
        "",
    ],
)
def test_next_leads_nowhere_else(pages: Site, path: str) -> None:
    pages.sign_up()
    pages.post("/sign-out")

    answer = pages.post("/sign-in", email=EMAIL, password=PASSWORD, next=path)

    assert safe_next(path) == "/"
    assert went_to(answer) == (303, "/")


@pytest.mark.parametrize(
    "path",
    ["/", "/p/proj_a-B_9", "/p/proj_a?period=30d", "/p/proj_a/errors/0123456789abcdef"],
)
def test_next_leads_to_every_page_of_ours(path: str) -> None:
    assert safe_next(path) == path
