from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_server.model.funnel import (
    ALLOWED_FUNNEL_NAMES,
    ALLOWED_STEP,
    Predicate,
    Step,
    check_funnel_name,
    decode_step,
    kind_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("signup", {"event": "signup"}),
        ("ünï 🛒", {"event": "ünï 🛒"}),
        ("$pageview", {"event": "$pageview"}),
        ("pageviews:/", {"event": "pageviews:/"}),
        ("pageview:/", {"event": "$pageview", "path": "/"}),
        ("pageview:/ü b", {"event": "$pageview", "path": "/ü b"}),
        (
            "pageview:/blog/*",
            {"event": "$pageview", "path": "/blog/", "is_prefix": True},
        ),
        ("pageview:/a*b", {"event": "$pageview", "path": "/a*b"}),
        ("pageview:/*", {"event": "$pageview", "path": "/", "is_prefix": True}),
        (
            "signup[plan=pro]",
            {"event": "signup", "predicates": (Predicate("plan", "string", "pro"),)},
        ),
        (
            "buy[plan:s=5][items:n=3][refunded:b=false]",
            {
                "event": "buy",
                "predicates": (
                    Predicate("plan", "string", "5"),
                    Predicate("items", "number", 3.0),
                    Predicate("refunded", "boolean", False),
                ),
            },
        ),
        (
            "buy[a=][og:title:s=x=[y][n:n=-2.5e3]",
            {
                "event": "buy",
                "predicates": (
                    Predicate("a", "string", ""),
                    Predicate("og:title", "string", "x=[y"),
                    Predicate("n", "number", -2500.0),
                ),
            },
        ),
        (
            "signup[country=DE]",
            {"event": "signup", "predicates": (Predicate("country", "string", "DE"),)},
        ),
        (
            "pageview:/[utm_source=ad][country:s=DE][theme=dark][city:n=1]",
            {
                "event": "$pageview",
                "path": "/",
                "predicates": (
                    Predicate("utm_source", "string", "ad", is_dimension=True),
                    Predicate("country", "string", "DE", is_dimension=True),
                    Predicate("theme", "string", "dark"),
                    Predicate("city", "number", 1.0),
                ),
            },
        ),
    ],
)
def test_a_step_is_read(text: str, expected: dict[str, Any]) -> None:
    assert decode_step(text) == Step(text=text, **expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"must have {ALLOWED_STEP}; got ''"),
        ("[a=b]", f"must have {ALLOWED_STEP}; got '[a=b]'"),
        ("signup]", f"must have {ALLOWED_STEP}; got 'signup]'"),
        ("signup[a=b", f"must have {ALLOWED_STEP}; got 'signup[a=b'"),
        ("signup[a=b]c", f"must have {ALLOWED_STEP}; got 'signup[a=b]c'"),
        ("signup[a=b]]", f"must have {ALLOWED_STEP}; got 'signup[a=b]]'"),
        ("x" * 501, f"must have {ALLOWED_STEP}; got 501 characters"),
        ("signup[]", "a predicate is [key=value]; got '[]'"),
        ("signup[plan]", "a predicate is [key=value]; got '[plan]'"),
        ("signup[=pro]", "a predicate is [key=value]; got '[=pro]'"),
        ("signup[:n=3]", "a predicate is [key=value]; got '[:n=3]'"),
        (
            "signup[a:x=3]",
            "the type of a predicate is s, n or b, as in [a:n=3]; got 'x'",
        ),
        ("signup[a:n=three]", "[a:n] must be a number; got 'three'"),
        ("signup[a:n=]", "[a:n] must be a number; got ''"),
        ("signup[a:n=1_0]", "[a:n] must be a number; got '1_0'"),
        ("signup[a:n=٣]", "[a:n] must be a number; got '٣'"),
        ("signup[a:n=nan]", "[a:n] must be a number; got 'nan'"),
        ("signup[a:n=1e999]", "[a:n] must be a number; got '1e999'"),
        ("signup[a:b=True]", "[a:b] must be true or false; got 'True'"),
        ("pageview:blog", "the path of a pageview: step begins with /; got 'blog'"),
        ("pageview:", "the path of a pageview: step begins with /; got ''"),
        ("pageview:*", "the path of a pageview: step begins with /; got '*'"),
    ],
)
def test_a_bad_step_is_refused_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decode_step(text)


keys = st.text("abc:é _.", min_size=1, max_size=6)
values = st.text("ab=[: é5", max_size=6)
predicates = st.one_of(
    st.builds(Predicate, keys, st.just("string"), values),
    st.builds(
        Predicate,
        keys,
        st.just("number"),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    st.builds(Predicate, keys, st.just("boolean"), st.booleans()),
)


def written(predicate: Predicate) -> str:
    value = predicate.value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"[{predicate.key}:{predicate.kind[0]}={text}]"


@given(
    event=st.text("abc:é $=", min_size=1, max_size=6),
    found=st.lists(predicates, max_size=5),
)
def test_what_is_written_out_is_read_again(event: str, found: list[Predicate]) -> None:
    text = event + "".join(map(written, found))

    assert decode_step(text) == Step(text=text, event=event, predicates=tuple(found))


@given(text=st.text("ab:=[]*/n1", max_size=20) | st.text(max_size=20))
def test_any_text_is_a_step_or_is_refused(text: str) -> None:
    read: list[str] = []
    with contextlib.suppress(ValueError):
        read = [decode_step(text).text]

    assert read in ([], [text])


@pytest.mark.parametrize("name", ["a", "Check-out 🛒", "x" * 200, ".", "a b"])
def test_a_funnels_name_may_be_any_words(name: str) -> None:
    check_funnel_name(name)


@pytest.mark.parametrize("name", ["", "a/b", "a,b", "[a", "a]", "x" * 201, "a\nb"])
def test_a_name_that_a_path_or_a_list_cannot_hold_is_refused(name: str) -> None:
    message = f"must be {ALLOWED_FUNNEL_NAMES}; got {name[:60]!r}"

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_funnel_name(name)


def test_a_value_tells_its_type() -> None:
    assert [kind_of(value) for value in ("5", 5.0, 5, True)] == [
        "string",
        "number",
        "number",
        "boolean",
    ]
