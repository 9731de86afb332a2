from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from clamp_server.errors import InvalidRequestError
from clamp_server.web.form import form

HEADERS = [(b"content-type", b"application/x-www-form-urlencoded")]
PART = {"type": "http.request", "body": b"email=ann", "more_body": True}
GONE = {"type": "http.disconnect"}


@pytest.mark.parametrize("arrives", [[], [PART], [PART, GONE]])
def test_a_form_that_does_not_arrive_whole_is_refused(
    arrives: list[dict[str, Any]],
) -> None:
    async def stalled() -> None:
        messages = iter(arrives)

        async def receive() -> dict[str, Any]:
            for message in messages:
                return message
            await asyncio.Event().wait()
            return GONE

        scope = {"type": "http", "method": "POST", "headers": HEADERS}
        await form(Request(scope, receive), longest_s=0.01)

    with pytest.raises(InvalidRequestError) as refused:
        asyncio.run(stalled())

    assert refused.value.message == "body: only a part of it arrived"
