from __future__ import annotations

import json
import pickle
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_analytics import Money
from clamp_analytics._wire import (
    Event,
    encode_event,
    project_member,
)

AT = "2026-04-29T12:00:00Z"


def properties_text(**properties: Any) -> str:
    return properties_text_of(properties)


def properties_text_of(properties: dict[str, Any]) -> str:
    body = encode_event("proj_x", Event("e", AT, properties)).decode()
    return body.partition('"properties":')[2][:-1]


class Plan(str, Enum):
    PRO = "pro"


class Tier(IntEnum):
    GOLD = 3


class Color(Enum):
    RED = "red"


class OffsetlessZone(tzinfo):
    def utcoffset(self, when: datetime | None) -> None:
        return None

    def dst(self, when: datetime | None) -> None:
        return None

    def tzname(self, when: datetime | None) -> None:
        return None


def test_the_bare_event_has_project_name_and_timestamp() -> None:
    body = encode_event("proj_x", Event("signup", AT))

    assert body == b'{"p":"proj_x","name":"signup","timestamp":"2026-04-29T12:00:00Z"}'


def test_the_full_event_has_both_ids_and_the_properties() -> None:
    event = Event("signup", AT, {"plan": "pro"}, anonymous_id="aid_1", user_id="u_1")

    assert json.loads(encode_event("proj_x", event)) == {
        "p": "proj_x",
        "name": "signup",
        "timestamp": AT,
        "anonymousId": "aid_1",
        "userId": "u_1",
        "properties": {"plan": "pro"},
    }


def test_empty_properties_are_left_out() -> None:
    assert encode_event("p", Event("e", AT, {})) == encode_event("p", Event("e", AT))


def test_every_allowed_type_reaches_the_wire_as_itself() -> None:
    text = properties_text(
        plan="pro",
        seats=3,
        share=0.15,
        paid=True,
        refunded=False,
        total=Money(29.0, "USD"),
    )

    assert text == (
        '{"plan":"pro","seats":3,"share":0.15,"paid":true,"refunded":false,'
        '"total":{"amount":29.0,"currency":"USD"}}'
    )


def test_subclasses_of_str_and_int_are_sent_by_their_value() -> None:
    assert properties_text(plan=Plan.PRO, tier=Tier.GOLD) == '{"plan":"pro","tier":3}'


@pytest.mark.parametrize(
    ("amount", "digits"),
    [
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1E+3"),
        (Decimal("-0.000000001"), "-1E-9"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (29, "29"),
        (29.0, "29.0"),
        (-4.35, "-4.35"),
    ],
)
def test_an_amount_keeps_its_digits(amount: float | Decimal, digits: str) -> None:
    text = properties_text(total=Money(amount, "USD"))

    assert text == f'{{"total":{{"amount":{digits},"currency":"USD"}}}}'


class Price(Decimal):
    def __str__(self) -> str:
        return f"${super().__str__()}"


def test_an_amount_that_prints_itself_otherwise_is_sent_as_its_digits() -> None:
    assert properties_text(total=Money(Price("1.50"), "USD")) == (
        '{"total":{"amount":1.50,"currency":"USD"}}'
    )


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_finite_decimal_comes_back_equal(amount: Decimal) -> None:
    text = properties_text(total=Money(amount, "USD"))

    read = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert read["total"] == {"amount": amount, "currency": "USD"}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans()))
def test_any_properties_come_back_equal(properties: dict[str, Any]) -> None:
    body = json.loads(encode_event("proj_x", Event("e", AT, properties)))

    assert body.get("properties", {}) == properties


@pytest.mark.parametrize(
    ("value", "kind", "instead"),
    [
        (Decimal("1.5"), "Decimal", 'Money(value, "USD") for an amount'),
        (UUID(int=1), "UUID", "str(value)"),
        (datetime(2026, 1, 1, tzinfo=timezone.utc), "datetime", "value.isoformat()"),
        (date(2026, 1, 1), "date", "value.isoformat()"),
        (timedelta(1), "timedelta", "value.total_seconds()"),
        (Color.RED, "Color", "value.value"),
        (b"raw", "bytes", "value.decode()"),
        (PurePosixPath("/x"), "PurePosixPath", "str(value)"),
        (None, "NoneType", "nothing: leave the key out"),
        ({"a": 1}, "dict", "one property for each entry"),
        ([1, 2], "list", 'one property for each entry, or ", ".join(value)'),
        (object(), "object", "str(value)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_type_is_refused_with_what_to_write_instead(
    value: Any, kind: str, instead: str
) -> None:
    with pytest.raises(ValueError, match="unsupported type") as caught:
        properties_text(extra=value)

    message = str(caught.value)
    assert message.startswith(
        f"property 'extra' has the unsupported type {kind}: write {instead}"
    )
    assert message.endswith("Allowed: str, int, float, bool, Money.")


def test_a_numpy_scalar_is_told_from_its_family() -> None:
    generic = type("generic", (), {})
    int64 = type("int64", (generic,), {})

    with pytest.raises(ValueError, match=r"type int64: write value\.item\(\)"):
        properties_text(n=int64())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_without_a_json_form_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match="property 'share' has no JSON form"):
        properties_text(share=value)


def test_an_int_of_thousands_of_digits_is_sent_or_refused_by_name() -> None:
    assert properties_text(n=2**200) == f'{{"n":{2**200}}}'
    with pytest.raises(ValueError, match="property 'n' has no JSON form"):
        properties_text(n=10**5000)
    with pytest.raises(ValueError, match="property 'total' has no JSON form"):
        properties_text(total=Money(10**5000, "USD"))


def test_a_key_that_is_not_text_is_refused() -> None:
    properties: Any = {1: "x"}

    with pytest.raises(ValueError, match="property keys must be str, and 1 is not"):
        encode_event("proj_x", Event("e", AT, properties))


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (Event(UUID(int=1), AT), "name"),  # type: ignore[arg-type]  # the wrong type is the case
        (Event("e", date(2026, 1, 1)), "timestamp"),  # type: ignore[arg-type]  # likewise
        (Event("e", AT, {}, UUID(int=1)), "anonymousId"),  # type: ignore[arg-type]  # likewise
        (Event("e", AT, {}, None, UUID(int=1)), "userId"),  # type: ignore[arg-type]  # likewise
    ],
    ids=["name", "timestamp", "anonymousId", "userId"],
)
def test_a_field_without_a_json_form_is_refused_by_name(
    event: Event, field: str
) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be a str, not "):
        encode_event("proj_x", event)


def test_a_number_as_an_id_goes_out_as_it_did_in_0_2_0() -> None:
    event = Event("e", AT, {}, 42)  # type: ignore[arg-type]  # callers pass primary keys

    assert json.loads(encode_event("proj_x", event))["anonymousId"] == 42


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (datetime(2026, 4, 29, 12, tzinfo=timezone.utc), "2026-04-29T12:00:00Z"),
        (datetime(2026, 4, 29, 12), "2026-04-29T12:00:00Z"),  # noqa: DTZ001  # naive is the case
        (
            datetime(2026, 4, 29, 12, 0, 0, 123456, timezone.utc),
            "2026-04-29T12:00:00.123456Z",
        ),
        (
            datetime(2026, 4, 29, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            "2026-04-29T12:00:00+05:30",
        ),
        (datetime(2026, 4, 29, 12, tzinfo=OffsetlessZone()), "2026-04-29T12:00:00Z"),
        ("yesterday, more or less", "yesterday, more or less"),
    ],
    ids=["utc", "naive", "microseconds", "offset", "no offset", "text"],
)
def test_a_timestamp_keeps_its_offset_and_naive_is_utc(
    timestamp: datetime | str, text: str
) -> None:
    body = json.loads(encode_event("proj_x", Event("e", timestamp)))

    assert body["timestamp"] == text


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("caf\u00e9 \U0001f600", "caf\u00e9 \U0001f600"),
        ("half \ud83d", "half \ufffd"),
        ("pair \ud83d\ude00", "pair \U0001f600"),
        ("\x00\x1f\u2028", "\x00\x1f\u2028"),
    ],
    ids=["unicode", "half a pair", "a pair in halves", "control"],
)
def test_any_text_is_sent_as_valid_utf8(text: str, sent: str) -> None:
    body = json.loads(encode_event("proj_x", Event(text, AT, {text: text}, text)))

    assert body == {
        "p": "proj_x",
        "name": sent,
        "timestamp": AT,
        "anonymousId": sent,
        "properties": {sent: sent},
    }


@pytest.mark.parametrize(
    "amount",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        True,
        "29.00",
        None,
        1 + 2j,
    ],
    ids=repr,
)
def test_money_refuses_what_is_not_a_finite_number(amount: Any) -> None:
    with pytest.raises(ValueError, match="Money needs a finite int, float or Decimal"):
        Money(amount, "USD")


@pytest.mark.parametrize(
    "currency", ["usd", "US", "USDT", "U$D", "\u00dcSD", "", 840, None], ids=repr
)
def test_money_refuses_what_is_not_three_capital_letters(currency: Any) -> None:
    with pytest.raises(ValueError, match="three upper-case letters as its currency"):
        Money(29.0, currency)


def test_money_is_a_frozen_value() -> None:
    money = Money(29.0, "USD")

    assert {money, Money(29, "USD"), Money(Decimal("29.00"), "USD")} == {money}
    assert money != Money(29.0, "EUR")
    assert repr(money) == "Money(amount=29.0, currency='USD')"
    assert pickle.loads(pickle.dumps(money)) == money
    with pytest.raises(AttributeError):
        money.amount = 1.0  # type: ignore[misc]  # what is tested


def test_money_to_wire_still_gives_the_two_fields() -> None:
    assert Money(29.0, "USD").to_wire() == {"amount": 29.0, "currency": "USD"}


def test_a_project_is_written_as_every_body_begins() -> None:
    assert project_member('pr"oj\ud83d') == '"p":"pr\\"oj\ufffd"'.encode()


# Without its part in C, as on other Pythons.
WITHOUT_C = """
import sys
for name in [name for name in sys.modules if name.split(".")[0] == "json"]:
    del sys.modules[name]
sys.modules["_json"] = None
import json.encoder
assert json.encoder.c_make_encoder is None
from clamp_analytics._wire import Event, encode_event
event = Event("e", "t", {"plan": "caf\u00e9", "n": 1, "share": 0.5, "paid": True})
sys.stdout.buffer.write(encode_event("p", event))
"""


def test_without_the_encoder_in_c_the_bytes_are_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_C], capture_output=True, check=True
    )
    event = Event("e", "t", {"plan": "caf\u00e9", "n": 1, "share": 0.5, "paid": True})

    assert (done.stdout, done.stderr) == (encode_event("p", event), b"")


def test_an_event_is_a_value_that_may_be_changed() -> None:
    event = Event("signup", AT)
    event.properties["plan"] = "pro"
    event.user_id = "u_1"

    assert event == Event("signup", AT, {"plan": "pro"}, user_id="u_1")
    assert Event("signup", AT).properties == {}
