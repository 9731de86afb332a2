from __future__ import annotations

import re

import pytest

from clamp_server.model.cohort import (
    ALLOWED_COHORT_NAMES,
    ALLOWED_DAYS,
    DaysAfter,
    check_cohort_name,
    decode_days_after,
)


@pytest.mark.parametrize("name", ["a", "new-users_2026", "x" * 200])
def test_a_cohorts_name_is_plain(name: str) -> None:
    check_cohort_name(name)


@pytest.mark.parametrize(
    "name", ["", "New", "a b", "a/b", "a,b", "é", "x" * 201, "a\n"]
)
def test_another_name_is_refused_with_what_is_allowed(name: str) -> None:
    message = f"must be {ALLOWED_COHORT_NAMES}; got {name[:60]!r}"

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_cohort_name(name)


def test_weeks_have_seven_days_and_repeats_are_dropped() -> None:
    assert decode_days_after("14d,2w,1d,2w,365d") == (
        DaysAfter("14d", 14),
        DaysAfter("2w", 14),
        DaysAfter("1d", 1),
        DaysAfter("365d", 365),
    )


@pytest.mark.parametrize(
    "text",
    ["", "0d", "d", "1", "1d,", "1d, 2d", "366d", "53w", "-1d", "1m", "٣d", "01d"],
)
def test_other_days_are_refused_with_what_is_allowed(text: str) -> None:
    message = f"must be {ALLOWED_DAYS}; got {text[:60]!r}"

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode_days_after(text)


def test_no_more_than_20_days_are_looked_at_once() -> None:
    text = ",".join(f"{days}d" for days in range(1, 22))

    with pytest.raises(ValueError, match=re.escape(ALLOWED_DAYS)):
        decode_days_after(text)
