"""Why an event is not stored: a closed set, so that each reason is counted."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from clamp_server.errors import InvalidRequestError

DropReason: TypeAlias = Literal[
    "malformed_body",
    "missing_field",
    "wrong_type",
    "over_limit",
    "invalid_value",
    "unknown_project",
    "unauthorized",
    "wrong_project",
    "origin_not_allowed",
    "body_too_large",
    "unsupported_media_type",
    "rate_limited",
    "store_unavailable",
    "internal_error",
]
"""Also the `error` of the answer that tells the sender."""

DROP_REASONS: tuple[DropReason, ...] = get_args(DropReason)

# What a message repeats of a value that was sent: enough to find it by.
_SHOWN_CHARACTERS = 40


def invalid(
    reason: DropReason, field: str, got: str, allowed: str
) -> InvalidRequestError:
    """Return the error that names the field, what was got and what is allowed."""
    return InvalidRequestError(f"{field}: got {got}; {allowed}", code=reason)


def shown(text: str) -> str:
    """Return the beginning of a text, quoted, for a message.

    >>> shown("XYZ")
    '"XYZ"'
    """
    cut = text[:_SHOWN_CHARACTERS]
    return f'"{cut}"' if len(text) <= _SHOWN_CHARACTERS else f'"{cut}…"'


def kind(value: object) -> str:
    """Say in JSON's words what a decoded value is.

    >>> kind([1])
    'an array'
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, list):
        return "an array"
    return "an object" if isinstance(value, dict) else "a number"
