from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from tests.make import NOON, HandClock

from clamp_server.errors import CatalogError
from clamp_server.model.ids import UserId
from clamp_server.model.project import User, WebSession
from clamp_server.store.catalog import Catalog

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def catalog(catalog: Catalog, tmp_path: Path, clock: HandClock) -> Iterator[Catalog]:
    """The same catalog, with a clock that is set by hand."""
    secrets = (f"{number:016d}{'b' * 27}" for number in range(1, 1000))
    made = Catalog(
        f"sqlite:///{tmp_path / 'data' / 'catalog.sqlite'}",
        clock,
        lambda: next(secrets),
    )
    yield made
    made.close()


def test_a_user_is_found_by_email_however_it_is_written(catalog: Catalog) -> None:
    ann = catalog.create_user(" Ann@Example.com ", "hash of ann's")

    assert ann == User(
        id=UserId("user_0000000000000001"), email="ann@example.com", created_at=NOON
    )
    assert catalog.user_by_email("ANN@example.com") == (ann, "hash of ann's")
    assert catalog.user_by_email("bob@example.com") is None


def test_users_are_listed_oldest_first(catalog: Catalog) -> None:
    made = [catalog.create_user(f"{name}@b.c", "hash") for name in ("zoe", "ann")]

    assert catalog.users() == made


def test_an_email_address_belongs_to_one_user(catalog: Catalog) -> None:
    ann = catalog.create_user("ann@example.com", "first")

    with pytest.raises(CatalogError) as refusal:
        catalog.create_user("Ann@example.com", "second")

    assert str(refusal.value) == "there is a user ann@example.com already"
    assert catalog.user_by_email("ann@example.com") == (ann, "first")


def test_a_new_password_signs_out_everywhere(catalog: Catalog) -> None:
    ann = catalog.create_user("ann@example.com", "old")
    bob = catalog.create_user("bob@example.com", "bob's")
    anns = catalog.create_web_session(ann.id, HOUR)
    bobs = catalog.create_web_session(bob.id, HOUR)

    catalog.set_password_hash("ANN@example.com", "new")

    assert catalog.user_by_email("ann@example.com") == (ann, "new")
    assert catalog.web_session(anns) is None
    assert catalog.web_session(bobs) is not None


def test_a_removed_user_is_signed_out_everywhere(catalog: Catalog) -> None:
    ann = catalog.create_user("ann@example.com", "hash")
    token = catalog.create_web_session(ann.id, HOUR)

    catalog.delete_user("Ann@example.com")

    assert catalog.users() == []
    assert catalog.web_session(token) is None


def test_a_stranger_has_no_password_and_cannot_be_removed(catalog: Catalog) -> None:
    refused = "there is no user 'ann@example.com'; `clamp user list` shows them"

    with pytest.raises(CatalogError) as refusal:
        catalog.set_password_hash("ann@example.com", "hash")
    assert str(refusal.value) == refused
    with pytest.raises(CatalogError) as refusal:
        catalog.delete_user("ann@example.com")
    assert str(refusal.value) == refused


def test_a_sign_in_link_works_once(catalog: Catalog) -> None:
    token = catalog.create_sign_in_link(HOUR)

    assert catalog.redeem_sign_in_link(token)
    assert not catalog.redeem_sign_in_link(token)
    assert not catalog.redeem_sign_in_link("guessed")


def test_a_sign_in_link_works_until_its_end(catalog: Catalog, clock: HandClock) -> None:
    on_time, late = catalog.create_sign_in_link(HOUR), catalog.create_sign_in_link(HOUR)

    clock.advance(HOUR - timedelta(milliseconds=1))
    assert catalog.redeem_sign_in_link(on_time)
    clock.advance(timedelta(milliseconds=1))
    assert not catalog.redeem_sign_in_link(late)


def test_one_of_many_at_once_redeems_a_link(catalog: Catalog) -> None:
    token = catalog.create_sign_in_link(HOUR)
    start = Barrier(8)
    answers: list[bool] = []

    def redeem() -> None:
        start.wait()
        answers.append(catalog.redeem_sign_in_link(token))

    threads = [Thread(target=redeem) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False] * 7 + [True]


def test_a_web_session_knows_its_user_until_its_end(
    catalog: Catalog, clock: HandClock
) -> None:
    ann = catalog.create_user("ann@example.com", "hash")
    token = catalog.create_web_session(ann.id, HOUR)

    clock.advance(HOUR - timedelta(milliseconds=1))
    assert catalog.web_session(token) == WebSession(
        user=ann, created_at=NOON, expires_at=NOON + HOUR
    )
    clock.advance(timedelta(milliseconds=1))
    assert catalog.web_session(token) is None


def test_a_links_bearer_has_a_session_without_a_user(catalog: Catalog) -> None:
    token = catalog.create_web_session(None, HOUR)

    assert catalog.web_session(token) == WebSession(
        user=None, created_at=NOON, expires_at=NOON + HOUR
    )


def test_signing_out_ends_one_session(catalog: Catalog) -> None:
    first = catalog.create_web_session(None, HOUR)
    second = catalog.create_web_session(None, HOUR)

    catalog.delete_web_session(first)
    catalog.delete_web_session("unknown")

    assert catalog.web_session(first) is None
    assert catalog.web_session(second) is not None


def test_tokens_are_not_written_down(catalog: Catalog, tmp_path: Path) -> None:
    tokens = [
        catalog.create_sign_in_link(HOUR),
        catalog.create_web_session(None, HOUR),
    ]

    written = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir())
    assert [token for token in tokens if token.encode() in written] == []
