"""What every question's parameters have in common."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from tests.make import NOON
from tests.questions.asking import SHOP

from clamp_server.errors import InvalidRequestError
from clamp_server.model.dimension import DIMENSIONS
from clamp_server.model.period import decode_period
from clamp_server.model.scope import Scope
from clamp_server.questions.parameter import (
    FILTERS,
    LIMIT,
    PERIOD,
    Flag,
    read_query,
    read_scope,
)
from clamp_server.questions.registry import QUESTIONS


def test_a_scope_is_thirty_days_of_everything_by_default() -> None:
    assert read_scope({}, SHOP, NOON) == Scope(
        project_id=SHOP.id, period=decode_period("30d", ZoneInfo("UTC"), NOON)
    )


def test_a_scope_has_the_filters_of_the_query_and_no_empty_ones() -> None:
    query = {"utm_source": "x", "country": "DE", "os": "", "plan": "pro"}

    assert read_scope(query, SHOP, NOON).filters == (
        ("country", "DE"),
        ("utm_source", "x"),
    )


def test_all_sixteen_filters_are_parameters() -> None:
    assert (len(FILTERS), [p.name for p in FILTERS]) == (16, list(DIMENSIONS))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            [("limit", "3"), ("Limit", "3")],
            "Limit: there is no such parameter here; allowed are period, limit",
        ),
        (
            [("x" * 60, "")],
            f"{'x' * 50}: there is no such parameter here; allowed are period, limit",
        ),
        (
            [("limit", "3"), ("limit", "3")],
            "limit: given more than once; give it once",
        ),
    ],
)
def test_a_query_with_an_unknown_or_repeated_name_is_refused(
    pairs: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read_query(pairs, [PERIOD, LIMIT])

    assert refused.value.message == message


def test_a_query_is_what_was_given_by_name() -> None:
    given = [("limit", "3"), ("period", "")]

    assert read_query(given, [PERIOD, LIMIT]) == {"limit": "3", "period": ""}


@pytest.mark.parametrize("number", ["1", "50", "050"])
def test_a_number_in_the_range_is_taken(number: str) -> None:
    assert LIMIT.read({"limit": number}) == int(number)


@pytest.mark.parametrize(
    "number", ["0", "51", "-5", "+5", "5.0", "1_0", " 7", "\u0665", "x", "9" * 5_000]
)
def test_another_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        LIMIT.read({"limit": number})

    assert refused.value.message == (
        f"limit: must be a whole number from 1 to 50; got {number[:50]!r}"
    )


def test_a_flag_without_a_default_may_be_neither() -> None:
    flag = Flag("handled", default="")

    assert [flag.read(q) for q in ({}, {"handled": ""}, {"handled": "false"})] == [
        None,
        None,
        False,
    ]


@pytest.mark.parametrize("word", ["TRUE", "1", "yes", "on", "true "])
def test_a_flag_is_true_or_false_and_nothing_else(word: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        Flag("compare").read({"compare": word})

    assert refused.value.message == f"compare: must be true, false; got {word!r}"


def test_a_bad_period_is_refused_with_its_name() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        PERIOD.read({"period": "400d"}, SHOP, NOON)

    assert refused.value.message == (
        "period: must be today, yesterday, 1d to 365d, or YYYY-MM-DD:YYYY-MM-DD of at"
        " most 366 days, the first day first; got '400d'"
    )


# Without these a question has no meaning.
REQUIRED = {
    "traffic.compare": {"metric": "visitors", "a": "7d", "b": "30d"},
    "traffic.breakdown": {"dimension": "channel"},
    "events.property_values": {"event": "signup", "property": "plan"},
    "users.journey": {"anonymous_id": "ann"},
    "errors.context": {
        "anonymous_id": "ann",
        "before_timestamp": "2026-03-10T12:00:00Z",
    },
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_every_parameter_that_is_not_needed_may_be_empty(question: object) -> None:
    assert isinstance(question, type(QUESTIONS["events.list"]))
    needed = REQUIRED.get(question.name, {})
    empty = {p.name: "" for p in question.parameters} | needed

    assert question.read_params(empty, SHOP, NOON) == question.read_params(
        needed, SHOP, NOON
    )
