from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_analytics.integrations import _visitor
from clamp_analytics.integrations._visitor import anonymous_id, cookie_of, usable_id


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(_visitor).failed == 0


@given(st.text(max_size=200) | st.integers() | st.none())
def test_an_id_is_short_and_printable(candidate: object) -> None:
    found = usable_id(candidate)

    assert found is None or (1 <= len(found) <= 128 and found.isprintable())


def test_a_cookie_that_is_no_id_gives_way_to_the_header() -> None:
    assert anonymous_id("a\x00b", "aid_1") == "aid_1"


def test_128_characters_are_an_id() -> None:
    assert usable_id("a" * 128) == "a" * 128


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("", None),
        ("clamp_aid=aid_1", "aid_1"),
        ("a=1;clamp_aid=aid_1; clamp_aid=aid_2", "aid_1"),
        ("clamp_aid", ""),
        ("CLAMP_AID=aid_1", None),
        ("other=clamp_aid=aid_1", None),
        ("clamp_aid=a=b", "a=b"),
    ],
)
def test_the_cookie_is_found_among_others(header: str, value: str | None) -> None:
    assert cookie_of(header) == value
