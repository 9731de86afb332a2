"""`clamp user`, as a person and as a program types it."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.surfaces.browser import EMAIL, PASSWORD, Site, opened_site

from clamp_server.cli import main
from clamp_server.web.password import is_password

Clamp = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clamp(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Clamp:
    """The real command on a data directory of its own: exit code, out, err."""
    monkeypatch.setenv("CLAMP_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["clamp", "user", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    return run


def added(clamp: Clamp, email: str = EMAIL) -> Any:
    code, out, err = clamp(
        "add", email, "--password-stdin", "--json", stdin=f"{PASSWORD}\n"
    )
    assert (code, err) == (0, "")
    return json.loads(out)


def known_hash(directory: Path) -> str:
    with opened_site(directory) as site:
        found = site.catalog.user_by_email(EMAIL)
    assert found is not None
    return found[1]


def test_a_person_is_added_and_listed(clamp: Clamp, tmp_path: Path) -> None:
    made = added(clamp, f" {EMAIL.upper()}")

    assert re.fullmatch(r"user_[A-Za-z0-9_-]{16}", made["user_id"])
    assert made["email"] == EMAIL
    assert json.loads(clamp("list", "--json")[1]) == [made]
    assert is_password(PASSWORD, known_hash(tmp_path))


def test_a_terminal_sees_words_and_a_table(clamp: Clamp) -> None:
    nobody = clamp("list")
    done = clamp("add", EMAIL, "--password-stdin", stdin=PASSWORD)
    table = clamp("list")[1]

    assert nobody == (0, "Nobody yet: clamp user add EMAIL\n", "")
    assert done == (0, f"{EMAIL} may sign in\n", "")
    assert re.fullmatch(
        rf"email +added +\n{EMAIL} +\d{{4}}-\d\d-\d\d \d\d:\d\d *\n", table
    )


def test_a_password_is_asked_for_twice_and_not_shown(
    clamp: Clamp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter([PASSWORD, PASSWORD])
    asked: list[str] = []

    def type_unseen(prompt: str) -> str:
        asked.append(prompt)
        return next(typed)

    # What reads a terminal without echo; a test has no terminal.
    monkeypatch.setattr("getpass.getpass", type_unseen)
    code, out, err = clamp("add", EMAIL)

    assert (code, err, len(asked)) == (0, "", 2)
    assert PASSWORD not in out
    assert is_password(PASSWORD, known_hash(tmp_path))


def test_another_password_replaces_the_first(clamp: Clamp, tmp_path: Path) -> None:
    added(clamp)

    done = clamp("password", EMAIL, "--password-stdin", stdin="another four words\r\n")

    assert done == (0, f"{EMAIL} has another password\n", "")
    assert is_password("another four words", known_hash(tmp_path))


def test_a_person_is_removed(clamp: Clamp) -> None:
    added(clamp)

    done = clamp("remove", EMAIL)

    assert done == (0, f"Removed {EMAIL}\n", "")
    assert json.loads(clamp("list", "--json")[1]) == []


def test_a_link_signs_in_once(clamp: Clamp, tmp_path: Path) -> None:
    plain = clamp("link")[1]
    url = json.loads(
        clamp("link", "--public-url", "https://clamp.example", "--json")[1]
    )["url"]

    assert re.fullmatch(
        r"http://127\.0\.0\.1:8400/sign-in/link\?token=[A-Za-z0-9_-]{43}\n", plain
    )
    address, _, token = url.partition("?token=")
    assert address == "https://clamp.example/sign-in/link"
    with opened_site(tmp_path) as site:
        # The command's own clock made it: a link of now is good at the tests' noon.
        assert redeemed(site, token) == [True, False]


def redeemed(site: Site, token: str) -> list[bool]:
    return [site.catalog.redeem_sign_in_link(token) for _ in range(2)]


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("add", "ada"), "", "'ada' is not an email address: name@host"),
        (("add", EMAIL), PASSWORD, "there is a user ada@shop.example already;"),
        (("add", "ben@shop.example"), "short", "has 5 characters and needs 10"),
        (("add", "ben@shop.example"), "", "has 0 characters and needs 10"),
        (("password", EMAIL), "short", "has 5 characters and needs 10"),
        (("password", "ben@shop.example"), PASSWORD, "there is no user"),
        (("remove", "ben@shop.example"), "", "there is no user"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    clamp: Clamp, arguments: tuple[str, ...], stdin: str, message: str
) -> None:
    ada = added(clamp)
    more = () if arguments[0] == "remove" else ("--password-stdin",)

    code, out, err = clamp(*arguments, *more, stdin=stdin)

    assert (code, out) == (1, "")
    assert err.startswith("clamp: ")
    assert message in err
    assert err.count("\n") == 1
    assert json.loads(clamp("list", "--json")[1]) == [ada]
