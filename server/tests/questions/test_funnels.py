from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.questions.saving import done
from tests.questions.streams import NUMBER

from clamp_server.errors import ConflictError, InvalidRequestError, NotFoundError
from clamp_server.model.event import EnrichedEvent, Place, Properties
from clamp_server.model.funnel import ALLOWED_FUNNEL_NAMES, ALLOWED_STEP
from clamp_server.questions.funnels import ALLOWED_STEPS
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore

SECOND = timedelta(seconds=1)
STEPS = ["pageview:/", "signup"]


class Shop:
    """A project with a store and a catalog, and what can be done there."""

    def __init__(self, store: FilledStore, catalog: Catalog) -> None:
        self.store, self.catalog = store, catalog
        self.project = catalog.create_project("Shop")

    def add(self, *events: EnrichedEvent) -> None:
        self.store.add(*(replace(e, project_id=self.project.id) for e in events))

    def do(self, name: str, body: Any = None, /, **query: str) -> Any:
        return done(self.store, self.catalog, self.project, name, body, **query)

    def counts(self, *steps: str) -> list[int]:
        body = {"name": f"f{next(NUMBER)}", "steps": steps}
        return [step["count"] for step in self.do("funnels.create", body)["steps"]]


@pytest.fixture
def shop(store: FilledStore, catalog: Catalog) -> Shop:
    return Shop(store, catalog)


def test_a_funnel_is_evaluated_when_it_is_made(shop: Shop) -> None:
    for name in ("ann", "ben", "cat"):
        shop.add(view(name))
    shop.add(event("signup", NOON, anonymous_id="ann"))

    answer = shop.do("funnels.create", {"name": "Check-out 🛒", "steps": STEPS})

    assert answer == {
        "id": answer["id"],
        "name": "Check-out 🛒",
        "steps": [
            {"name": "pageview:/", "count": 3, "rate": "100.0%"},
            {"name": "signup", "count": 1, "rate": "33.3%"},
        ],
        "overall_conversion": "33.3%",
        "period": "30d",
    }
    assert shop.do("funnels.list") == [answer]
    assert shop.do("funnels.list", name="Check-out 🛒") == answer


def test_a_funnel_without_events_is_all_zeros(shop: Shop) -> None:
    answer = shop.do("funnels.create", {"name": "f", "steps": STEPS})

    assert [answer["steps"], answer["overall_conversion"]] == [
        [
            {"name": "pageview:/", "count": 0, "rate": "0.0%"},
            {"name": "signup", "count": 0, "rate": "0.0%"},
        ],
        "0.0%",
    ]


def test_the_period_and_filters_are_those_of_the_session(shop: Shop) -> None:
    shop.do("funnels.create", {"name": "f", "steps": STEPS})
    shop.add(view("ann", place=Place(country="DE")), view("ben"))
    shop.add(event(anonymous_id="ann"), event(anonymous_id="ben"))
    shop.add(view("cat", NOON - timedelta(days=3), place=Place(country="DE")))

    answer = shop.do("funnels.list", name="f", country="DE", period="2d")

    assert [step["count"] for step in answer["steps"]] == [1, 1]
    assert answer["period"] == "2d"


def test_equal_timestamps_count_in_any_order_of_arrival(
    store: FilledStore, catalog: Catalog
) -> None:
    same = [
        view("ann"),
        event("signup", anonymous_id="ann"),
        event("buy", anonymous_id="ann"),
    ]
    found = set()
    for order in itertools.permutations(same):
        shop = Shop(store, catalog)
        shop.add(*order)
        found.add(tuple(shop.counts("buy", "signup", "pageview:/")))

    assert found == {(1, 1, 1)}


def test_an_event_serves_one_step_only(shop: Shop) -> None:
    shop.add(view("ann", NOON - SECOND), view("ben", NOON - SECOND), view("ben", NOON))
    # Both at one instant: the one without a plan has to be the first step's.
    for plan in ({}, {"plan": "pro"}):
        shop.add(
            event(at=NOON, anonymous_id="ben", properties=Properties(strings=plan))
        )

    assert shop.counts("pageview:/*", "pageview:/") == [2, 1]
    assert shop.counts("signup", "signup") == [1, 1]
    assert shop.counts("signup[plan=pro]", "signup") == [1, 1]
    assert shop.counts("signup", "signup[plan=pro]") == [1, 1]
    assert shop.counts("signup", "signup", "signup") == [1, 1, 0]


def test_the_steps_are_in_one_session(shop: Shop) -> None:
    shop.add(view("s1", anonymous_id="ann", at=NOON - timedelta(hours=3)))
    shop.add(event("signup", NOON - timedelta(hours=2), anonymous_id="ann"))
    shop.add(view("s2", path="/b", anonymous_id="ann"))

    assert shop.counts("pageview:/", "pageview:/b") == [1, 0]
    # Two hours after the last page view is in no session.
    assert shop.counts("pageview:/", "signup") == [1, 0]


def test_ten_steps_of_many_equal_events_are_counted(shop: Shop) -> None:
    shop.add(view("ann"), *(event(anonymous_id="ann") for _ in range(9)))

    assert shop.counts(*["signup"] * 10) == [*[1] * 9, 0]


def test_a_name_is_taken_once_and_free_again(shop: Shop) -> None:
    shop.do("funnels.create", {"name": "f", "steps": STEPS})

    with pytest.raises(ConflictError, match="there is a funnel 'f' already"):
        shop.do("funnels.create", {"name": "f", "steps": STEPS})

    assert shop.do("funnels.delete", name="f") == {"ok": True}
    with pytest.raises(NotFoundError, match="there is no funnel 'f'"):
        shop.do("funnels.list", name="f")
    with pytest.raises(NotFoundError, match="there is no funnel 'f'"):
        shop.do("funnels.delete", name="f")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "a/b", "steps": STEPS}, f"name: must be {ALLOWED_FUNNEL_NAMES}; got"),
        ({"name": "f", "steps": ["a"]}, f"steps: must be {ALLOWED_STEPS}; got 1"),
        (
            {"name": "f", "steps": ["a"] * 11},
            f"steps: must be {ALLOWED_STEPS}; got 11",
        ),
        (
            {"name": "f", "steps": ["a", ""]},
            f"steps[1]: must have {ALLOWED_STEP}; got ''",
        ),
        (
            {"name": "f", "steps": ["a", "b[x:n=y]"]},
            "steps[1]: [x:n] must be a number; got 'y'",
        ),
        (
            {"name": "f", "steps": ["a", 5]},
            f"steps[1]: Expected str, got int; must be {ALLOWED_STEPS}",
        ),
        (
            {"name": "f"},
            f"steps: Object missing required field; must be {ALLOWED_STEPS}",
        ),
        (
            {"name": "f", "steps": STEPS, "x": 1},
            "x: Object contains unknown field; allowed are name, steps",
        ),
        ([], "body: Expected object, got array; allowed are name, steps"),
    ],
)
def test_a_bad_funnel_is_refused_with_what_is_allowed(
    catalog: Catalog, body: Any, message: str
) -> None:
    store = DuckDBStore(None)
    shop = Shop(FilledStore(store), catalog)

    with pytest.raises(InvalidRequestError) as refusal:
        shop.do("funnels.create", body)

    store.close()
    assert refusal.value.message.startswith(message)
    assert shop.catalog.funnels(shop.project.id) == []
