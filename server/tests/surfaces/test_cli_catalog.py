"""`clamp project` and `clamp key`, as a person and as a program types them."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clamp_server.cli import main

Clamp = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clamp(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Clamp:
    """The real command on a data directory of its own: exit code, out, err."""
    monkeypatch.setenv("CLAMP_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["clamp", *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return int(exit_.value.code or 0), printed.out, printed.err

    return run


def answer(done: tuple[int, str, str]) -> Any:
    code, out, err = done
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_project_is_made_and_listed_for_programs(clamp: Clamp) -> None:
    made = answer(clamp("project", "create", "Käse & Co", "--json"))
    listed = answer(clamp("project", "list", "--json"))

    assert re.fullmatch(r"proj_[A-Za-z0-9_-]{16}", made["project_id"])
    assert made == {"project_id": made["project_id"], "name": "Käse & Co"}
    assert listed == [
        {
            "project_id": made["project_id"],
            "name": "Käse & Co",
            "time_zone": "UTC",
            "allowed_origins": [],
            "rate_limit_per_s": None,
            "created_at": listed[0]["created_at"],
        }
    ]


def test_an_update_changes_what_it_names_and_nothing_else(clamp: Clamp) -> None:
    origin = ("--allow-origin", "https://Shop.example:443")
    made = answer(clamp("project", "create", "Shop", *origin, "--json"))
    changed = answer(
        clamp("project", "update", made["project_id"], "--rate-limit", "50", "--json")
    )
    freed = answer(
        clamp(
            "project", "update", made["project_id"],
            "--no-rate-limit", "--any-origin", "--time-zone", "Asia/Kolkata", "--json",
        )
    )  # fmt: skip

    assert (changed["allowed_origins"], changed["rate_limit_per_s"]) == (
        ["https://shop.example"],
        50,
    )
    assert freed == changed | {
        "allowed_origins": [],
        "rate_limit_per_s": None,
        "time_zone": "Asia/Kolkata",
    }


def test_a_key_is_shown_once_and_kept_as_a_hash(clamp: Clamp, tmp_path: Path) -> None:
    project_id = answer(clamp("project", "create", "Shop", "--json"))["project_id"]
    made = answer(clamp("key", "create", project_id, "--json"))
    listed = answer(clamp("key", "list", project_id, "--json"))

    assert re.fullmatch(r"sk_proj_[A-Za-z0-9_-]{43}", made["api_key"])
    assert listed == [
        {
            "key_id": made["key_id"],
            "project_id": project_id,
            "hint": made["api_key"][-4:],
            "created_at": listed[0]["created_at"],
            "revoked_at": None,
        }
    ]
    with sqlite3.connect(tmp_path / "data" / "catalog.sqlite") as kept:
        everything = "\n".join(kept.iterdump())
    kept.close()
    assert made["api_key"].removeprefix("sk_proj_") not in everything


def test_a_revoked_key_says_when(clamp: Clamp) -> None:
    project_id = answer(clamp("project", "create", "Shop", "--json"))["project_id"]
    key_id = answer(clamp("key", "create", project_id, "--json"))["key_id"]
    revoked = answer(clamp("key", "revoke", key_id, "--json"))
    listed = answer(clamp("key", "list", project_id, "--json"))

    assert revoked["revoked_at"] is not None
    assert listed == [revoked]


def test_a_person_is_told_what_comes_next(clamp: Clamp) -> None:
    _, out, _ = clamp("project", "create", "Shop")
    project_id = re.search(r"proj_\S+", out)[0]  # type: ignore[index] # the test

    assert out == f"Project {project_id}\nNext: clamp key create {project_id}\n"
    assert clamp("key", "list", project_id) == (
        0,
        f"No key yet: clamp key create {project_id}\n",
        "",
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("key", "create", "proj_nobody"), "proj_nobody"),
        (("key", "revoke", "key_nobody"), "key_nobody"),
        (("project", "create", ""), "1 to 200 characters"),
        (("project", "create", "x", "--time-zone", "Mars/Base"), "IANA name"),
        (("project", "create", "x", "--allow-origin", "shop"), "scheme://host"),
        (("project", "update", "proj_nobody", "--name", "x"), "proj_nobody"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_is_allowed(
    clamp: Clamp, arguments: tuple[str, ...], says: str
) -> None:
    code, out, err = clamp(*arguments)

    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("clamp: ")
    assert says in err


def test_settings_that_exclude_each_other_are_wrong_usage(clamp: Clamp) -> None:
    code, _, err = clamp(
        "project", "update", "proj_x", "--rate-limit", "5", "--no-rate-limit"
    )

    assert code == 2
    assert "exclude each other" in err
