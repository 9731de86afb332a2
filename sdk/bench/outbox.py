"""What the outbox costs: python sdk/bench/outbox.py. Needs the SDK only."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from multiprocessing import Process
from pathlib import Path

from clamp_analytics._outbox import Outbox

EVENT = json.dumps(
    {
        "id": "a" * 32,
        "name": "checkout completed",
        "timestamp": "2026-03-10T12:00:00.123456Z",
        "anonymousId": "anon_1234567890",
        "properties": {"plan": "pro", "seats": 5, "price": 29.0, "is_trial": False},
    }
).encode()
EVENTS = 30_000
BATCH = 1_000


def opened(path: Path) -> Outbox:
    return Outbox(path, "proj_bench", 2**30, print)


def burst(path: Path) -> str:
    outbox, clock, costs_ns = opened(path), time.perf_counter_ns, []
    for _ in range(EVENTS):
        start_ns = clock()
        outbox.put(EVENT)
        costs_ns.append(clock() - start_ns)
    outbox.close()
    centiles = statistics.quantiles(costs_ns, n=100)
    return f"put: median {centiles[49] / 1e3:.1f} us, p99 {centiles[98] / 1e3:.1f} us"


def pass_through(path: Path) -> None:
    outbox = opened(path)
    for _ in range(EVENTS // BATCH):
        for _ in range(BATCH):
            outbox.put(EVENT)
        while outbox.take(BATCH, 2**20):
            outbox.settle()
    outbox.close()


def throughput(path: Path, processes: int) -> str:
    running = [Process(target=pass_through, args=(path,)) for _ in range(processes)]
    start_s = time.perf_counter()
    for process in running:
        process.start()
    for process in running:
        process.join()
    rate = processes * EVENTS / (time.perf_counter() - start_s)
    return f"put, take and settle, {processes} processes: {rate:,.0f} events a second"


def taking_over(path: Path) -> str:
    outbox = opened(path)
    for _ in range(10 * EVENTS):
        outbox.put(EVENT)
    outbox.close()
    start_s = time.perf_counter()
    outbox = opened(path)
    took_ms = (time.perf_counter() - start_s) * 1000
    outbox.close()
    return f"to take over {outbox.entered:,} events: {took_ms:.0f} ms"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        print(burst(path / "burst"))
        print(throughput(path / "one", 1))
        print(throughput(path / "four", 4))
        print(taking_over(path / "left"))
