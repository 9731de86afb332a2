from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.questions import reference_cohort as reference
from tests.questions.saving import done
from tests.questions.streams import NUMBER, every_stream

from clamp_server.errors import ConflictError, InvalidRequestError, NotFoundError
from clamp_server.model.cohort import (
    ALLOWED_COHORT_NAMES,
    ALLOWED_DAYS,
    CohortDefinition,
    CohortFilter,
)
from clamp_server.model.event import EnrichedEvent, Properties
from clamp_server.store.catalog import Catalog
from clamp_server.store.on_duckdb import DuckDBStore

DAY = timedelta(days=1)
SIGNED_UP = {"event": "signup", "period": "30d"}
PROS = {**SIGNED_UP, "filter": {"property": "plan", "value": "pro"}}


class Shop:
    """A project with a store and a catalog, and what can be done there."""

    def __init__(
        self, store: FilledStore, catalog: Catalog, time_zone: str = "UTC"
    ) -> None:
        self.store, self.catalog = store, catalog
        self.project = catalog.create_project("Shop", time_zone=time_zone)

    def add(self, *events: EnrichedEvent) -> None:
        self.store.add(*(replace(e, project_id=self.project.id) for e in events))

    def do(self, name: str, body: Any = None, /, **query: str) -> Any:
        return done(self.store, self.catalog, self.project, name, body, **query)


@pytest.fixture
def shop(store: FilledStore, catalog: Catalog) -> Shop:
    return Shop(store, catalog)


def test_a_cohort_is_made_with_its_size_and_kept(shop: Shop) -> None:
    pro = Properties(strings={"plan": "pro"})
    shop.add(event(anonymous_id="ann", properties=pro), event(anonymous_id="ben"))

    made = shop.do("cohorts.create", {"name": "pros", "definition": PROS})
    everyone = shop.do("cohorts.create", {"name": "all", "definition": SIGNED_UP})

    created_at = "2026-03-10T12:00:00.000Z"
    assert made == {"id": made["id"], "name": "pros", "definition": PROS, "size": 1}
    assert shop.do("cohorts.list") == [
        {**made, "created_at": created_at},
        {
            "id": everyone["id"],
            "name": "all",
            "definition": SIGNED_UP,
            "size": 2,
            "created_at": created_at,
        },
    ]
    assert shop.do("cohorts.list", name="all")["size"] == 2


def test_members_come_back_on_exactly_that_day(shop: Shop) -> None:
    at = NOON - 8 * DAY
    for name, days in (("ann", 1), ("ben", 7), ("cat", 2)):
        shop.add(event(at=at, anonymous_id=name), view(name, at + days * DAY))
    shop.add(event("$pageview_end", at + DAY, anonymous_id="ben"))
    shop.do("cohorts.create", {"name": "new", "definition": SIGNED_UP})

    assert shop.do("cohorts.retention", name="new", periods="1d,1w,3d") == {
        "cohort": "new",
        "size": 3,
        "retention": [
            {"period": "1d", "retained": 1, "rate": 33.3},
            {"period": "1w", "retained": 1, "rate": 33.3},
            {"period": "3d", "retained": 0, "rate": 0.0},
        ],
    }


def test_days_are_the_projects(store: FilledStore, catalog: Catalog) -> None:
    # 22:30 and 23:30 of the winter's last evening are two days in Berlin.
    shop = Shop(store, catalog, "Europe/Berlin")
    evening = NOON.replace(hour=22, minute=30) - 2 * DAY
    shop.add(event(at=evening, anonymous_id="ann"))
    shop.add(view("ann", evening + timedelta(hours=1)))
    shop.do("cohorts.create", {"name": "new", "definition": SIGNED_UP})

    answer = shop.do("cohorts.retention", name="new", periods="1d")

    assert answer["retention"] == [{"period": "1d", "retained": 1, "rate": 100.0}]


def test_a_user_is_one_member_on_every_device(shop: Shop) -> None:
    at = NOON - 3 * DAY
    shop.add(event(at=at, anonymous_id="phone"), event(at=at, anonymous_id="desk"))
    for device in ("phone", "desk"):
        shop.add(event("$identify", at + DAY, anonymous_id=device, user_id="u1"))
    shop.add(event("login", at + 2 * DAY, user_id="u1"), event(at=at))

    made = shop.do("cohorts.create", {"name": "new", "definition": SIGNED_UP})
    answer = shop.do("cohorts.retention", name="new", periods="2d")

    assert made["size"] == 1
    assert answer["retention"] == [{"period": "2d", "retained": 1, "rate": 100.0}]


def test_cohorts_are_compared_in_the_callers_order(shop: Shop) -> None:
    for name in ("a", "b"):
        shop.do("cohorts.create", {"name": name, "definition": SIGNED_UP})

    answer = shop.do("cohorts.compare", names="b,a,b", periods="1d")

    empty = [{"period": "1d", "retained": 0, "rate": 0.0}]
    assert answer == {
        "cohorts": [
            {"cohort": "b", "size": 0, "retention": empty},
            {"cohort": "a", "size": 0, "retention": empty},
        ]
    }


@pytest.fixture
def empty_shop(catalog: Catalog) -> Any:
    store = DuckDBStore(None)
    yield Shop(FilledStore(store), catalog)
    store.close()


def test_the_days_have_a_default(empty_shop: Shop) -> None:
    empty_shop.do("cohorts.create", {"name": "a", "definition": SIGNED_UP})

    answer = empty_shop.do("cohorts.retention", name="a")

    days = [row["period"] for row in answer["retention"]]
    assert days == ["1d", "7d", "14d", "30d"]


def test_a_name_is_taken_once_and_free_again(empty_shop: Shop) -> None:
    body = {"name": "a", "definition": SIGNED_UP}
    empty_shop.do("cohorts.create", body)

    with pytest.raises(ConflictError, match="there is a cohort 'a' already"):
        empty_shop.do("cohorts.create", body)

    assert empty_shop.do("cohorts.delete", name="a") == {"ok": True}
    for missing in ("cohorts.list", "cohorts.retention", "cohorts.delete"):
        with pytest.raises(NotFoundError, match="there is no cohort 'a'"):
            empty_shop.do(missing, name="a")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"name": "New", "definition": SIGNED_UP},
            f"name: must be {ALLOWED_COHORT_NAMES}; got 'New'",
        ),
        (
            {"name": "a", "definition": {"event": "", "period": "7d"}},
            "definition.event: must be a text of 1 to 2048 characters; got 0"
            " characters",
        ),
        (
            {"name": "a", "definition": {"event": "x", "period": "1y"}},
            "definition.period: must be today, yesterday, 1d to 365d, or"
            " YYYY-MM-DD:YYYY-MM-DD of at most 366 days, the first day first; got"
            " '1y'",
        ),
        (
            {"name": "a", "definition": {**SIGNED_UP, "filter": {"property": "x"}}},
            "definition.filter.value: Object missing required field; must be a text,"
            " a number, true or false",
        ),
    ],
)
def test_a_bad_cohort_is_refused_with_what_is_allowed(
    empty_shop: Shop, body: Any, message: str
) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        empty_shop.do("cohorts.create", body)

    assert refusal.value.message == message
    assert empty_shop.catalog.cohorts(empty_shop.project.id) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"names": "a"}, "names: must be 2 to 10 names of saved cohorts,"),
        ({"names": "a,a"}, "names: must be 2 to 10 names of saved cohorts,"),
        ({"names": "a,b", "periods": "1y"}, f"periods: must be {ALLOWED_DAYS}; got"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    empty_shop: Shop, query: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        empty_shop.do("cohorts.compare", **query)

    assert refusal.value.message.startswith(message)


events = st.builds(
    event,
    name=st.sampled_from(["signup", "signup", "login", "$pageview_end"]),
    at=st.sampled_from(
        [NOON - timedelta(hours=hours) for hours in (0, 11, 13, 24, 35, 37, 55, 61)]
    ),
    anonymous_id=st.sampled_from(["", "ann", "ben"]),
    user_id=st.sampled_from(["", "", "u1", "u2"]),
    properties=st.builds(
        Properties,
        strings=st.sampled_from([{}, {"plan": "pro"}]),
        numbers=st.sampled_from([{}, {"plan": 5.0}]),
        booleans=st.sampled_from([{}, {"plan": False}]),
    ),
)
definitions = st.builds(
    CohortDefinition,
    event=st.just("signup"),
    period=st.sampled_from(["today", "yesterday", "3d", "2026-03-08:2026-03-08"]),
    filter=st.none()
    | st.builds(
        CohortFilter,
        property=st.just("plan"),
        value=st.sampled_from(["pro", 5.0, False]),
    ),
)


@settings(every_stream, max_examples=20)
@given(
    stream=st.lists(events, max_size=20),
    definition=definitions,
    time_zone=st.sampled_from(["UTC", "America/Havana", "Asia/Kolkata"]),
)
def test_cohorts_are_those_of_plain_python(
    store: FilledStore,
    catalog: Catalog,
    stream: list[EnrichedEvent],
    definition: CohortDefinition,
    time_zone: str,
) -> None:
    shop = Shop(store, catalog, time_zone)
    if stream:
        shop.add(*stream)
    name = f"c{next(NUMBER)}"
    shop.catalog.save_cohort(shop.project.id, name, definition)

    found = shop.do("cohorts.retention", name=name, periods="1d,2d")

    zone = ZoneInfo(time_zone)
    assert (found["size"], [row["retained"] for row in found["retention"]]) == (
        len(reference.anchors(stream, definition, zone)),
        [reference.retained(stream, definition, zone, days) for days in (1, 2)],
    )
