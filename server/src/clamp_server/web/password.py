"""Passwords: which are allowed, and their hashes. The only user of `argon2`.

Everything here takes its time on purpose: call it off the event loop.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from clamp_server.errors import CatalogError

MIN_PASSWORD_CHARACTERS = 10
# The hash reads all of it, so that a password of megabytes would be a cheap way
# to keep the server busy.
MAX_PASSWORD_CHARACTERS = 1_000

# The second of the settings that OWASP's password storage cheat sheet calls
# equal; 35 ms on the machine that the README's figures come from.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def checked_password(password: str) -> str:
    """Return `password` as it is hashed.

    Raises:
        CatalogError: It is shorter or longer than allowed.
    """
    # One keyboard sends an e with its accent, another the two apart.
    password = unicodedata.normalize("NFKC", password)
    if len(password) < MIN_PASSWORD_CHARACTERS:
        raise CatalogError(
            f"the password has {len(password)} characters and needs"
            f" {MIN_PASSWORD_CHARACTERS}; four words in a row make a good one"
        )
    if len(password) > MAX_PASSWORD_CHARACTERS:
        raise CatalogError(
            f"the password has {len(password):,} characters; at most"
            f" {MAX_PASSWORD_CHARACTERS:,} are allowed"
        )
    return password


def password_hash(password: str) -> str:
    """Hash a new password, with a salt of its own.

    Raises:
        CatalogError: It is shorter or longer than allowed.
    """
    return _HASHER.hash(checked_password(password))


def is_password(password: str, known_hash: str | None) -> bool:
    """Tell whether `password` made `known_hash`.

    Args:
        known_hash: None for a stranger's account, which takes as long as a known
            one, so that nobody learns from the time who has an account.
    """
    password = unicodedata.normalize("NFKC", password)[: MAX_PASSWORD_CHARACTERS + 1]
    try:
        _HASHER.verify(known_hash or _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return known_hash is not None


@cache
def _hash_of_nobody() -> str:
    return _HASHER.hash("the password of nobody")
