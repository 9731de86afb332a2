import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from threading import Event

import pytest
from tests.make import event

from clamp_server.errors import StoreUnavailableError
from clamp_server.ingest.buffer import MAX_GROUP_EVENTS, MAX_QUEUED_BYTES, Buffer
from clamp_server.ingest.counts import CommitTimes
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Sql

WAIT_S = 10.0
A, B, C, D = (event(name, id=name) for name in "abcd")
AGAIN = "nothing of this request was stored, send the same again after the time in"


class DeskStore(DuckDBStore):
    """A real store whose commits can be held, and made to fail."""

    def __init__(self) -> None:
        super().__init__(None)
        self.may_commit = Event()
        self.may_commit.set()
        self.is_committing = Event()
        self.groups: list[list[str]] = []
        self.failure: Exception | None = None
        self.poison = ""

    def append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        self.is_committing.set()
        assert self.may_commit.wait(WAIT_S)
        names = [event.name for event in events]
        self.groups.append(names)
        if self.failure is not None:
            raise self.failure
        if self.poison in names:
            raise ValueError("this event cannot be stored")
        return super().append(events)

    def stored(self) -> list[str]:
        rows = self.rows(Sql("SELECT name FROM events ORDER BY name"))
        return [row["name"] for row in rows]


@pytest.fixture
def store() -> Iterator[DeskStore]:
    made = DeskStore()
    yield made
    made.close()


def running(
    store: DeskStore,
    scenario: Callable[[Buffer], Awaitable[None]],
    max_events: int = 10,
) -> DeskStore:
    """Run `scenario` on a buffer over `store`; return the store."""

    async def run() -> None:
        buffer = Buffer(store, CommitTimes(), max_events)
        buffer.start()
        try:
            await asyncio.wait_for(scenario(buffer), WAIT_S)
        finally:
            store.may_commit.set()
            await buffer.close()

    asyncio.run(run())
    return store


async def put(
    buffer: Buffer, events: Sequence[EnrichedEvent], size_bytes: int = 1
) -> list[bool]:
    """Do what a request does."""
    buffer.reserve(len(events), size_bytes)
    try:
        return await buffer.put(events)
    finally:
        buffer.release(len(events), size_bytes)


async def begun(
    buffer: Buffer, *puts: Sequence[EnrichedEvent], size_bytes: int = 1
) -> list[asyncio.Task[list[bool]]]:
    """Let requests put their events in, each before the next."""
    tasks = []
    for events in puts:
        tasks.append(asyncio.create_task(put(buffer, events, size_bytes)))
        await asyncio.sleep(0)
    return tasks


async def held(buffer: Buffer, store: DeskStore) -> asyncio.Task[list[bool]]:
    """Begin the commit of event A, and hold it."""
    store.may_commit.clear()
    store.is_committing.clear()
    (first,) = await begun(buffer, [A])
    assert await asyncio.to_thread(store.is_committing.wait, WAIT_S)
    return first


def test_each_event_is_told_whether_it_is_new(store: DeskStore) -> None:
    async def scenario(buffer: Buffer) -> None:
        assert await put(buffer, [A, B, A]) == [True, True, False]
        assert await put(buffer, [B, C]) == [False, True]

    assert running(store, scenario).stored() == ["a", "b", "c"]


def test_what_arrives_during_a_commit_is_one_group(store: DeskStore) -> None:
    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        later = await begun(buffer, [B, C], [D, B])
        assert buffer.queued_events == 5
        store.may_commit.set()

        assert await asyncio.gather(first, *later) == [
            [True],
            [True, True],
            [True, False],
        ]
        assert buffer.queued_events == 0

    assert running(store, scenario).groups == [["a"], ["b", "c", "d", "b"]]


def test_a_group_has_an_end(store: DeskStore) -> None:
    many = [event(str(n)) for n in range(MAX_GROUP_EVENTS)]

    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        later = await begun(buffer, many, [B])
        store.may_commit.set()
        await asyncio.gather(first, *later)

    groups = running(store, scenario, max_events=2 * MAX_GROUP_EVENTS).groups
    assert [len(group) for group in groups] == [1, MAX_GROUP_EVENTS, 1]


def test_a_full_queue_refuses_at_once_and_stores_nothing_of_it(
    store: DeskStore,
) -> None:
    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        (second,) = await begun(buffer, [B])
        assert buffer.trouble() is None
        with pytest.raises(StoreUnavailableError) as refused:
            await put(buffer, [C, D])
        (third,) = await begun(buffer, [C])
        assert buffer.trouble() == "too many events are waiting"
        store.may_commit.set()
        await asyncio.gather(first, second, third)

        assert refused.value.retry_after_s == 1
        assert refused.value.message == (
            f"too many events are waiting; {AGAIN} Retry-After"
        )
        assert buffer.trouble() is None
        assert await put(buffer, [C, D]) == [False, True]

    assert running(store, scenario, max_events=3).stored() == ["a", "b", "c", "d"]


def test_the_queue_is_bounded_in_bytes_too(store: DeskStore) -> None:
    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        (second,) = await begun(buffer, [B], size_bytes=MAX_QUEUED_BYTES - 1)
        with pytest.raises(StoreUnavailableError):
            await put(buffer, [C])
        store.may_commit.set()
        await asyncio.gather(first, second)

        assert await put(buffer, [D]) == [True]

    assert running(store, scenario).stored() == ["a", "b", "d"]


def test_one_request_larger_than_the_queue_is_taken_when_it_is_empty(
    store: DeskStore,
) -> None:
    async def scenario(buffer: Buffer) -> None:
        assert await put(buffer, [A, B, C], 2 * MAX_QUEUED_BYTES) == [True] * 3

    running(store, scenario, max_events=2)


def test_a_failed_commit_fails_its_whole_group_and_the_next_may_succeed(
    store: DeskStore, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        later = await begun(buffer, [B], [C])
        store.failure = StoreUnavailableError("no space left in /var/clamp")
        store.may_commit.set()
        outcomes = await asyncio.gather(first, *later, return_exceptions=True)

        assert [str(outcome) for outcome in outcomes] == [
            f"the store cannot take it; {AGAIN} Retry-After"
        ] * 3
        assert buffer.trouble() == "the last commit failed"
        store.failure = None
        assert await put(buffer, [C]) == [True]
        assert buffer.trouble() is None

    assert running(store, scenario).stored() == ["c"]
    # Told once, and not once a request.
    assert [record.getMessage() for record in caplog.records] == [
        "the store refused a commit: no space left in /var/clamp"
    ]


def test_trouble_is_forgotten_when_nothing_comes_in_to_disprove_it(
    store: DeskStore,
) -> None:
    now_s = 0.0
    store.failure = StoreUnavailableError("gone")

    async def run() -> None:
        nonlocal now_s
        buffer = Buffer(store, CommitTimes(), 10, lambda: now_s)
        buffer.start()
        with pytest.raises(StoreUnavailableError):
            await put(buffer, [A])
        now_s = 9.9
        assert buffer.trouble() == "the last commit failed"
        now_s = 10.0
        assert buffer.trouble() is None
        await buffer.close()

    asyncio.run(run())


def test_an_event_that_cannot_be_stored_fails_alone(store: DeskStore) -> None:
    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        later = await begun(buffer, [B], [C], [D])
        store.poison = "c"
        store.may_commit.set()
        outcomes = await asyncio.gather(first, *later, return_exceptions=True)

        assert [repr(outcome) for outcome in outcomes] == [
            "[True]",
            "[True]",
            "ValueError('this event cannot be stored')",
            "[True]",
        ]
        assert buffer.trouble() is None

    assert running(store, scenario).stored() == ["a", "b", "d"]


def test_a_request_that_went_away_does_not_hold_up_the_others(store: DeskStore) -> None:
    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        gone, stays = await begun(buffer, [B], [C])
        gone.cancel()
        store.may_commit.set()

        assert list(await asyncio.gather(first, stays)) == [[True], [True]]
        assert buffer.queued_events == 0

    assert running(store, scenario).stored() == ["a", "b", "c"]


def test_closing_commits_what_waits_and_takes_no_more(store: DeskStore) -> None:
    async def scenario(buffer: Buffer) -> None:
        first = await held(buffer, store)
        later = await begun(buffer, [B], [C])
        closing = asyncio.create_task(buffer.close())
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailableError, match="the server is stopping"):
            await put(buffer, [D])
        store.may_commit.set()
        await closing

        assert await asyncio.gather(first, *later) == [[True]] * 3
        assert buffer.trouble() == "the server is starting or stopping"

    assert running(store, scenario).stored() == ["a", "b", "c"]


def test_a_request_that_was_let_in_before_the_end_is_refused_at_it(
    store: DeskStore,
) -> None:
    async def scenario(buffer: Buffer) -> None:
        buffer.reserve(1, 1)
        await buffer.close()
        with pytest.raises(StoreUnavailableError, match="the server is stopping"):
            await buffer.put([A])
        buffer.release(1, 1)

    assert running(store, scenario).stored() == []


def test_a_buffer_that_was_never_started_can_be_closed(store: DeskStore) -> None:
    buffer = Buffer(store, CommitTimes(), 10)

    asyncio.run(buffer.close())

    assert buffer.trouble() == "the server is starting or stopping"


def test_every_commit_is_timed(store: DeskStore) -> None:
    times = CommitTimes()

    async def run() -> None:
        clock = iter([0.0, 0.004, 1.0, 31.0])
        buffer = Buffer(store, times, 10, lambda: next(clock))
        buffer.start()
        await put(buffer, [A])
        await put(buffer, [B])
        await buffer.close()

    asyncio.run(run())

    assert times == CommitTimes([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 30.004)
