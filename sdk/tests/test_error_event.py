from __future__ import annotations

import sys
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_analytics._error_event import error_properties
from clamp_analytics._wire import Event, encode_event

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

SERVER_BODY_BYTES = 65_536


def caught(raiser: Any) -> BaseException:
    try:
        raiser()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def fail() -> NoReturn:
    raise ValueError("invalid plan")


def fail_with_cause() -> NoReturn:
    try:
        fail()
    except ValueError as error:
        raise RuntimeError("checkout failed") from error


def fail_while_handling() -> NoReturn:
    try:
        fail()
    except ValueError:
        raise KeyError("plan")  # noqa: B904  # the context is the case


def fail_deep(depth: int, message: str) -> NoReturn:
    # Two functions in turn: Python folds the same line repeated.
    if depth == 0:
        raise ValueError(message)
    fail_deeper(depth - 1, message)


def fail_deeper(depth: int, message: str) -> NoReturn:
    fail_deep(depth - 1 if depth else 0, message)


def stack(exception: BaseException) -> str:
    text = error_properties(exception)["error.stack"]
    assert isinstance(text, str)
    return text


def body(exception: BaseException, context: Any = None) -> bytes:
    """With ids of the greatest length, each character at its greatest size."""
    event = Event(
        "$error",
        "2026-04-29T12:00:00.000000+00:00",
        dict(error_properties(exception, context)),
        "\x00" * 128,
        "\x00" * 128,
    )
    return encode_event("proj_" + "x" * 100, event)


def test_an_error_that_was_raised_has_message_type_stack_and_handled() -> None:
    properties = error_properties(caught(fail))
    trace = properties.pop("error.stack")

    assert properties == {
        "error.message": "invalid plan",
        "error.type": "ValueError",
        "error.handled": True,
    }
    assert isinstance(trace, str)
    assert trace.startswith("Traceback (most recent call last):\n")
    assert ", in fail\n" in trace
    assert trace.endswith("\nValueError: invalid plan\n")


def test_an_error_that_was_never_raised_is_described_too() -> None:
    assert error_properties(ValueError("checkout failed")) == {
        "error.message": "checkout failed",
        "error.type": "ValueError",
        "error.stack": "ValueError: checkout failed\n",
        "error.handled": True,
    }


def test_an_error_that_nothing_caught_says_so() -> None:
    properties = error_properties(ValueError("no"), {"handled": 1}, handled=False)

    assert properties["error.handled"] is False
    assert "handled" not in properties


def test_an_error_without_words_has_an_unknown_message() -> None:
    assert error_properties(ValueError())["error.message"] == "Unknown error"


def test_causes_and_contexts_are_in_the_stack() -> None:
    cause = stack(caught(fail_with_cause))
    context = stack(caught(fail_while_handling))

    assert cause.index("ValueError: invalid plan") < cause.index("direct cause")
    assert cause.endswith("RuntimeError: checkout failed\n")
    assert context.index("ValueError: invalid plan") < context.index("another except")
    assert context.endswith("KeyError: 'plan'\n")


def test_the_members_of_a_group_are_in_the_stack() -> None:
    group = ExceptionGroup("two failed", [caught(fail), KeyError("plan")])

    trace = stack(group)

    assert "ExceptionGroup: two failed (2 sub-exceptions)" in trace
    assert ", in fail\n" in trace
    assert "ValueError: invalid plan" in trace
    assert "KeyError: 'plan'" in trace


def test_message_and_type_are_cut_to_what_the_server_takes() -> None:
    kind = type("E" * 100, (Exception,), {})

    properties = error_properties(kind("m" * 2000))

    assert properties["error.message"] == "m" * 1024
    assert properties["error.type"] == "E" * 64


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class NotText(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # the mistake is the case


class Nameless(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]  # the mistake is the case
        raise RuntimeError("no name")


class NamelessError(Exception, metaclass=Nameless):
    pass


class Unformattable(Exception):
    @property
    def __suppress_context__(self) -> bool:  # type: ignore[override]  # likewise
        raise RuntimeError("no context")


@pytest.mark.parametrize("kind", [Unprintable, NotText])
def test_an_error_that_cannot_be_printed_is_captured(kind: type[Exception]) -> None:
    properties = error_properties(caught(lambda: (_ for _ in ()).throw(kind())))

    assert properties["error.message"] == "<the exception's __str__ raised>"
    assert properties["error.type"] == kind.__name__
    assert "Traceback (most recent call last)" in str(properties["error.stack"])


def test_an_error_whose_class_has_no_name_is_captured() -> None:
    properties = error_properties(NamelessError("lost"))

    assert properties["error.type"] == "Exception"
    assert str(properties["error.stack"]).endswith("NamelessError: lost\n")


def test_an_error_whose_stack_cannot_be_formatted_is_captured() -> None:
    assert error_properties(Unformattable("lost")) == {
        "error.message": "lost",
        "error.type": "Unformattable",
        "error.stack": "Unformattable: lost\n",
        "error.handled": True,
    }


@pytest.mark.parametrize("wrong", [ValueError, "ValueError", None])
def test_what_is_no_exception_instance_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="not an exception instance, but"):
        error_properties(wrong)


def test_a_stack_at_the_limit_is_kept_whole() -> None:
    fitting = ValueError("m" * (16_384 - len("ValueError: \n")))

    assert stack(fitting) == f"ValueError: {fitting}\n"


def test_a_long_stack_keeps_head_and_tail_and_says_how_much_went() -> None:
    error = caught(lambda: fail_deep(300, "at the end"))
    trace = stack(error)
    head, _, rest = trace.partition("\n... ")
    cut_chars, _, tail = rest.partition(" characters cut ...\n")
    whole = stack_uncut(error)

    assert len(trace) <= 16_384
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert tail.endswith("\nValueError: at the end\n")
    assert ", in fail_deep\n" in tail
    assert len(head) + int(cut_chars) + len(tail) == len(whole)


def test_a_long_message_does_not_push_the_raising_line_out() -> None:
    trace = stack(caught(lambda: fail_deep(300, "m" * 50_000)))

    raising_line = trace.rindex(", in fail_deep\n")
    assert trace.index("ValueError: mmm", raising_line)
    assert len(trace) <= 16_384


def stack_uncut(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def test_context_of_primitives_is_added_and_other_values_are_left_out() -> None:
    context: Any = {
        "webhook": "stripe",
        "attempt": 2,
        "share": 0.5,
        "live": True,
        "list": [1],
        "none": None,
        "nan": float("nan"),
        "inf": float("-inf"),
        5: "a key that is no text",
    }

    properties = error_properties(ValueError("x"), context)

    assert {k: v for k, v in properties.items() if not k.startswith("error.")} == {
        "webhook": "stripe",
        "attempt": 2,
        "share": 0.5,
        "live": True,
    }


def test_a_context_that_grows_meanwhile_is_added_as_it_was() -> None:
    context: dict[str, Any] = {}

    class Growing(str):
        """Adds a pair when it is looked up, as another thread might."""

        def __hash__(self) -> int:
            context[f"late_{len(context)}"] = "x"
            return super().__hash__()

    context[Growing("first")] = 1
    before = dict(context)

    added = error_properties(ValueError("x"), context)

    assert {k: v for k, v in added.items() if not k.startswith("error.")} == before


def test_context_cannot_say_what_the_error_was() -> None:
    context: Any = {
        "handled": False,
        "error.handled": False,
        "error.message": "another",
        "error.type": "Another",
        "error.stack": "elsewhere",
        "error.code": "E42",
    }

    properties = error_properties(ValueError("x"), context)

    assert properties == {
        "error.message": "x",
        "error.type": "ValueError",
        "error.stack": "ValueError: x\n",
        "error.handled": True,
        "error.code": "E42",
    }


@pytest.mark.parametrize(
    "character", ["a", "\u00e9", "\u20ac", "\U0001f600", "\x00", "\ud83d"]
)
def test_the_body_stays_under_64_kb_whatever_the_characters(character: str) -> None:
    error = caught(lambda: fail_deep(300, character * 50_000))
    trace = error_properties(ValueError(character * 16_000))["error.stack"]

    assert len(body(error)) < SERVER_BODY_BYTES
    assert len(body(ValueError(character * 16_000))) < SERVER_BODY_BYTES
    # And no more is cut than has to be: 9,000 characters of 6 bytes fit.
    assert len(str(trace)) > 9_000


def test_a_large_context_gives_way_pair_by_pair_to_a_stack_of_ascii() -> None:
    error = caught(lambda: fail_deep(300, "at the end"))
    context = {"first": "kept", "huge": "x" * 100_000}
    context |= {f"key_{n:02}": "y" * 1000 for n in range(60)}

    properties = error_properties(error, context)

    added = {k for k in properties if not k.startswith("error.")}
    assert properties["error.stack"] == stack(error)
    assert added == {"first"} | {f"key_{n:02}" for n in range(len(added) - 1)}
    assert 40 < len(added) < 50
    assert len(body(error, context)) < SERVER_BODY_BYTES


def test_a_stack_of_wide_characters_takes_what_the_context_leaves() -> None:
    error = ValueError("\U0001f600" * 16_000)
    alone = len(str(error_properties(error)["error.stack"]))
    context = {"note": "y" * 30_000}

    properties = error_properties(error, context)

    assert properties["note"] == context["note"]
    assert 4000 < len(str(properties["error.stack"])) < alone
    assert len(body(error, context)) < SERVER_BODY_BYTES


@given(
    st.text(max_size=200),
    st.integers(0, 60_000),
    st.dictionaries(st.text(max_size=20), st.text(max_size=50) | st.floats()),
    st.integers(0, 3_000),
)
def test_any_error_fits_into_the_body(
    message: str, times: int, context: dict[str, Any], context_times: int
) -> None:
    wide = {
        key: value * context_times if isinstance(value, str) else value
        for key, value in context.items()
    }

    assert len(body(ValueError(message * times), wide)) < SERVER_BODY_BYTES
