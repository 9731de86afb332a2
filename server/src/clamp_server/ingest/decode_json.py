"""JSON from outside as values; whatever is wrong with it is a refusal."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

from clamp_server.errors import InvalidRequestError
from clamp_server.ingest.drop_reason import invalid, kind

Decoded = TypeVar("Decoded")

# Half of a surrogate pair as a JSON escape, which stands for no character. Text
# that was cut in the middle of an emoji ends in one, and so do the file names
# that Python reads as `surrogateescape`. Whole pairs and other escapes match
# first, so that what follows an escaped backslash is left alone.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_REPLACEMENT = rb"\ufffd"


def decoder_of(shape: type[Decoded]) -> msgspec.json.Decoder[Decoded]:
    """Return a decoder that keeps every digit of a number in an untyped place."""
    return msgspec.json.Decoder(shape, float_hook=Decimal)


_ANYTHING: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any, float_hook=Decimal)


def decode_json(
    decoder: msgspec.json.Decoder[Decoded], json: bytes | msgspec.Raw, what: str
) -> tuple[Decoded, bytes | msgspec.Raw]:
    """Decode an object, and return the JSON that was decoded beside it.

    That is `json` itself, or a copy in which half surrogate pairs are replaced.

    Args:
        what: Its name in a message.

    Raises:
        InvalidRequestError: Malformed, no object, or with a number that nothing
            can hold.
    """
    try:
        return decoder.decode(json), json
    except msgspec.ValidationError as error:
        if decoder is _ANYTHING:
            raise _unreadable_number(what) from error
        raise _misfit(decode_json(_ANYTHING, json, what)[0], what) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        mended = _ESCAPE.sub(_mended_escape, bytes(json))
        if mended != bytes(json):
            return decode_json(decoder, mended, what)
        why = str(error).removeprefix("JSON is malformed: ")
        raise invalid(
            "malformed_body", what, f"malformed JSON ({why})", "UTF-8 JSON is allowed"
        ) from error
    except RecursionError as error:
        raise invalid(
            "malformed_body", what, "too many levels", "two levels are allowed"
        ) from error
    except InvalidOperation as error:
        raise _unreadable_number(what) from error


def _mended_escape(escape: re.Match[bytes]) -> bytes:
    return _REPLACEMENT if escape[1] else escape[0]


def _misfit(value: object, what: str) -> InvalidRequestError:
    if not isinstance(value, dict):
        return invalid("wrong_type", what, kind(value), "an object is allowed")
    return invalid(
        "wrong_type", "events", kind(value["events"]), "an array of events is allowed"
    )


def _unreadable_number(what: str) -> InvalidRequestError:
    # An integer of thousands of digits, or an exponent of twenty.
    return invalid(
        "over_limit",
        what,
        "a number that a 64-bit float cannot hold",
        "at most 1.7976931348623157e308 is allowed",
    )
