import doctest
from datetime import timedelta
from decimal import Decimal
from types import ModuleType

import pytest
from tests.make import NOON

from clamp_server.model.money import Money
from clamp_server.web import chart, sign_in, words


@pytest.mark.parametrize("module", [words, chart, sign_in])
def test_the_examples_in_the_docstrings_hold(module: ModuleType) -> None:
    examples = doctest.testmod(module)

    assert (examples.failed, examples.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53, "9007199254740992.0"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
    ],
)
def test_a_number_reads_as_it_was_written(number: float, text: str) -> None:
    assert words.number_text(number) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("29.000000000000000000", "USD", "USD 29.00"),
        ("0", "EUR", "EUR 0.00"),
        ("-1234.5", "USD", "USD -1,234.50"),
        ("12000", "JPY", "JPY 12,000"),
        ("1.5", "JPY", "JPY 1.5"),
        ("0.005", "USD", "USD 0.005"),
        ("1.25", "KWD", "KWD 1.250"),
        ("1E+3", "USD", "USD 1,000.00"),
        ("7", "???", "??? 7.00"),
    ],
)
def test_money_is_exact_with_its_currencys_decimals(
    amount: str, currency: str, text: str
) -> None:
    assert words.money_text(Money(Decimal(amount), currency)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3600, "0 s ago"),
        (0, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_400, "1 d ago"),
        (40 * 86_400, "40 d ago"),
    ],
)
def test_how_long_ago_has_one_unit(seconds: int, text: str) -> None:
    assert words.ago(NOON - timedelta(seconds=seconds), NOON) == text


def test_only_a_longer_text_is_cut() -> None:
    assert [words.shortened(text, 4) for text in ("", "abcd", "abcde")] == [
        "",
        "abcd",
        "abc…",
    ]
