"""Events to bytes. No I/O and no clock in here."""

from __future__ import annotations

import json
import json.encoder
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Union

# What to write in place of the types that callers pass first, by the name of
# the type or of one it inherits from: none of them has to be imported for this.
INSTEAD = {
    "Decimal": 'Money(value, "USD") for an amount, else float(value) or str(value)',
    "UUID": "str(value)",
    "datetime": "value.isoformat()",
    "date": "value.isoformat()",
    "time": "value.isoformat()",
    "timedelta": "value.total_seconds()",
    "Enum": "value.value",
    "generic": "value.item()",
    "bytes": "value.decode()",
    "PurePath": "str(value)",
    "NoneType": "nothing: leave the key out",
    "dict": "one property for each entry",
    "frozenset": 'one property for each entry, or ", ".join(value)',
    "ndarray": "one property for each entry",
    "list": 'one property for each entry, or ", ".join(value)',
    "tuple": 'one property for each entry, or ", ".join(value)',
    "set": 'one property for each entry, or ", ".join(value)',
    "object": "str(value)",
}


# `X | Y` in an alias is evaluated at import, which Python 3.9 cannot do.
Amount = Union[float, Decimal]


@dataclass(frozen=True)
class Money:
    """An amount in one currency.

    Attributes:
        amount: In major units: 29.00 is 29 dollars, not 29 cents. A `Decimal`
            reaches the server digit for digit.
        currency: ISO 4217 code, three upper-case letters.

    Raises:
        ValueError: If `amount` is not a finite number, or `currency` is not
            three upper-case letters.

    >>> Money(29.00, "USD")
    Money(amount=29.0, currency='USD')
    """

    amount: Amount
    currency: str

    def __post_init__(self) -> None:
        if not _is_amount(self.amount):
            raise ValueError(
                "Money needs a finite int, float or Decimal as its amount,"
                f" not {self.amount!r}"
            )
        if not _is_currency_code(self.currency):
            raise ValueError(
                "Money needs three upper-case letters as its currency,"
                f' such as "USD", not {self.currency!r}'
            )

    def to_wire(self) -> dict[str, Any]:
        """The two fields of the wire, as Python values."""
        return {"amount": self.amount, "currency": self.currency}


PropertyValue = Union[str, int, float, bool, Money]
Properties = Mapping[str, PropertyValue]


@dataclass
class Event:
    """One event, before it is sent: what `before_send` gets and may change.

    Attributes:
        name: What happened.
        timestamp: When: a `datetime` (UTC where it is naive), or ISO 8601 text,
            which goes out as it is.
        properties: A dict of the event's own.
        anonymous_id: The browser's id of the visitor.
        user_id: Your own id of the user.
    """

    name: str
    timestamp: datetime | str
    properties: dict[str, PropertyValue] = field(default_factory=dict)
    anonymous_id: str | None = None
    user_id: str | None = None


def encode_event(project_id: str, event: Event) -> bytes:
    """Write the body of `POST /e/s`; the same event is always the same bytes.

    Raises:
        ValueError: Names the property or field that JSON or the wire cannot take.
    """
    return utf8(f'{{"p":{json_text("p", project_id)},{members(event)}}}')


def project_member(project_id: str) -> bytes:
    """Write the member that every body begins with.

    Raises:
        ValueError: As `encode_event`.
    """
    return utf8(f'"p":{json_text("p", project_id)}')


def members(event: Event) -> str:
    """Write the members of an event, without the brackets around them.

    Raises:
        ValueError: As `encode_event`.
    """
    name = json_text("name", event.name)
    at = json_text("timestamp", _as_text(event.timestamp))
    others = optional_members(event.properties, event.anonymous_id, event.user_id)
    return f'"name":{name},"timestamp":{at}{others}'


def optional_members(
    properties: Properties, anonymous_id: str | None, user_id: str | None
) -> str:
    """Write the members that an event need not have, each behind a comma.

    Raises:
        ValueError: As `encode_event`.
    """
    # Joined by hand: `json` writes no Decimal without going through a float.
    members = ""
    if anonymous_id is not None:
        members = f',"anonymousId":{json_text("anonymousId", anonymous_id)}'
    if user_id is not None:
        members += f',"userId":{json_text("userId", user_id)}'
    if properties:
        members += f',"properties":{_properties(properties)}'
    return members


def _properties(properties: Properties) -> str:
    values = properties.values()
    if _TEXT.issuperset(map(type, properties)) and _PLAIN.issuperset(map(type, values)):
        # In one go, three times as fast as one by one. What has no JSON form is
        # found again below, which can name it.
        # (No `suppress` here: it takes a third of the time of all this.)
        try:
            return "".join(_plain_object(properties, 0))
        except ValueError:
            pass
    pairs = (_property(key, value) for key, value in properties.items())
    return f"{{{','.join(pairs)}}}"


# Made once: `json.dumps` with these options builds an encoder for every call.
_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
)
_json = _encoder.encode
# What it does with text, without the call.
_quoted = json.encoder.encode_basestring


def _made_once() -> Callable[[Any, int], Iterable[str]]:
    # And the encoder builds another one, in C, for every object: two fifths of the
    # time that five properties take. Its maker has no documentation, so without it
    # this is what `JSONEncoder` does for everybody.
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return lambda value, level: [_json(value)]
    plain: Callable[[Any, int], Iterable[str]] = make(
        None,
        _encoder.default,
        json.encoder.encode_basestring,
        None,
        ":",
        ",",
        False,
        False,
        False,
    )
    return plain


_plain_object = _made_once()
_TEXT = frozenset({str})
_PLAIN = frozenset({str, int, float, bool})


def json_text(member: str, value: object) -> str:
    """Write the value of a member that should be text.

    Raises:
        ValueError: Names the member, if JSON has no such value.
    """
    if type(value) is str:
        return _quoted(value)
    try:
        return _json(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{member} must be a str, not {type(value).__name__}: {error}"
        ) from error


def _property(key: str, value: PropertyValue) -> str:
    if not isinstance(key, str):
        raise ValueError(f"property keys must be str, and {key!r} is not")
    return f"{_json(key)}:{_property_value(key, value)}"


def _property_value(key: str, value: PropertyValue) -> str:
    if not isinstance(value, (str, int, float, Money)):
        raise ValueError(_unsupported(key, value))
    try:
        return _money(value) if isinstance(value, Money) else _json(value)
    except ValueError as error:
        # NaN, an infinity, or an int of thousands of digits.
        raise ValueError(f"property {key!r} has no JSON form: {error}") from error


def _unsupported(key: str, value: object) -> str:
    kinds = type(value).__mro__
    instead = next(INSTEAD[kind.__name__] for kind in kinds if kind.__name__ in INSTEAD)
    return (
        f"property {key!r} has the unsupported type {type(value).__name__}:"
        f" write {instead}. Allowed: str, int, float, bool, Money."
    )


def _money(money: Money) -> str:
    amount = money.amount
    # Every finite Decimal prints as a JSON number: 0.10, 1E+3. A class that
    # inherits from it may print itself as something else.
    digits = Decimal.__str__(amount) if isinstance(amount, Decimal) else _json(amount)
    return f'{{"amount":{digits},"currency":{_json(money.currency)}}}'


def _is_amount(amount: object) -> bool:
    if isinstance(amount, Decimal):
        return amount.is_finite()
    if isinstance(amount, float):
        return math.isfinite(amount)
    return isinstance(amount, int) and not isinstance(amount, bool)


def _is_currency_code(currency: object) -> bool:
    return (
        isinstance(currency, str)
        and len(currency) == 3
        and currency.isascii()
        and currency.isalpha()
        and currency.isupper()
    )


def _as_text(timestamp: datetime | str) -> str:
    if not isinstance(timestamp, datetime):
        return timestamp
    # Python also calls a time with a tzinfo naive, when that gives no offset.
    if timestamp.utcoffset() is None:
        timestamp = timestamp.replace(tzinfo=timezone.utc)
    text = timestamp.isoformat()
    if text.endswith("+00:00"):
        text = text[: -len("+00:00")] + "Z"
    return text


def utf8(text: str) -> bytes:
    """Write text as what every body is."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair, as broken JavaScript or file names give: a pair
        # becomes its character, a half becomes U+FFFD.
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.encode()
