from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from clamp_analytics._context import EventContext, context, current

NOTHING = EventContext(None, None, {})


def test_without_a_context_there_is_nothing() -> None:
    assert current() == NOTHING


def test_a_context_holds_inside_its_block_only() -> None:
    with context("aid_1", "u_1", {"plan": "pro"}):
        inside = current()

    assert inside == EventContext("aid_1", "u_1", {"plan": "pro"})
    assert current() == NOTHING


def test_a_block_that_raises_is_left_too() -> None:
    with pytest.raises(KeyError), context(user_id="u_1"):
        raise KeyError

    assert current() == NOTHING


def test_the_inner_context_wins_and_the_rest_of_the_outer_holds() -> None:
    with context("aid_1", "u_1", {"plan": "pro", "seats": 3}):
        with context(user_id="u_2", properties={"plan": "team", "trial": True}):
            inner = current()
        outer = current()

    assert inner == EventContext(
        "aid_1", "u_2", {"plan": "team", "seats": 3, "trial": True}
    )
    assert outer == EventContext("aid_1", "u_1", {"plan": "pro", "seats": 3})


def test_an_empty_id_is_an_id() -> None:
    with context("aid_1", "u_1"), context("", ""):
        assert current() == EventContext("", "", {})


def test_what_is_current_can_not_be_changed() -> None:
    given: dict[str, Any] = {"plan": "pro"}
    with context(properties=given):
        now: Any = current()
        with pytest.raises(AttributeError):
            now.user_id = "u_2"
        with pytest.raises(TypeError):
            now.properties["plan"] = "team"
        given["plan"] = "team"

        assert current() == EventContext(None, None, {"plan": "pro"})


def test_one_object_can_be_used_again_and_inside_itself() -> None:
    one = context(user_id="u_1")
    seen = []
    with one:
        with one:
            seen.append(current().user_id)
        seen.append(current().user_id)
    seen.append(current().user_id)
    with one:
        seen.append(current().user_id)

    assert seen == ["u_1", "u_1", None, "u_1"]


def test_threads_with_one_object_do_not_see_one_another() -> None:
    shared = context(user_id="shared")
    together = threading.Barrier(3, timeout=30)
    seen: dict[str, list[str | None]] = {}

    def work(name: str) -> None:
        mine = seen[name] = []
        with context(anonymous_id=name), shared:
            together.wait()
            mine.append(current().anonymous_id)
            together.wait()
        mine.append(current().user_id)

    # Each with an empty context, also on a Python that lets threads inherit.
    threads = [
        threading.Thread(target=contextvars.Context().run, args=(work, name))
        for name in ("a", "b")
    ]
    for thread in threads:
        thread.start()
    together.wait()
    here = current()
    together.wait()
    for thread in threads:
        thread.join(timeout=30)

    assert here == NOTHING
    assert seen == {"a": ["a", None], "b": ["b", None]}


def test_tasks_begin_with_their_creators_context_and_keep_theirs() -> None:
    async def work(name: str, others: asyncio.Event, mine: asyncio.Event) -> Any:
        with context(anonymous_id=name):
            mine.set()
            await others.wait()
            return current()

    async def main() -> Any:
        first, second = asyncio.Event(), asyncio.Event()
        with context(user_id="u_1"):
            tasks = [
                asyncio.ensure_future(work("a", second, first)),
                asyncio.ensure_future(work("b", first, second)),
            ]
        seen = await asyncio.gather(*tasks)
        return [*seen, current()]

    assert asyncio.run(main()) == [
        EventContext("a", "u_1", {}),
        EventContext("b", "u_1", {}),
        NOTHING,
    ]


def test_it_decorates_a_function() -> None:
    @context(user_id="u_1")
    def export(name: str, *, count: int) -> tuple[str, int, EventContext]:
        """Export it."""
        return name, count, current()

    assert export("a", count=2) == ("a", 2, EventContext(None, "u_1", {}))
    assert (export.__name__, export.__doc__) == ("export", "Export it.")
    assert current() == NOTHING


def test_it_decorates_a_coroutine_function() -> None:
    @context(user_id="u_1")
    async def export(name: str) -> tuple[str, EventContext]:
        # Another task runs in between.
        await asyncio.sleep(0)
        return name, current()

    async def main() -> list[Any]:
        return [*await asyncio.gather(export("a"), export("b")), current()]

    inside = EventContext(None, "u_1", {})
    assert inspect.iscoroutinefunction(export)
    assert asyncio.run(main()) == [("a", inside), ("b", inside), NOTHING]


def test_a_decorated_function_may_call_itself() -> None:
    @context(user_id="u_1")
    def countdown(left: int) -> str | None:
        return countdown(left - 1) if left else current().user_id

    assert (countdown(3), current()) == ("u_1", NOTHING)


def test_it_refuses_to_decorate_a_generator() -> None:
    def rows() -> Iterator[int]:
        yield 1

    async def pages() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(TypeError, match=r"generator .*rows: write `with context"):
        context()(rows)
    with pytest.raises(TypeError, match=r"generator .*pages: write `with context"):
        context()(pages)
    assert (list(rows()), pages.__name__) == ([1], "pages")


def test_a_block_that_is_left_elsewhere_takes_nothing_away_there() -> None:
    # As a generator dependency of FastAPI: its second half runs in another context.
    one = context(user_id="u_1")
    contextvars.copy_context().run(one.__enter__)
    with context(user_id="u_2"):
        one.__exit__(None, None, None)

        assert current().user_id == "u_2"


def test_what_is_no_mapping_is_refused_at_once() -> None:
    properties: Any = ["plan"]
    with pytest.raises(ValueError, match="dictionary update sequence"):
        context(properties=properties)
