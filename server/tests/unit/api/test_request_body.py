import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from clamp_server.api.request_body import (
    MAX_DISCARDED_BYTES,
    MAX_GZIP_GROWTH_BYTES,
    BodyReader,
    check_length,
    check_not_packed,
    packed_limit,
    unpacked,
)
from clamp_server.errors import (
    InvalidRequestError,
    StoreUnavailableError,
    TooLargeError,
    UnsupportedTypeError,
)

LIMIT = 1000
OVER = "body: got more than 1000 bytes; at most 1000 are allowed"
GZIP = {b"content-encoding": b"gzip"}
# Without the time of day: it would be in the names of tests, and two processes that run
# them have to call them the same.
ABC = gzip.compress(b"abc", mtime=0)


class Messages:
    """What an ASGI server hands over, one message a call."""

    def __init__(self, messages: Iterable[dict[str, Any]]) -> None:
        self._messages = iter(messages)
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        self.taken += 1
        return next(self._messages)


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


GONE = {"type": "http.disconnect"}
LAST = {"type": "http.request"}


def read(*messages: dict[str, Any]) -> bytes:
    return asyncio.run(BodyReader().read(Messages(messages), LIMIT))


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([LAST], b""),
        ([part(b"abc", more=False)], b"abc"),
        ([part(b"a"), part(b"b"), part(b"c", more=False)], b"abc"),
        ([part(b"a"), part(b""), LAST], b"a"),
        ([part(b"x" * 1000, more=False)], b"x" * 1000),
        ([part(b"x" * 999), part(b"x", more=False)], b"x" * 1000),
    ],
)
def test_a_body_up_to_the_limit_is_read_whole(
    messages: list[dict[str, Any]], body: bytes
) -> None:
    assert read(*messages) == body


@pytest.mark.parametrize(
    "messages",
    [
        [part(b"x" * 1001, more=False)],
        [part(b"x" * 1000), part(b"x", more=False)],
        [part(b"x" * 1001), part(b"x"), part(b"", more=False)],
    ],
)
def test_a_body_over_the_limit_is_refused(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(TooLargeError) as refused:
        read(*messages)

    assert refused.value.message == OVER


def test_a_body_without_end_is_cut_off() -> None:
    chunk = b"x" * 65_536
    endless = Messages(part(chunk) for _ in range(1_000_000))

    with pytest.raises(TooLargeError):
        asyncio.run(BodyReader().read(endless, LIMIT))

    assert endless.taken == MAX_DISCARDED_BYTES // len(chunk) + 1


@pytest.mark.parametrize("messages", [[GONE], [part(b"a"), GONE]])
def test_a_client_that_goes_away_gets_no_answer(messages: list[dict[str, Any]]) -> None:
    with pytest.raises(ClientDisconnect):
        read(*messages)


def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    async def stalled() -> bytes:
        messages = iter([part(b"a")])

        async def receive() -> dict[str, Any]:
            for message in messages:
                return message
            await asyncio.Event().wait()
            return GONE

        return await BodyReader(longest_s=0.01).read(receive, LIMIT)

    with pytest.raises(InvalidRequestError) as refused:
        asyncio.run(stalled())

    assert (refused.value.code, refused.value.message) == (
        "malformed_body",
        "body: got a part of it; 0.01 s are allowed",
    )


def test_bodies_that_arrive_at_once_have_a_bound_together() -> None:
    async def three() -> list[object]:
        reader = BodyReader(max_arriving_bytes=1500)
        may_end = asyncio.Event()

        async def read(size: int) -> bytes:
            messages = iter([part(b"x" * size), part(b"y", more=False)])

            async def receive() -> dict[str, Any]:
                message = next(messages)
                if not message["more_body"]:
                    await may_end.wait()
                return message

            return await reader.read(receive, LIMIT)

        first = asyncio.create_task(read(900))
        await asyncio.sleep(0)
        second = asyncio.create_task(read(900))
        await asyncio.sleep(0)
        whole = await reader.read(Messages([part(b"z" * 900, more=False)]), LIMIT)
        may_end.set()
        done = await asyncio.gather(first, second, return_exceptions=True)
        return [whole, *done, await read(900)]

    whole, first, second, third = asyncio.run(three())

    assert (whole, first, third) == (b"z" * 900, b"x" * 900 + b"y", b"x" * 900 + b"y")
    assert isinstance(second, StoreUnavailableError)
    assert (second.retry_after_s, second.message) == (
        1,
        "too much is arriving at once; send the same again after the time in"
        " Retry-After",
    )


@pytest.mark.parametrize("declared", [b"0", b"1000", b"1001", b"1049576"])
def test_a_little_over_the_limit_is_left_to_the_reading(declared: bytes) -> None:
    check_length({b"content-length": declared}, LIMIT)
    check_length({}, LIMIT)


def test_far_over_the_limit_is_refused_unread() -> None:
    declared = {b"content-length": str(LIMIT + MAX_DISCARDED_BYTES + 1).encode()}

    with pytest.raises(TooLargeError) as refused:
        check_length(declared, LIMIT)

    assert refused.value.message == OVER


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"content-encoding": b""},
        {b"content-encoding": b"identity"},
        {b"content-encoding": b"Identity "},
    ],
)
def test_a_body_may_come_as_it_is(headers: dict[bytes, bytes]) -> None:
    check_not_packed(headers)

    assert unpacked(b"abc", headers, LIMIT) == b"abc"


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP", b" gzip "])
@pytest.mark.parametrize("plain", [b"", b"abc", b"x" * LIMIT])
def test_gzip_is_undone(encoding: bytes, plain: bytes) -> None:
    packed = gzip.compress(plain)

    assert unpacked(packed, {b"content-encoding": encoding}, LIMIT) == plain


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x-gzip"])
def test_another_encoding_is_not_undone(encoding: str) -> None:
    with pytest.raises(UnsupportedTypeError) as refused:
        unpacked(b"abc", {b"content-encoding": encoding.encode()}, LIMIT)

    assert refused.value.message == (
        f'content-encoding: got "{encoding}"; gzip or none is allowed'
    )


def test_an_endpoint_may_take_no_gzip() -> None:
    with pytest.raises(UnsupportedTypeError) as refused:
        check_not_packed(GZIP)

    assert refused.value.message == (
        'content-encoding: got "gzip"; none is allowed on this endpoint'
    )


@pytest.mark.parametrize(
    ("packed", "got"),
    [
        (b"", "gzip that ends too early"),
        (b"abc", "malformed gzip"),
        (zlib.compress(b"abc"), "malformed gzip"),
        (ABC[:-1], "gzip that ends too early"),
        (ABC[:-8] + bytes(8), "malformed gzip"),
        (ABC + b"x", "more after the end of gzip"),
        (ABC * 2, "more after the end of gzip"),
    ],
)
def test_bad_gzip_is_named(packed: bytes, got: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        unpacked(packed, GZIP, LIMIT)

    assert (refused.value.code, refused.value.message) == (
        "malformed_body",
        f"body: got {got}; one gzip member is allowed",
    )


def test_a_bomb_is_refused_without_being_unpacked() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))

    tracemalloc.start()
    with pytest.raises(TooLargeError) as refused:
        unpacked(bomb, GZIP, LIMIT)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refused.value.message == (
        "body: got more than 1000 unpacked bytes; at most 1000 are allowed"
    )
    assert peak_bytes < 1_000_000


def test_the_limit_holds_for_the_unpacked_body() -> None:
    assert packed_limit({}, LIMIT) == LIMIT
    assert packed_limit(GZIP, LIMIT) == LIMIT + MAX_GZIP_GROWTH_BYTES
