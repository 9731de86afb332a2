from collections import Counter

import pytest

from clamp_server.model.currency import CURRENCIES


def test_a_code_is_three_upper_case_letters() -> None:
    odd = [
        code
        for code in CURRENCIES
        if len(code) != 3 or not (code.isascii() and code.isalpha() and code.isupper())
    ]

    assert odd == []


@pytest.mark.parametrize(
    ("code", "decimals"),
    [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XAU", 2), ("HRK", 2)],
)
def test_a_currency_has_its_own_number_of_decimals(code: str, decimals: int) -> None:
    assert CURRENCIES[code] == decimals


@pytest.mark.parametrize("code", ["XXX", "ZZZ", "ABC", "BTC", "usd", ""])
def test_what_is_not_a_currency_is_not_in_the_list(code: str) -> None:
    assert code not in CURRENCIES


def test_every_code_is_listed_once() -> None:
    assert Counter(CURRENCIES.values()) == {2: 139 + 12 + 49, 0: 17 + 13, 3: 7, 4: 2}
