"""The load generator: a process of its own, as light as Python allows.

Reads a plan as JSON from standard input and writes what happened as JSON to
standard output. One connection sends one request at a time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass

import uvloop


@dataclass(frozen=True)
class Plan:
    """One load.

    Attributes:
        bodies: Sent in turn; `{n}` in one is a number that never comes twice.
        per_s: Requests a second, on a schedule; 0 for as many as are answered.
        requests: Ends the load when so many are answered; 0 for `seconds`.
    """

    port: int
    path: str
    headers: dict[str, str]
    bodies: list[str]
    connections: int
    seconds: float = 0.0
    requests: int = 0
    per_s: int = 0
    first_number: int = 0


@dataclass(frozen=True)
class Result:
    """What happened; latencies in seconds, from the time a request was due."""

    requests: int
    seconds: float
    failures: list[str]
    p50_s: float
    p99_s: float
    max_s: float


class Connection(asyncio.Protocol):
    """Sends what `next_request` gives until it gives nothing."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._due_s = 0.0
        self._received = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # the loop's promise
        self._send()

    def data_received(self, data: bytes) -> None:
        received = self._received + data
        head, found, body = received.partition(b"\r\n\r\n")
        start = head.find(b"content-length: ") + 16
        if not found or len(body) < int(head[start:].split(b"\r\n", 1)[0]):
            self._received = received
            return
        self._received = b""
        self._load.answered(time.perf_counter() - self._due_s, head, body)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._load.failures.append(f"connection lost: {exc}")
            self.done.set_result(None)

    def _send(self) -> None:
        due = self._load.next_request()
        if due is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._due_s, request = due
        wait_s = self._due_s - time.perf_counter()
        if wait_s > 0:
            loop = asyncio.get_running_loop()
            loop.call_later(wait_s, self._transport.write, request)
        else:
            self._transport.write(request)


class Load:
    """The plan on its way."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        names = {"host": "bench", "content-type": "application/json"} | plan.headers
        lines = [f"{name}: {value}" for name, value in names.items()]
        head = "\r\n".join([f"POST {plan.path} HTTP/1.1", *lines])
        self._head = f"{head}\r\ncontent-length: ".encode()
        self._bodies = [body.encode().split(b"{n}") for body in plan.bodies]
        self._number = plan.first_number
        self._sent = 0
        self._latencies_s: list[float] = []
        self._begun_s = time.perf_counter()
        self.failures: list[str] = []

    def next_request(self) -> tuple[float, bytes] | None:
        now_s = time.perf_counter()
        plan = self._plan
        if plan.requests and self._sent >= plan.requests:
            return None
        if plan.seconds and now_s - self._begun_s >= plan.seconds:
            return None
        due_s = self._begun_s + self._sent / plan.per_s if plan.per_s else now_s
        parts = self._bodies[self._sent % len(self._bodies)]
        self._sent += 1
        body = parts[0]
        if len(parts) > 1:
            numbered = [body]
            for part in parts[1:]:
                numbered += (b"%012d" % self._number, part)
                self._number += 1
            body = b"".join(numbered)
        return due_s, b"%b%d\r\n\r\n%b" % (self._head, len(body), body)

    def answered(self, took_s: float, head: bytes, body: bytes) -> None:
        self._latencies_s.append(took_s)
        if not head.startswith(b"HTTP/1.1 200") or b'"rejected":[{' in body:
            self.failures.append((head[:40] + b" " + body[:200]).decode())

    async def run(self) -> Result:
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(
                lambda: Connection(self), "127.0.0.1", self._plan.port
            )
            for _ in range(self._plan.connections)
        ]
        await asyncio.gather(*(connection.done for _, connection in made))
        seconds = time.perf_counter() - self._begun_s
        latencies_s = sorted(self._latencies_s) or [0.0]
        return Result(
            requests=len(self._latencies_s),
            seconds=seconds,
            failures=self.failures[:5],
            p50_s=latencies_s[len(latencies_s) // 2],
            p99_s=latencies_s[int(len(latencies_s) * 0.99)],
            max_s=latencies_s[-1],
        )


async def main() -> None:
    plan = Plan(**json.load(sys.stdin))
    json.dump(asdict(await Load(plan).run()), sys.stdout)


if __name__ == "__main__":
    uvloop.run(main())
