"""The wire's `properties`, sorted by type and checked against every limit."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from clamp_server.errors import InvalidRequestError
from clamp_server.ingest.drop_reason import invalid, kind, shown
from clamp_server.model.currency import CURRENCIES
from clamp_server.model.event import Properties, SentError
from clamp_server.model.money import DECIMALS, LARGEST_AMOUNT, Money

MAX_PROPERTIES = 20
MAX_KEY_CHARACTERS = 128
MAX_TEXT_CHARACTERS = 512
# A message, a class and a stack are what an error is told apart by.
MAX_CHARACTERS = {"error.message": 1024, "error.type": 64, "error.stack": 16_384}
# Up to here no key's limit has to be looked up.
_NEVER_TOO_LONG = min(MAX_CHARACTERS.values())
# These do not count as properties: an error brings them besides its own.
UNCOUNTED_PREFIX = "error."

_ALLOWED = "text, a number, a boolean or money is allowed"
_MONEY = 'money is exactly {"amount": number, "currency": "USD"}'
_ONE_STEP = Decimal(1).scaleb(-DECIMALS)
# Wide enough for fifteen digits before the point and the 18 decimals behind it.
_EXACT = Context(prec=64, rounding=ROUND_HALF_EVEN)


def decode_properties(
    sent: object, is_error: bool
) -> tuple[Properties, SentError | None]:
    """Sort properties by type; those of an `$error` event come apart.

    Args:
        sent: What JSON gave, with `Decimal` for a number that has a point or
            an exponent, so that an amount of money stays exact.

    Raises:
        InvalidRequestError: Names the first property that is not allowed.
    """
    strings: dict[str, str] = {}
    numbers: dict[str, float] = {}
    booleans: dict[str, bool] = {}
    money: dict[str, Money] = {}
    for key, value in _counted(sent).items():
        if not 1 <= len(key) <= MAX_KEY_CHARACTERS:
            raise _misnamed(key)
        # Exact types, most frequent first: JSON gives no subclass but bool.
        exact = type(value)
        if exact is str:
            if len(value) > _NEVER_TOO_LONG:
                _check_length(key, value)
            strings[key] = value
        elif exact is int or exact is Decimal:
            numbers[key] = _number(key, value)
        elif exact is bool:
            booleans[key] = value
        elif exact is dict:
            money[key] = _money(key, value)
        elif value is not None:
            raise invalid("wrong_type", _name(key), kind(value), _ALLOWED)
    error = _taken_error(strings, booleans, {*numbers, *money}) if is_error else None
    return Properties(strings, numbers, booleans, money), error


def _counted(sent: object) -> dict[str, Any]:
    if sent is None or sent == "":
        return {}
    if not isinstance(sent, dict):
        raise invalid("wrong_type", "properties", kind(sent), "an object is allowed")
    if len(sent) <= MAX_PROPERTIES:
        return sent
    counted = sum(
        value is not None and not key.startswith(UNCOUNTED_PREFIX)
        for key, value in sent.items()
    )
    if counted > MAX_PROPERTIES:
        raise invalid(
            "over_limit",
            "properties",
            f"{counted} keys",
            f"at most {MAX_PROPERTIES} are allowed",
        )
    return sent


def _misnamed(key: str) -> InvalidRequestError:
    return invalid(
        "over_limit",
        f"properties, key {shown(key)}",
        f"{len(key)} characters",
        f"1 to {MAX_KEY_CHARACTERS} are allowed",
    )


def _check_length(key: str, value: str) -> None:
    longest = MAX_CHARACTERS.get(key, MAX_TEXT_CHARACTERS)
    if len(value) > longest:
        raise invalid(
            "over_limit",
            _name(key),
            f"text of {len(value)} characters",
            f"at most {longest} are allowed",
        )


def _number(key: str, value: int | Decimal) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise invalid(
            "over_limit",
            _name(key),
            "a number that a 64-bit float cannot hold",
            "at most 1.7976931348623157e308 is allowed",
        )
    return number


def _money(key: str, value: dict[str, Any]) -> Money:
    if len(value) != 2 or "amount" not in value or "currency" not in value:
        raise invalid("wrong_type", _name(key), "another object", _MONEY)
    return Money(
        _amount(f"{_name(key)}.amount", value["amount"]),
        _currency(f"{_name(key)}.currency", value["currency"]),
    )


def _amount(field: str, value: object) -> Decimal:
    if type(value) is not int and type(value) is not Decimal:
        raise invalid("wrong_type", field, kind(value), "a number is allowed")
    amount = Decimal(value)
    # Not `abs`, which rounds to the ambient precision.
    if not -LARGEST_AMOUNT <= amount <= LARGEST_AMOUNT:
        raise invalid(
            "over_limit",
            field,
            "too large an amount",
            f"at most {LARGEST_AMOUNT} is allowed",
        )
    return amount.quantize(_ONE_STEP, context=_EXACT)


def _currency(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise invalid("wrong_type", field, kind(value), "text is allowed")
    if value not in CURRENCIES:
        raise invalid(
            "invalid_value",
            field,
            shown(value),
            "an ISO 4217 code of three upper-case letters is allowed, such as USD",
        )
    return value


def _taken_error(
    strings: dict[str, str], booleans: dict[str, bool], others: set[str]
) -> SentError:
    for key in MAX_CHARACTERS:
        if key in booleans or key in others:
            raise invalid("wrong_type", _name(key), "no text", "text is allowed")
    if "error.handled" in strings or "error.handled" in others:
        raise invalid(
            "wrong_type", _name("error.handled"), "no boolean", "a boolean is allowed"
        )
    return SentError(
        message=strings.pop("error.message", ""),
        type=strings.pop("error.type", ""),
        stack=strings.pop("error.stack", ""),
        handled=booleans.pop("error.handled", False),
    )


def _name(key: str) -> str:
    return f"properties.{key}"
