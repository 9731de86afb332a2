from __future__ import annotations

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.questions.registry import AnyQuestion
from clamp_server.questions.search import search_landing_pages, search_queries

each_question = pytest.mark.parametrize(
    "question", [search_queries, search_landing_pages], ids=lambda asked: asked.name
)


@each_question
def test_nothing_is_known_until_it_is_imported(
    store: FilledStore, question: AnyQuestion
) -> None:
    store.add(view("ann"))

    assert answer(store, question, "period=7d&limit=50") == []


@each_question
@pytest.mark.parametrize("name", ["period", "limit"])
def test_a_bad_value_is_refused_all_the_same(question: AnyQuestion, name: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"{name}: must be .*; got 'no'"):
        question.read_params({name: "no"}, SHOP, NOON)


def test_a_conversion_is_an_event_of_any_name() -> None:
    question = search_landing_pages

    assert question.read_params({"conversion_event": "signup"}, SHOP, NOON) is None
    with pytest.raises(InvalidRequestError, match="conversion_event: must have at"):
        question.read_params({"conversion_event": "x" * 3000}, SHOP, NOON)
