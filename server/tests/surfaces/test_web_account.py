"""The account page: a first password, and another one."""

import pytest
from tests.surfaces.browser import EMAIL, FROM_HERE, PASSWORD, Site

from clamp_server.web.password import is_password, password_hash

NEW = "another four words"


def knows(pages: Site, password: str, email: str = EMAIL) -> bool:
    found = pages.catalog.user_by_email(email)
    return found is not None and is_password(password, found[1])


def test_a_link_sets_the_password_of_an_account_that_is_there(pages: Site) -> None:
    pages.catalog.create_user(EMAIL, password_hash(PASSWORD))
    pages.open_link()

    saved = pages.post("/account", email=f" {EMAIL.upper()}", password=NEW)

    assert (saved.status_code, saved.headers["location"]) == (303, "/")
    assert knows(pages, NEW)
    assert [user.email for user in pages.catalog.users()] == [EMAIL]
    assert f"signed in as <strong>{EMAIL}</strong>" in pages.get("/account").text


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"email": "ada", "password": PASSWORD},
            "&#39;ada&#39; is not an email address: name@host",
        ),
        ({"email": EMAIL, "password": "short"}, "has 5 characters and needs 10"),
        ({"email": EMAIL}, "has 0 characters and needs 10"),
        ({}, "has 0 characters and needs 10"),
    ],
)
def test_what_is_not_allowed_is_said_and_the_email_kept(
    pages: Site, fields: dict[str, str], problem: str
) -> None:
    pages.open_link()

    answer = pages.post("/account", FROM_HERE, **fields)

    assert answer.status_code == 400
    assert problem in answer.text
    assert f'value="{fields.get("email", "")}"' in answer.text
    assert pages.catalog.users() == []


def test_another_password_needs_the_current_one(pages: Site) -> None:
    pages.sign_up()

    wrong = pages.post("/account", current="-", password=NEW)
    short = pages.post("/account", current=PASSWORD, password="short")

    assert (wrong.status_code, short.status_code) == (400, 400)
    assert "the current password is another one" in wrong.text
    assert "needs 10" in short.text
    assert knows(pages, PASSWORD)


def test_another_password_signs_every_other_browser_out(pages: Site) -> None:
    pages.sign_up()
    here, elsewhere = pages.client, pages.browser()
    pages.client = elsewhere
    pages.post("/sign-in", email=EMAIL, password=PASSWORD)
    pages.client = here

    saved = pages.post("/account", current=PASSWORD, password=NEW)
    done = pages.get(saved.headers["location"])
    pages.client = elsewhere
    other = pages.get("/account")

    assert saved.headers["location"] == "/account?saved"
    assert "The password is changed" in done.text
    assert other.status_code == 303
    assert knows(pages, NEW)


def test_the_email_of_the_form_cannot_name_somebody_else(pages: Site) -> None:
    pages.catalog.create_user("ben@shop.example", password_hash(PASSWORD))
    pages.sign_up()

    pages.post("/account", email="ben@shop.example", current=PASSWORD, password=NEW)

    assert knows(pages, NEW)
    assert knows(pages, PASSWORD, "ben@shop.example")


def test_guessing_the_current_password_is_limited_too(pages: Site) -> None:
    pages.sign_up()

    tries = [pages.post("/account", current="-", password=NEW) for _ in range(11)]

    assert [a.status_code for a in tries] == [400] * 10 + [429]
    assert tries[-1].headers["retry-after"] == "30"
    assert "too many tries" in tries[-1].text


def test_whose_account_was_removed_is_signed_out(pages: Site) -> None:
    pages.sign_up()

    pages.catalog.delete_user(EMAIL)

    assert pages.get("/account").status_code == 303
