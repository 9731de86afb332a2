import asyncio
from collections.abc import Awaitable, Callable
from threading import Event

import pytest

from clamp_server.api.credential import Credentials
from clamp_server.errors import StoreUnavailableError, UnauthorizedError
from clamp_server.model.ids import ProjectId
from clamp_server.store.catalog import Catalog
from clamp_server.store.catalog_snapshot import CatalogSnapshot

WAIT_S = 10.0


class Reader:
    """Reads a real catalog, counts how often, and can be held or broken."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.reads = 0
        self.may_read = Event()
        self.may_read.set()
        self.failure: Exception | None = None

    def __call__(self) -> CatalogSnapshot:
        self.reads += 1
        assert self.may_read.wait(WAIT_S)
        if self.failure is not None:
            raise self.failure
        return self._catalog.snapshot()


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def reader(catalog: Catalog) -> Reader:
    return Reader(catalog)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def credentials(reader: Reader, time: Time) -> Credentials:
    return Credentials(reader, time)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scenario(), WAIT_S)

    asyncio.run(bounded())


def test_a_key_is_looked_up_once_a_second(
    catalog: Catalog, credentials: Credentials, reader: Reader, time: Time
) -> None:
    shop = catalog.create_project("Shop")
    api_key = catalog.create_key(shop.id).api_key

    async def scenario() -> None:
        for _ in range(100):
            assert await credentials.project_of_key(api_key) == shop
            assert await credentials.project(shop.id) == shop
        assert reader.reads == 1
        time.now_s += 1.1
        assert await credentials.project_of_key(api_key) == shop
        assert reader.reads == 2

    run(scenario)


@pytest.mark.parametrize("api_key", [None, ""])
def test_no_key_is_no_reason_to_look(
    credentials: Credentials, reader: Reader, api_key: str | None
) -> None:
    async def scenario() -> None:
        with pytest.raises(UnauthorizedError) as refused:
            await credentials.project_of_key(api_key)
        assert refused.value.message == (
            "x-clamp-key: got nothing; a project's API key is needed"
        )

    run(scenario)

    assert reader.reads == 0


def test_a_key_works_the_moment_it_is_made(
    catalog: Catalog, credentials: Credentials, reader: Reader, time: Time
) -> None:
    shop = catalog.create_project("Shop")

    async def scenario() -> None:
        assert await credentials.project(shop.id) == shop
        time.now_s += 0.5
        api_key = catalog.create_key(shop.id).api_key

        assert await credentials.project_of_key(api_key) == shop
        assert reader.reads == 2

    run(scenario)


def test_a_project_works_the_moment_it_is_made(
    catalog: Catalog, credentials: Credentials, time: Time
) -> None:
    async def scenario() -> None:
        assert await credentials.project(ProjectId("proj_none")) is None
        time.now_s += 0.5
        shop = catalog.create_project("Shop")

        assert await credentials.project(shop.id) == shop

    run(scenario)


def test_a_key_ends_within_a_second_of_its_revocation(
    catalog: Catalog, credentials: Credentials, time: Time
) -> None:
    made = catalog.create_key(catalog.create_project("Shop").id)

    async def scenario() -> None:
        await credentials.project_of_key(made.api_key)
        catalog.revoke_key(made.key.id)
        time.now_s += 1.01
        with pytest.raises(UnauthorizedError) as refused:
            await credentials.project_of_key(made.api_key)
        assert refused.value.message == (
            "x-clamp-key: got a revoked key; `clamp key create` makes another"
        )

    run(scenario)


def test_all_strangers_together_cause_one_look(
    catalog: Catalog, credentials: Credentials, reader: Reader, time: Time
) -> None:
    shop = catalog.create_project("Shop")
    api_key = catalog.create_key(shop.id).api_key

    async def scenario() -> None:
        await credentials.project_of_key(api_key)
        time.now_s += 0.5
        reader.may_read.clear()
        strangers = [
            asyncio.create_task(credentials.project_of_key(f"sk_proj_{n}"))
            for n in range(1000)
        ]
        await asyncio.sleep(0)
        # Who is known does not wait for them.
        assert await credentials.project_of_key(api_key) == shop
        reader.may_read.set()
        refused = await asyncio.gather(*strangers, return_exceptions=True)

        assert {str(error) for error in refused} == {
            "x-clamp-key: got an unknown key; `clamp key create` makes one"
        }
        assert reader.reads == 2

    run(scenario)


def test_strangers_wait_for_the_next_look(
    credentials: Credentials, reader: Reader, time: Time
) -> None:
    async def scenario() -> None:
        await credentials.check()
        time.now_s += 0.05
        stranger = asyncio.create_task(credentials.project_of_key("sk_proj_x"))
        await asyncio.sleep(0)
        assert reader.reads == 1
        with pytest.raises(UnauthorizedError):
            await stranger
        assert reader.reads == 2

    run(scenario)


def test_a_stranger_that_goes_away_does_not_end_the_look_of_others(
    catalog: Catalog, credentials: Credentials, reader: Reader
) -> None:
    shop = catalog.create_project("Shop")

    async def scenario() -> None:
        reader.may_read.clear()
        gone = asyncio.create_task(credentials.project(ProjectId("proj_none")))
        stays = asyncio.create_task(credentials.project(shop.id))
        await asyncio.sleep(0)
        gone.cancel()
        reader.may_read.set()

        assert await stays == shop

    run(scenario)


def test_a_catalog_that_cannot_be_read_is_no_verdict_on_a_key(
    catalog: Catalog, credentials: Credentials, reader: Reader, time: Time
) -> None:
    shop = catalog.create_project("Shop")
    api_key = catalog.create_key(shop.id).api_key
    reader.failure = StoreUnavailableError("the catalog cannot be read")

    async def scenario() -> None:
        with pytest.raises(StoreUnavailableError):
            await credentials.check()
        with pytest.raises(StoreUnavailableError):
            await credentials.project_of_key(api_key)
        reader.failure = None
        time.now_s += 1

        await credentials.check()
        assert await credentials.project_of_key(api_key) == shop

    run(scenario)
