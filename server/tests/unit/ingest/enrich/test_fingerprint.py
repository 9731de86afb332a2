import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clamp_server.ingest.enrich.fingerprint import bug, fingerprint, fingerprint_parts
from clamp_server.model.event import Bug, SentError

# Stacks of real interpreters, but for those that say otherwise. What is in there
# never changes: other rules are another version, with a file of their own.
GOLDEN = json.loads(
    (Path(__file__).parents[3] / "data/fingerprints_v1.json").read_text()
)
DIRECTORIES = st.lists(
    st.text("abcdefgh0123456789.-_", min_size=1, max_size=8), max_size=5
).map(lambda parts: "".join(f"/{part}" for part in parts))
LINES = st.integers(min_value=1, max_value=99_999)


def python_stack(directory: str, line: int) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "{directory}/main.py", line {line + 3}, in <module>\n'
        "    checkout(cart)\n"
        f'  File "{directory}/shop/cart.py", line {line}, in checkout\n'
        "    raise ValueError(cart)\n"
        "ValueError: cart"
    )


def node_stack(directory: str, line: int) -> str:
    return (
        "Error: cart\n"
        f"    at checkout ({directory}/shop/cart.js:{line}:5)\n"
        f"    at {directory}/main.js:{line + 3}:1"
    )


def of(message: str, stack: str = "") -> str:
    return fingerprint(fingerprint_parts(message, stack))


@pytest.mark.parametrize("sample", GOLDEN, ids=lambda sample: sample["name"])
def test_the_frozen_rules_of_version_1_hold(sample: dict[str, Any]) -> None:
    found = bug(SentError(message=sample["message"], stack=sample["stack"]))

    assert (
        found.fingerprint_version,
        found.fingerprint_parts,
        found.fingerprint,
    ) == (1, sample["parts"], sample["fingerprint"])


def test_a_bug_is_what_was_sent_and_its_fingerprint() -> None:
    error = SentError(message="no item 7", type="KeyError", stack="x", handled=True)
    parts = "message: no item <number>\nstack: x"

    assert bug(error) == Bug(
        message="no item 7",
        type="KeyError",
        stack="x",
        handled=True,
        fingerprint=hashlib.sha256(parts.encode()).hexdigest()[:16],
        fingerprint_version=1,
        fingerprint_parts=parts,
    )


def test_without_message_and_stack_there_is_no_fingerprint() -> None:
    assert bug(SentError(type="KeyError")) == Bug(type="KeyError")


def test_blanks_are_as_good_as_nothing() -> None:
    assert bug(SentError(message=" ", stack="\n \n")).fingerprint == ""


@settings(deadline=None)
@given(DIRECTORIES, LINES)
def test_one_bug_on_every_machine_and_after_every_shift(
    directory: str, line: int
) -> None:
    found = {
        of("no cart", python_stack(directory, line)),
        of("no cart", python_stack("/app", 7)),
    }

    assert len(found) == 1


@settings(deadline=None)
@given(DIRECTORIES, LINES)
def test_one_bug_of_javascript_on_every_machine(directory: str, line: int) -> None:
    found = {
        of("no cart", node_stack(directory, line)),
        of("no cart", node_stack("/app", 7)),
    }

    assert len(found) == 1


@settings(deadline=None)
@given(st.integers(min_value=0), st.uuids(), st.text("abc xyz,.!", max_size=20))
def test_one_bug_for_every_number_id_and_quoted_value(
    number: int, id_: UUID, text: str
) -> None:
    message = f"order {number} of '{text}' at {number / 7:.3f}: {id_} {id_.hex}x"
    other = f"order 4711 of 'ann' at 1.5: {UUID(int=5)} 0a0a0a0a0a0a0a0ax"

    assert of(message.removesuffix("x")) == of(other.removesuffix("x"))


def test_different_bugs_have_different_fingerprints() -> None:
    stack = python_stack("/app", 7)
    bugs = [
        ("no cart", stack),
        ("no user", stack),
        ("no cart", stack.replace("checkout", "refund")),
        ("no cart", stack.replace("cart.py", "order.py")),
        ("no cart", node_stack("/app", 7)),
        ("", stack),
        ("no cart", ""),
        ("no user", ""),
        ("'Cart' object has no attribute 'total'", ""),
        ("'Cart' object has no attribute 'items'", ""),
        ("Cannot read properties of undefined (reading 'total')", ""),
        ("Cannot read properties of undefined (reading 'items')", ""),
    ]

    assert len({of(*parts) for parts in bugs}) == len(bugs)


def test_a_file_that_every_package_has_is_known_by_its_package() -> None:
    orders = 'File "/app/orders/views.py", line 3, in get'
    users = 'File "/app/users/views.py", line 3, in get'

    assert of("'id'", orders) != of("'id'", users)


@pytest.mark.parametrize("cut_at", [200, 300, 400])
def test_a_stack_cut_in_its_middle_is_the_same_bug(cut_at: int) -> None:
    deep = "".join(
        f'  File "/app/shop/deep.py", line {n}, in step\n    step()\n'
        for n in range(50)
    )
    head, _, tail = python_stack("/app", 7).partition("    checkout(cart)\n")
    whole = f"{head}{deep}{tail}"
    cut = f"{whole[:cut_at]}\n... 999 characters cut ...\n{whole[-170:]}"

    assert of("no cart", cut) == of("no cart", whole)


@pytest.mark.parametrize(
    "line",
    [
        "at a.",
        "at a (",
        "at x.y(",
        "at f (a-",
        '  File "',
        "#1 a(1): ",
        " in a:1",
        "a:1:in `",
        "a(a",
        "@a:1:1/",
        "goroutine 1 [",
        "\t",
        "::",
    ],
)
def test_the_worst_of_stacks_is_told_by_how_it_starts(line: str) -> None:
    long_line = line * (16_384 // len(line))
    many_lines = (line * (900 // len(line)) + "\n") * 18

    found = [
        bug(SentError(message="no", stack=stack)).fingerprint_parts.startswith(
            "message: no"
        )
        for stack in (long_line, many_lines)
    ]

    assert found == [True, True]


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=400))
def test_every_error_has_sixteen_digits_or_none(message: str, stack: str) -> None:
    found = bug(SentError(message=message, stack=stack))

    assert len(found.fingerprint) == (16 if found.fingerprint_parts else 0)
