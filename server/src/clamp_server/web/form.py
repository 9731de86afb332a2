"""The fields of a small HTML form."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from clamp_server.errors import (
    InvalidRequestError,
    TooLargeError,
    UnsupportedTypeError,
)

# The largest form is an email address, two passwords of 1,000 characters (each
# up to 12 bytes, percent-encoded) and a path.
MAX_FORM_BYTES = 32 * 1024
MAX_FIELDS = 10
# A person's browser sends a form in one go.
MAX_FORM_S = 30.0


async def form(request: Request, longest_s: float = MAX_FORM_S) -> Mapping[str, str]:
    """Read the body of a form's POST; of a field given twice the last one counts.

    Args:
        longest_s: How long the body may take to arrive, in seconds.

    Raises:
        UnsupportedTypeError: The body is not of an HTML form.
        TooLargeError: It is over 32 KiB.
        InvalidRequestError: It did not arrive whole and in time, is not UTF-8, or
            has too many fields.
    """
    sent_as = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if sent_as != "application/x-www-form-urlencoded":
        raise UnsupportedTypeError(
            "content-type: this address takes application/x-www-form-urlencoded"
        )
    try:
        async with asyncio.timeout(longest_s):
            body = await _body(request)
    except (ClientDisconnect, TimeoutError) as error:
        raise InvalidRequestError("body: only a part of it arrived") from error
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise InvalidRequestError(
            f"body: not a form of at most {MAX_FIELDS} fields in UTF-8"
        ) from error
    return dict(fields)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise TooLargeError(f"body: over {MAX_FORM_BYTES:,} bytes")
    return body
