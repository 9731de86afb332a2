from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.questions.asking import SHOP, answer

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Bug, EnrichedEvent
from clamp_server.questions.error_groups import SORTS, errors_groups

MINUTE = timedelta(minutes=1)


def error(fingerprint: str, minutes: int = 0, **changes: Any) -> EnrichedEvent:
    """Make an error, so many minutes before noon."""
    changes.setdefault("bug", Bug(fingerprint=fingerprint))
    return event("$error", NOON - minutes * MINUTE, **changes)


def groups(store: FilledStore, query: str = "") -> Any:
    return answer(store, errors_groups, query)


def prints(store: FilledStore, query: str) -> list[str]:
    return [row["fingerprint"] for row in groups(store, query)["groups"]]


def test_an_empty_project_has_no_groups(store: FilledStore) -> None:
    store.add(event(), view("ann"))

    assert groups(store) == {"period": "30d", "sort_by": "count", "groups": []}


def test_a_group_tells_how_often_whom_and_when(store: FilledStore) -> None:
    store.add(error("aa", bug=Bug(fingerprint="aa", message="at 12", type="E")))
    store.add(error("aa", 1, bug=Bug(fingerprint="aa", message="at 11:59")))
    store.add(error("aa", 5), error("bb", 2))

    assert groups(store, "period=7d") == {
        "period": "7d",
        "sort_by": "count",
        "groups": [
            {
                "fingerprint": "aa",
                "sample_message": "at 12",
                "sample_type": "E",
                "count": 3,
                "users_affected": 0,
                "first_seen": "2026-03-10T11:55:00.000Z",
                "last_seen": "2026-03-10T12:00:00.000Z",
            },
            {
                "fingerprint": "bb",
                "count": 1,
                "users_affected": 0,
                "first_seen": "2026-03-10T11:58:00.000Z",
                "last_seen": "2026-03-10T11:58:00.000Z",
            },
        ],
    }


def test_the_sample_is_of_the_latest_whatever_the_order_of_arrival(
    store: FilledStore,
) -> None:
    store.add(error("aa", 0, bug=Bug(fingerprint="aa", message="latest")))
    store.add(error("aa", 3, bug=Bug(fingerprint="aa", message="stored last")))

    (group,) = groups(store)["groups"]

    assert group["sample_message"] == "latest"


def test_users_are_counted_once_by_anonymous_id_where_unknown(
    store: FilledStore,
) -> None:
    store.add(error("aa", user_id="u1", anonymous_id="phone"))
    store.add(error("aa", user_id="u1", anonymous_id="laptop"))
    store.add(error("aa", anonymous_id="stranger"), error("aa"))

    (group,) = groups(store)["groups"]

    assert (group["count"], group["users_affected"]) == (4, 2)


def test_errors_without_message_and_stack_are_a_group_too(store: FilledStore) -> None:
    store.add(error(""), error(""), error("aa"))

    assert [(g["fingerprint"], g["count"]) for g in groups(store)["groups"]] == [
        ("", 2),
        ("aa", 1),
    ]


def test_every_order_is_descending_and_ties_are_by_fingerprint(
    store: FilledStore,
) -> None:
    often = [error("often", n) for n in (30, 31, 32)]
    wide = [error("wide", n, anonymous_id=f"{n}") for n in (20, 21)]
    store.add(*often, *wide, error("new", 1), error("new", 50), error("alone", 2))

    assert {by: prints(store, f"sort_by={by}") for by in SORTS} == {
        "count": ["often", "new", "wide", "alone"],
        "users_affected": ["wide", "alone", "new", "often"],
        "last_seen": ["new", "alone", "wide", "often"],
        "first_seen": ["alone", "wide", "often", "new"],
    }


def test_a_limit_keeps_the_first(store: FilledStore) -> None:
    store.add(*(error(f"{n:02}") for n in range(60)))

    assert [
        prints(store, "limit=2"),
        len(prints(store, "")),
        len(prints(store, "limit=200")),
    ] == [["00", "01"], 50, 60]


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        errors_groups.read_params({"sort_by": "name"}, SHOP, NOON)

    assert refused.value.message == (
        "sort_by: must be count, users_affected, last_seen, first_seen; got 'name'"
    )
