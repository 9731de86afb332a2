"""The live stream: what each viewer gets, and what all of them cost."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from tests.make import PROJECT, TODAY, event

from clamp_server.errors import StoreUnavailableError
from clamp_server.model.ids import ProjectId
from clamp_server.model.project import Project
from clamp_server.questions import live as questions
from clamp_server.questions.live import Since
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Row, Sql
from clamp_server.web.stream import MOST_EVENTS, MOST_VIEWERS, Arrivals, Live, Pace

QUICK = Pace(poll_s=0.005, heartbeat_s=30.0)
# After its first look a poll of this pace does nothing more in a test.
ONE_LOOK = Pace(poll_s=3600.0, heartbeat_s=3600.0)
PATIENCE_S = 30.0
SHOP = Project(id=PROJECT, name="Shop", created_at=TODAY)
OTHER = Project(id=ProjectId("proj_other"), name="Other", created_at=TODAY)


class CountingStore(DuckDBStore):
    """A real store that counts its questions, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__(None)
        self.questions = 0
        self.failures: list[Exception] = []

    def rows(self, sql: Sql) -> list[Row]:
        self.questions += 1
        if self.failures:
            raise self.failures.pop()
        return super().rows(sql)


def newest_seq(store: DuckDBStore) -> int:
    return questions.events.ask(store, Since(project_id=PROJECT, limit=1))[0].seq


def names(arrivals: Arrivals | None) -> list[str]:
    assert arrivals is not None
    html = "".join(line.data for line in arrivals.lines)
    return re.findall(r'event-name"><bdi>([^<]+)', html)


async def following(stream: AsyncIterator[Arrivals | None]) -> Arrivals | None:
    return await asyncio.wait_for(stream.__anext__(), PATIENCE_S)


def watch(live: Live, after: int = 0, project: Project = SHOP) -> Any:
    return aclosing(live.arrivals(project, after))


@pytest.fixture
def store() -> Iterator[CountingStore]:
    made = CountingStore()
    yield made
    made.close()


def test_events_come_as_they_arrive_and_each_one_once(store: CountingStore) -> None:
    async def scenario() -> list[list[str]]:
        async with watch(Live(store, QUICK)) as stream:
            store.append([event("first"), event("second")])
            seen = [names(await following(stream))]
            store.append([event("third")])
            return [*seen, names(await following(stream))]

    assert asyncio.run(scenario()) == [["second", "first"], ["third"]]


def test_a_viewer_who_comes_back_gets_what_it_missed(store: CountingStore) -> None:
    store.append([event("seen")])
    seq = newest_seq(store)
    store.append([event("missed"), event("missed too")])

    async def scenario() -> Arrivals | None:
        async with watch(Live(store, QUICK), after=seq) as stream:
            return await following(stream)

    arrivals = asyncio.run(scenario())

    assert names(arrivals) == ["missed too", "missed"]
    assert arrivals is not None
    assert not arrivals.has_gap


def test_a_viewer_gets_the_newest_of_a_burst_and_is_told_of_the_rest(
    store: CountingStore,
) -> None:
    store.append([event(f"e{n}") for n in range(MOST_EVENTS + 10)])
    seq = newest_seq(store) - MOST_EVENTS

    async def scenario() -> list[Arrivals | None]:
        live = Live(store, QUICK)
        async with watch(live) as from_the_start, watch(live, after=seq) as later:
            return [await following(from_the_start), await following(later)]

    whole, rest = asyncio.run(scenario())

    assert names(whole) == names(rest) == [f"e{n}" for n in range(59, 9, -1)]
    assert whole is not None
    assert rest is not None
    # The second viewer had seen e9, which is right before the oldest kept.
    assert (whole.has_gap, rest.has_gap) == (True, False)


def test_a_slow_viewer_misses_events_and_holds_no_memory(store: CountingStore) -> None:
    async def scenario() -> Arrivals | None:
        live = Live(store, QUICK)
        async with watch(live) as slow, watch(live) as quick:
            store.append([event("first")])
            await following(slow)
            await following(quick)
            for n in range(MOST_EVENTS + 1):
                store.append([event(f"e{n}")])
                while names(await following(quick))[0] != f"e{n}":
                    pass
            return await following(slow)

    late = asyncio.run(scenario())

    assert names(late) == [f"e{n}" for n in range(MOST_EVENTS, 0, -1)]
    assert late is not None
    assert late.has_gap


def test_everybody_who_looks_shares_one_poll(store: CountingStore) -> None:
    store.append([event("only")])

    async def scenario() -> list[list[str]]:
        live = Live(store, ONE_LOOK)
        async with watch(live) as one, watch(live) as two, watch(live) as three:
            return [names(await following(s)) for s in (one, two, three)]

    assert asyncio.run(scenario()) == [["only"]] * 3
    assert store.questions == 1


def test_a_project_that_nobody_looks_at_is_not_polled(store: CountingStore) -> None:
    async def scenario() -> int:
        live = Live(store, QUICK)
        async with watch(live) as stream:
            store.append([event("only")])
            await following(stream)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 9)
        return len(live)

    assert asyncio.run(scenario()) == 0


def test_projects_are_apart(store: CountingStore) -> None:
    store.append([event("ours"), event("theirs", project_id=OTHER.id)])

    async def scenario() -> list[list[str]]:
        live = Live(store, QUICK)
        async with watch(live) as one, watch(live, project=OTHER) as two:
            return [names(await following(one)), names(await following(two))]

    assert asyncio.run(scenario()) == [["ours"], ["theirs"]]


def test_silence_has_a_heartbeat(store: CountingStore) -> None:
    async def scenario() -> Arrivals | None:
        pace = Pace(poll_s=3600.0, heartbeat_s=0.001)
        async with watch(Live(store, pace)) as stream:
            return await following(stream)

    assert asyncio.run(scenario()) is None


def test_closing_ends_every_stream_and_lets_no_new_one_begin(
    store: CountingStore,
) -> None:
    async def scenario() -> list[list[Arrivals | None]]:
        live = Live(store, ONE_LOOK)
        waiting = [asyncio.create_task(everything(live)) for _ in range(2)]
        while len(live) < 2:
            await asyncio.sleep(0)
        live.close()
        late = asyncio.create_task(everything(live))
        return await asyncio.wait_for(asyncio.gather(*waiting, late), PATIENCE_S)

    async def everything(live: Live) -> list[Arrivals | None]:
        return [arrivals async for arrivals in live.arrivals(SHOP, 0)]

    assert asyncio.run(scenario()) == [[], [], []]


def test_a_stream_ends_after_a_while_to_ask_who_is_there_anew(
    store: CountingStore,
) -> None:
    async def scenario() -> list[Arrivals | None]:
        live = Live(store, Pace(longest_s=0.0))
        return [arrivals async for arrivals in live.arrivals(SHOP, 0)]

    assert asyncio.run(scenario()) == []


def test_a_store_that_is_away_for_a_while_costs_nobody_their_stream(
    store: CountingStore,
) -> None:
    store.append([event("kept")])
    store.failures = [StoreUnavailableError("disk full") for _ in range(3)]

    async def scenario() -> list[str]:
        async with watch(Live(store, QUICK)) as stream:
            return names(await following(stream))

    assert asyncio.run(scenario()) == ["kept"]
    assert store.questions == 4


def test_a_poll_that_died_ends_its_streams_and_the_next_viewer_has_a_new_one(
    store: CountingStore,
) -> None:
    store.append([event("kept")])
    store.failures = [RuntimeError("a bug of ours")]
    told: list[Any] = []

    async def scenario() -> tuple[list[Arrivals | None], list[str]]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context))
        live = Live(store, QUICK)
        dead = [arrivals async for arrivals in live.arrivals(SHOP, 0)]
        async with watch(live) as stream:
            return dead, names(await following(stream))

    assert asyncio.run(scenario()) == ([], ["kept"])


def test_a_viewer_who_leaves_a_dead_poll_leaves_the_new_one_alone(
    store: CountingStore,
) -> None:
    store.append([event("kept")])

    async def scenario() -> tuple[list[str], int]:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        live = Live(store, QUICK)
        late = live.arrivals(SHOP, 0)
        await following(late)
        store.failures = [RuntimeError("a bug of ours")]
        with_it = live.arrivals(SHOP, newest_seq_known)
        assert [arrivals async for arrivals in with_it] == []
        async with watch(live) as stream:
            seen = names(await following(stream))
            assert [arrivals async for arrivals in late] == []
            return seen, len(live)

    newest_seq_known = newest_seq(store)

    assert asyncio.run(scenario()) == (["kept"], 1)


def test_viewers_are_bounded(store: CountingStore) -> None:
    async def scenario() -> list[bool]:
        live = Live(store, ONE_LOOK)
        streams = [live.arrivals(SHOP, 0) for _ in range(MOST_VIEWERS)]
        store.append([event("only")])
        full = [live.is_full]
        for stream in streams:
            await following(stream)
        full.append(live.is_full)
        for stream in streams:
            await stream.aclose()
        return [*full, live.is_full]

    assert asyncio.run(scenario()) == [False, True, False]
