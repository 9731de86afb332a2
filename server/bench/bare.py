"""What the server is measured against: Starlette that decodes and stores nothing."""

from __future__ import annotations

import sys

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Event(msgspec.Struct):
    p: str
    name: str
    anonymousId: str = ""
    timestamp: str = ""
    properties: dict[str, str | float | bool] = {}


async def take(request: Request) -> Response:
    msgspec.json.decode(await request.body(), type=Event)
    return Response(b'{"ok":true}', media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        Starlette(routes=[Route("/e/s", take, methods=["POST"])]),
        port=int(sys.argv[1]),
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=False,
    )
