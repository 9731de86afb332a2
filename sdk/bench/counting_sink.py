"""A server that takes what any of the contenders sends, and counts events.

Usage: counting_sink.py [--late-ms MS] [--no-batches]

Prints its address. Bodies are only kept while they come in: when its standard input
ends it counts and prints the totals, so that counting takes no time from a run.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from event import PROPERTIES

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
GZIP = re.compile(rb"\r\ncontent-encoding: *gzip", re.IGNORECASE)
BATCH_PATH = "/e/s/batch"

Events = Iterable[Mapping[str, Any]]


def clamp_batch(body: bytes) -> Events:
    return (event["properties"] for event in json.loads(body)["events"])


def clamp_event(body: bytes) -> Events:
    yield json.loads(body)["properties"]


def list_called_batch(body: bytes) -> Events:
    return (event["properties"] for event in json.loads(body)["batch"])


def sentry_envelope(body: bytes) -> Events:
    """Lines: a header for the envelope, then a header and a payload for each item."""
    lines = body.splitlines()[1:]
    for header, payload in zip(lines[::2], lines[1::2], strict=False):
        if json.loads(header)["type"] == "event":
            yield json.loads(payload)["extra"]


def mixpanel_form(body: bytes) -> Events:
    (events,) = parse_qs(body.decode())["data"]
    return (event["properties"] for event in json.loads(events))


def honeybadger_lines(body: bytes) -> Events:
    return map(json.loads, body.splitlines())


PROTOCOLS: dict[str, Callable[[bytes], Events]] = {
    BATCH_PATH: clamp_batch,
    "/e/s": clamp_event,
    "/batch/": list_called_batch,
    "/v1/batch": list_called_batch,
    "/api/1/envelope/": sentry_envelope,
    "/track": mixpanel_form,
    "/v1/events/": honeybadger_lines,
}


class Sink:
    """What came in, and what is answered."""

    def __init__(self, late_s: float, has_batches: bool) -> None:
        self.late_s = late_s
        self._has_batches = has_batches
        self._requests: list[tuple[str, bytes]] = []

    def answer(self, path: str, body: bytes) -> bytes:
        """Keep a request, and say what its sender wants to hear."""
        if path not in PROTOCOLS:
            return http_answer("404 Not Found", {"error": "not_found"})
        if path == BATCH_PATH and not self._has_batches:
            return http_answer("404 Not Found", {"error": "not_found"})
        self._requests.append((path, body))
        wanted: dict[str, object] = {"ok": True}
        if path == BATCH_PATH:
            # Every event has one; reading all of the JSON would take ten times longer.
            accepted = body.count(b'"id":')
            wanted |= {"accepted": accepted, "duplicates": 0, "rejected": []}
        elif path == "/track":
            wanted = {"status": 1, "error": None}
        return http_answer("200 OK", wanted)

    def totals(self) -> dict[str, int]:
        """Requests, and the events in them that have the five properties."""
        return {
            "requests": len(self._requests),
            "events": sum(
                properties.items() >= PROPERTIES.items()
                for path, body in self._requests
                for properties in PROTOCOLS[path](body)
            ),
        }


def http_answer(status: str, body: object) -> bytes:
    content = json.dumps(body)
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(content)}\r\n\r\n{content}"
    ).encode()


class Connection(asyncio.Protocol):
    """One connection of a sender."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(self._received[:head_end])
        length = CONTENT_LENGTH.search(head)
        body_start = head_end + 4
        end = body_start + (int(length[1]) if length else 0)
        if len(self._received) < end:
            return
        # Nobody sends the next request before the answer, so there is only this one.
        body = bytes(self._received[body_start:end])
        self._received.clear()
        path = head.split(b" ", 2)[1].decode().partition("?")[0]
        self._reply(path, gzip.decompress(body) if GZIP.search(head) else body)

    def _reply(self, path: str, body: bytes) -> None:
        answer = self._sink.answer(path, body)
        if self._sink.late_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._sink.late_s, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def serve(sink: Sink) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(sink), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--late-ms", type=float, default=0.0)
    parser.add_argument("--no-batches", action="store_true")
    options = parser.parse_args()
    sink = Sink(options.late_ms / 1e3, not options.no_batches)
    asyncio.run(serve(sink))
    print(json.dumps(sink.totals()))


if __name__ == "__main__":
    main()
