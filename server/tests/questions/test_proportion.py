from __future__ import annotations

import pytest

from clamp_server.questions.proportion import (
    change,
    difference,
    percent,
    tenths,
    whole,
)


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (9, 8, "+12.5%"),
        (966, 1000, "-3.4%"),
        (5, 5, "0%"),
        (10_000, 9_999, "0%"),
        (0, 0, "0%"),
        (3, 0, "New"),
        (0.1, 0, "New"),
        (0, 4, "-100.0%"),
        (20, 1, "+1900.0%"),
        (33.4, 33.3, "+0.3%"),
        (2001, 2000, "+0.1%"),
    ],
)
def test_a_change_is_signed_and_in_percent_of_before(
    now: float, before: float, expected: str
) -> None:
    assert change(now, before) == expected


def test_shares_and_means_are_rounded_half_up_and_nothing_is_zero() -> None:
    assert [
        percent(1, 8),
        percent(1, 2000),
        percent(3, 3),
        percent(0, 0),
        tenths(5, 4),
        whole(5, 2),
        whole(7, 2),
        whole(0, 0),
    ] == [12.5, 0.1, 100.0, 0.0, 1.3, 3, 4, 0]


def test_a_difference_has_no_binary_noise() -> None:
    assert [difference(33.3, 50.0), difference(0.3, 0.1), difference(2, 5)] == [
        -16.7,
        0.2,
        -3,
    ]
