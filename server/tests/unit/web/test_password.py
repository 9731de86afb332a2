import pytest

from clamp_server.errors import CatalogError
from clamp_server.web.password import checked_password, is_password, password_hash

PASSWORD = "four words in a row"


def test_a_hash_knows_its_password_and_no_other() -> None:
    known = password_hash(PASSWORD)

    assert is_password(PASSWORD, known)
    assert not is_password(PASSWORD + "!", known)


def test_a_hash_is_argon2id_with_19_mib_two_passes_and_one_lane() -> None:
    assert password_hash(PASSWORD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_the_same_password_has_another_hash_each_time() -> None:
    assert password_hash(PASSWORD) != password_hash(PASSWORD)


def test_a_stranger_has_no_password() -> None:
    assert not is_password(PASSWORD, None)
    # Not even the one whose hash stands in for a stranger's.
    assert not is_password("the password of nobody", None)


def test_a_hash_that_is_none_matches_nothing() -> None:
    assert not is_password(PASSWORD, "plain text")


def test_an_accent_is_the_same_however_the_keyboard_sends_it() -> None:
    known = password_hash("caf\u00e9 au lait")

    assert is_password("cafe\u0301 au lait", known)


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("", "the password has 0 characters and needs 10"),
        ("123456789", "the password has 9 characters and needs 10"),
        ("x" * 1_001, "the password has 1,001 characters; at most 1,000 are allowed"),
    ],
)
def test_a_length_that_is_not_allowed_says_what_is(password: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        password_hash(password)


def test_both_limits_are_allowed() -> None:
    assert [len(checked_password("x" * n)) for n in (10, 1_000)] == [10, 1_000]


def test_a_password_of_megabytes_is_cut_before_it_is_hashed() -> None:
    known = password_hash("x" * 1_000)

    assert not is_password("x" * 5_000_000, known)
