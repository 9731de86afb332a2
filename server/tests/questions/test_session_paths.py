from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import FilledStore
from tests.make import NOON, event, view
from tests.questions.asking import SHOP, answer
from tests.questions.reference import place

from clamp_server.errors import InvalidRequestError
from clamp_server.model.event import Device, Place
from clamp_server.questions.session_paths import session_paths

SECOND = timedelta(seconds=1)


def paths(store: FilledStore, query: str = "") -> Any:
    """Return entry, exit and count of each row."""
    return [[*row.values()][:3] for row in answer(store, session_paths, query)]


def test_paths_tell_entry_exit_length_and_bounces(store: FilledStore) -> None:
    for visitor, seconds in (("ann", 10), ("ben", 31)):
        store.add(view(visitor, NOON - seconds * SECOND, "/"), view(visitor, NOON, "/"))
    store.add(view("ben", NOON - SECOND, "/ü"))
    store.add(view("cleo", path="/"), view("dan", NOON - SECOND, "/a"))
    store.add(view("dan", NOON, "/ü"))

    assert answer(store, session_paths) == [
        {
            "entry_page": "/",
            "exit_page": "/",
            "sessions": 2,
            "avg_pages": 2.5,
            "avg_duration_seconds": 21,
            "bounced": False,
        },
        {
            "entry_page": "/",
            "exit_page": "/",
            "sessions": 1,
            "avg_pages": 1.0,
            "avg_duration_seconds": 0,
            "bounced": True,
        },
        {
            "entry_page": "/a",
            "exit_page": "/ü",
            "sessions": 1,
            "avg_pages": 2.0,
            "avg_duration_seconds": 1,
            "bounced": False,
        },
    ]


def test_a_session_without_a_page_view_has_no_path(store: FilledStore) -> None:
    store.add(event("signup", sent_by="browser", session_id="s"))

    assert paths(store) == []


def test_short_sessions_can_be_left_out(store: FilledStore) -> None:
    for visitor, views in (("ann", 1), ("ben", 2), ("cleo", 3)):
        store.add(*(view(visitor, path=f"/{visitor}") for _ in range(views)))

    assert [paths(store, f"min_pages={n}") for n in (2, 3, 4)] == [
        [["/ben", "/ben", 1], ["/cleo", "/cleo", 1]],
        [["/cleo", "/cleo", 1]],
        [],
    ]


def test_views_of_one_millisecond_are_always_in_the_same_order(
    store: FilledStore,
) -> None:
    views = [view("ann", path=path) for path in ("/b", "/c", "/a")]
    store.add(*views)

    first, *_, last = (e.page.pathname for e in sorted(views, key=place))
    assert paths(store) == [[first, last, 1]]


def test_filters_hold_for_the_session(store: FilledStore) -> None:
    german, bot = Place(country="DE"), Device(device_type="bot")
    store.add(view("ann", NOON - SECOND, "/", place=german), view("ann", path="/b"))
    store.add(view("ben", path="/b"), view("crawler", path="/bot", device=bot))

    assert [
        paths(store, query)
        for query in ("country=DE", "pathname=/b", "device_type=bot", "limit=1")
    ] == [
        [["/", "/b", 1]],
        [["/b", "/b", 1]],
        [["/bot", "/bot", 1]],
        [["/", "/b", 1]],
    ]


@pytest.mark.parametrize("pages", ["0", "51", "two"])
def test_the_least_of_pages_is_1_to_50(pages: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        session_paths.read_params({"min_pages": pages}, SHOP, NOON)

    assert refused.value.message == (
        f"min_pages: must be a whole number from 1 to 50; got {pages!r}"
    )
