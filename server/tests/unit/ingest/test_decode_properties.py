from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamp_server.errors import InvalidRequestError
from clamp_server.ingest.decode_properties import decode_properties
from clamp_server.model.event import Properties, SentError
from clamp_server.model.money import Money

VALUE = "text, a number, a boolean or money is allowed"
MONEY = 'money is exactly {"amount": number, "currency": "USD"}'
LARGEST = "at most 1.7976931348623157e308 is allowed"
CODE = "an ISO 4217 code of three upper-case letters is allowed, such as USD"


def money(amount: object, currency: object = "USD") -> dict[str, object]:
    return {"total": {"amount": amount, "currency": currency}}


def refusal(sent: object, is_error: bool = False) -> tuple[str, str]:
    with pytest.raises(InvalidRequestError) as refused:
        decode_properties(sent, is_error)
    return refused.value.code, refused.value.message


def test_each_type_has_its_own_place() -> None:
    sent = {
        "plan": "pro",
        "empty": "",
        "five": "5",
        "seats": 5,
        "ratio": Decimal("0.25"),
        "tiny": Decimal("1e-400"),
        "trial": True,
        "total": {"amount": Decimal("29.10"), "currency": "USD"},
        "absent": None,
    }

    assert decode_properties(sent, is_error=False) == (
        Properties(
            strings={"plan": "pro", "empty": "", "five": "5"},
            numbers={"seats": 5.0, "ratio": 0.25, "tiny": 0.0},
            booleans={"trial": True},
            money={"total": Money(Decimal("29.10"), "USD")},
        ),
        None,
    )


@pytest.mark.parametrize("sent", [None, "", {}, {"gone": None}])
def test_no_properties(sent: object) -> None:
    assert decode_properties(sent, is_error=False) == (Properties(), None)


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        ([], "wrong_type", "properties: got an array; an object is allowed"),
        ("a", "wrong_type", "properties: got text; an object is allowed"),
        (5, "wrong_type", "properties: got a number; an object is allowed"),
        (False, "wrong_type", "properties: got a boolean; an object is allowed"),
        ({"a": [1]}, "wrong_type", f"properties.a: got an array; {VALUE}"),
        ({"a": {}}, "wrong_type", f"properties.a: got another object; {MONEY}"),
        ({"a": {"b": 1}}, "wrong_type", f"properties.a: got another object; {MONEY}"),
        (
            {"a": {"amount": 1, "currency": "USD", "c": 1}},
            "wrong_type",
            f"properties.a: got another object; {MONEY}",
        ),
        (
            {"": 1},
            "over_limit",
            'properties, key "": got 0 characters; 1 to 128 are allowed',
        ),
        (
            {"k" * 129: 1},
            "over_limit",
            f'properties, key "{"k" * 40}…": got 129 characters; 1 to 128 are allowed',
        ),
        (
            {"a": "x" * 513},
            "over_limit",
            "properties.a: got text of 513 characters; at most 512 are allowed",
        ),
        (
            {"a": Decimal("1e400")},
            "over_limit",
            f"properties.a: got a number that a 64-bit float cannot hold; {LARGEST}",
        ),
        (
            {"a": -(10**400)},
            "over_limit",
            f"properties.a: got a number that a 64-bit float cannot hold; {LARGEST}",
        ),
        (
            {f"k{n}": n for n in range(21)},
            "over_limit",
            "properties: got 21 keys; at most 20 are allowed",
        ),
    ],
)
def test_the_refusal_names_the_property(sent: object, code: str, message: str) -> None:
    assert refusal(sent) == (code, message)


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        (
            money("29.00"),
            "wrong_type",
            "properties.total.amount: got text; a number is allowed",
        ),
        (
            money(True),
            "wrong_type",
            "properties.total.amount: got a boolean; a number is allowed",
        ),
        (
            money(None),
            "wrong_type",
            "properties.total.amount: got null; a number is allowed",
        ),
        *(
            (
                money(amount),
                "over_limit",
                "properties.total.amount: got too large an amount; at most"
                " 1000000000000000 is allowed",
            )
            for amount in (10**15 + 1, Decimal("-1e16"), Decimal("1e999999999"))
        ),
        (
            money(1, 978),
            "wrong_type",
            "properties.total.currency: got a number; text is allowed",
        ),
        *(
            (
                money(1, currency),
                "invalid_value",
                f'properties.total.currency: got "{currency}"; {CODE}',
            )
            for currency in (
                "usd",
                "US",
                "USDX",
                "ZZZ",
                "XXX",
                "",
                "\uff35\uff33\uff24",
            )
        ),
    ],
)
def test_the_refusal_says_what_money_is(sent: object, code: str, message: str) -> None:
    assert refusal(sent) == (code, message)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (29, "29"),
        (Decimal("0.1"), "0.1"),
        (Decimal("-4.35"), "-4.35"),
        (Decimal("0.30000000000000004"), "0.30000000000000004"),
        (Decimal("999999999999999.123456789012345678"), None),
        (Decimal("1e15"), "1000000000000000"),
        (Decimal("1e-18"), "0.000000000000000001"),
        (Decimal("0.0000000000000000005"), "0"),
        (Decimal("0.0000000000000000015"), "0.000000000000000002"),
        (Decimal("1e-999999999"), "0"),
    ],
)
def test_an_amount_is_exact_to_eighteen_decimals(
    sent: int | Decimal, kept: str | None
) -> None:
    properties, _ = decode_properties(money(sent), is_error=False)

    assert properties.money == {"total": Money(Decimal(kept or sent), "USD")}


@settings(deadline=None)
@given(st.decimals(-(10**15), 10**15, allow_nan=False, places=18))
def test_every_allowed_amount_comes_back_unchanged(amount: Decimal) -> None:
    properties, _ = decode_properties(money(amount), is_error=False)

    assert properties.money["total"].amount == amount


@pytest.mark.parametrize(
    ("key", "longest"),
    [
        ("note", 512),
        ("error.code", 512),
        ("error.message", 1024),
        ("error.type", 64),
        ("error.stack", 16_384),
    ],
)
@pytest.mark.parametrize("is_error", [False, True])
def test_lengths_count_characters(key: str, longest: int, is_error: bool) -> None:
    decode_properties({key: "😀" * longest}, is_error)

    assert refusal({key: "x" * (longest + 1)}, is_error) == (
        "over_limit",
        f"properties.{key}: got text of {longest + 1} characters;"
        f" at most {longest} are allowed",
    )


def test_what_an_error_brings_does_not_count() -> None:
    sent: dict[str, object] = {f"k{n}": n for n in range(20)}
    error = {
        "error.message": "no",
        "error.type": "E",
        "error.stack": "at",
        "error.handled": True,
    }

    assert decode_properties(sent | error | {"gone": None}, is_error=True) == (
        Properties(numbers={f"k{n}": float(n) for n in range(20)}),
        SentError(message="no", type="E", stack="at", handled=True),
    )


def test_error_properties_of_another_event_are_properties() -> None:
    assert decode_properties({"error.message": "no", "a": 1}, is_error=False) == (
        Properties(strings={"error.message": "no"}, numbers={"a": 1.0}),
        None,
    )


def test_an_error_may_come_with_nothing_about_it() -> None:
    assert decode_properties(None, is_error=True) == (Properties(), SentError())


@pytest.mark.parametrize("key", ["error.message", "error.type", "error.stack"])
@pytest.mark.parametrize(
    "value", [5, True, {"amount": 1, "currency": "USD"}, Decimal("0.5")]
)
def test_the_texts_of_an_error_are_texts(key: str, value: object) -> None:
    assert refusal({key: value}, is_error=True) == (
        "wrong_type",
        f"properties.{key}: got no text; text is allowed",
    )


@pytest.mark.parametrize("value", ["true", 1, {"amount": 1, "currency": "USD"}])
def test_handled_is_a_boolean(value: object) -> None:
    assert refusal({"error.handled": value}, is_error=True) == (
        "wrong_type",
        "properties.error.handled: got no boolean; a boolean is allowed",
    )
