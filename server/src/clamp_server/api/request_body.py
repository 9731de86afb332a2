"""A request's body: read no further than its limit, and unpacked no further."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from typing import TypeAlias

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from clamp_server.errors import (
    InvalidRequestError,
    StoreUnavailableError,
    TooLargeError,
    UnsupportedTypeError,
)
from clamp_server.ingest.drop_reason import DropReason, invalid, shown

Headers: TypeAlias = Mapping[bytes, bytes]

# A client reads an answer only after it has sent its body. This much beyond the
# limit is read and thrown away, so that an honest mistake learns what it was.
MAX_DISCARDED_BYTES = 1024 * 1024
# Of all bodies that come in parts: 32 full batches. Those that come in one, as
# small ones do, are looked at and gone.
MAX_ARRIVING_BYTES = 32 * 1024 * 1024
# A phone on a bad network sends 64 KB in less.
MAX_BODY_S = 30.0
# Bytes that do not compress grow a little: the header, and 5 a 16 KB block.
MAX_GZIP_GROWTH_BYTES = 1024
_GZIP = 16 + zlib.MAX_WBITS
_MALFORMED: DropReason = "malformed_body"


class BodyReader:
    """Reads bodies, and bounds what all those that arrive in parts may take.

    Args:
        longest_s: How long a body's parts may take to arrive, in seconds.
    """

    def __init__(
        self,
        longest_s: float = MAX_BODY_S,
        max_arriving_bytes: int = MAX_ARRIVING_BYTES,
    ) -> None:
        self._longest_s = longest_s
        self._max_arriving_bytes = max_arriving_bytes
        self._arriving_bytes = 0

    async def read(self, receive: Receive, max_bytes: int) -> bytes:
        """Return a whole body.

        Raises:
            TooLargeError: More than `max_bytes`.
            InvalidRequestError: It did not arrive in time.
            StoreUnavailableError: Too much of others is arriving.
            ClientDisconnect: The client went away; nobody waits for an answer.
        """
        # Without a time limit, which would cost every event 10 us: a body that
        # never begins is ended by the server around us, as one that stalls is.
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
            return body
        arrived = bytearray()
        try:
            async with asyncio.timeout(self._longest_s):
                await self._read_on(message, receive, max_bytes, arrived)
        except TimeoutError as error:
            allowed = f"{self._longest_s:g} s are allowed"
            raise invalid(_MALFORMED, "body", "a part of it", allowed) from error
        finally:
            self._arriving_bytes -= len(arrived)
        return bytes(arrived)

    async def _read_on(
        self, message: Message, receive: Receive, max_bytes: int, arrived: bytearray
    ) -> None:
        discarded = 0
        while message["type"] == "http.request":
            part: bytes = message.get("body", b"")
            if discarded or len(arrived) + len(part) > max_bytes:
                discarded += len(part)
            else:
                arrived += part
                self._arriving_bytes += len(part)
            is_last = not message.get("more_body", False)
            if discarded > MAX_DISCARDED_BYTES or (discarded and is_last):
                raise _too_large(max_bytes)
            if self._arriving_bytes > self._max_arriving_bytes:
                raise StoreUnavailableError(
                    "too much is arriving at once; send the same again after the time"
                    " in Retry-After",
                    retry_after_s=1,
                )
            if is_last:
                return
            message = await receive()
        raise ClientDisconnect


def packed_limit(headers: Headers, max_bytes: int) -> int:
    """Return the most bytes that a body of `max_bytes` has on the wire."""
    return max_bytes + MAX_GZIP_GROWTH_BYTES * (b"content-encoding" in headers)


def check_length(headers: Headers, max_bytes: int) -> None:
    """Check the size that a request announces, before anything is looked at.

    Raises:
        TooLargeError: It is over the limit by more than a `BodyReader` throws away.
    """
    if int(headers.get(b"content-length", b"0")) > max_bytes + MAX_DISCARDED_BYTES:
        raise _too_large(max_bytes)


def unpacked(body: bytes, headers: Headers, max_bytes: int) -> bytes:
    """Undo the body's `Content-Encoding`: gzip or none.

    Raises:
        UnsupportedTypeError: Another encoding.
        InvalidRequestError: Not gzip, or not all of it.
        TooLargeError: Over `max_bytes` unpacked; it is not unpacked further.
    """
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding == b"gzip":
        return _gunzipped(body, max_bytes)
    check_not_packed(headers, "gzip or none is allowed")
    return body


def check_not_packed(
    headers: Headers, allowed: str = "none is allowed on this endpoint"
) -> None:
    """Check that a body is as it is.

    Raises:
        UnsupportedTypeError: It has a `Content-Encoding`.
    """
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in (b"identity", b""):
        got = shown(encoding.decode("latin-1"))
        raise UnsupportedTypeError(f"content-encoding: got {got}; {allowed}")


def _gunzipped(body: bytes, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise _not_gzip("malformed gzip") from error
    if len(plain) > max_bytes:
        raise _too_large(max_bytes, "unpacked ")
    if not stream.eof:
        raise _not_gzip("gzip that ends too early")
    if stream.unused_data:
        raise _not_gzip("more after the end of gzip")
    return plain


def _not_gzip(got: str) -> InvalidRequestError:
    return invalid(_MALFORMED, "body", got, "one gzip member is allowed")


def _too_large(max_bytes: int, how: str = "") -> TooLargeError:
    return TooLargeError(
        f"body: got more than {max_bytes} {how}bytes; at most {max_bytes} are allowed"
    )
