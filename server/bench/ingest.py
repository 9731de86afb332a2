"""How fast events come in, and what they take: `python server/bench/ingest.py`.

Everything runs on this machine at once: the server, what it is measured against,
and the load generator in a process of its own. Single events and the bare route
take turns, so that what else the machine does meets both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from load import Plan, Result

HERE = Path(__file__).parent
EVENTS_A_BATCH = 100
QUESTIONS = (
    "overview?period=365d",
    "events?period=365d",
    "breakdown?dimension=country&period=365d",
    "timeseries?metric=visitors&period=365d",
)
PLANS = ("free", "starter", "pro", "office")
NAMES = ("signup", "feature_used", "invoice_paid", "report_opened", "login")


def body(project_id: str, dice: random.Random) -> dict[str, Any]:
    """An event as the SDK sends it."""
    return {
        "p": project_id,
        "name": dice.choice(NAMES),
        "timestamp": f"2026-{dice.randint(1, 9):02}-{dice.randint(1, 28):02}"
        f"T{dice.randint(0, 23):02}:{dice.randint(0, 59):02}:{dice.randint(0, 59):02}"
        f".{dice.randint(0, 999):03}Z",
        "anonymousId": f"aid_{dice.randbytes(12).hex()}",
        "properties": {
            "plan": dice.choice(PLANS),
            "method": dice.choice(("email", "google", "github")),
            "seats": dice.randint(1, 40),
            "trial": dice.random() < 0.5,
        },
    }


def batch(project_id: str, dice: random.Random) -> str:
    """A batch as the SDK sends it in the background: with an id on every event."""
    events = [body(project_id, dice) for _ in range(EVENTS_A_BATCH)]
    for event in events:
        del event["p"]
        event["id"] = "6f9619ff-8b86-4d01-b42d-{n}"
    return json.dumps({"p": project_id, "events": events}, separators=(",", ":"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(arguments: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server of ours until the block ends; it has to answer by then."""
    with subprocess.Popen([sys.executable, *arguments]) as server:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz")
                    break
                except urllib.error.HTTPError:
                    break
                except OSError:
                    threading.Event().wait(0.1)
            yield server
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


class Asking(threading.Thread):
    """Asks one question after another, for as long as it may.

    Attributes:
        answers: How many there were.
    """

    def __init__(self, urls: list[str], key: str, finished: threading.Event) -> None:
        super().__init__()
        self._urls = urls
        self._key = key
        self._finished = finished
        self.answers = 0

    def run(self) -> None:
        for url in itertools.cycle(self._urls):
            if self._finished.is_set():
                return
            asked = urllib.request.Request(url, headers={"x-clamp-key": self._key})
            with urllib.request.urlopen(asked) as answer:
                answer.read()
            self.answers += 1


def clamp(*arguments: str) -> dict[str, str]:
    command = [sys.executable, "-m", "clamp_server", *arguments, "--json"]
    answer: dict[str, str] = json.loads(subprocess.check_output(command))
    return answer


def loaded(plan: Plan) -> Result:
    """Run a load in a process of its own."""
    answer = subprocess.run(
        [sys.executable, str(HERE / "load.py")],
        input=json.dumps(asdict(plan)).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    result = Result(**json.loads(answer.stdout))
    if result.failures:
        sys.exit(f"the load failed: {result.failures}")
    return result


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmRSS")


def machine() -> str:
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if line.startswith("model name")
        ]
        cpu = models[0] if models else cpu
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}"


class Bench:
    """The measurements, in the order in which they run."""

    def __init__(self, data: Path, *, is_quick: bool) -> None:
        self._data = data
        self._is_quick = is_quick
        self._dice = random.Random(7)
        self._rows: list[tuple[str, str, str]] = []

    def run(self) -> None:
        port, bare_port = free_port(), free_port()
        self._project_id = clamp(
            "project", "create", "Bench", "--data", str(self._data)
        )["project_id"]
        self._key = clamp("key", "create", self._project_id, "--data", str(self._data))[
            "api_key"
        ]
        serve = ["-m", "clamp_server", "serve", "--data", str(self._data)]
        with (
            running([*serve, "--port", str(port)], port) as server,
            running([str(HERE / "bare.py"), str(bare_port)], bare_port),
        ):
            self._row("idle, resident", f"{resident_mb(server.pid):.0f} MB", "< 200 MB")
            self._million(port, server.pid)
            self._batches(port)
            self._warm(port)
            self._single(port, bare_port)
            self._paced(port, bare_port)
            self._asked(port)
            in_the_end = f"{resident_mb(server.pid):.0f} MB"
            self._row("resident in the end", in_the_end, "")
        self._size()
        self._print()

    def _row(self, what: str, measured: str, wanted: str) -> None:
        self._rows.append((what, measured, wanted))
        print(f"{what}: {measured} (wanted {wanted})", flush=True)

    def _plan(self, port: int, path: str, bodies: list[str], **how: Any) -> Plan:
        return Plan(
            port=port,
            path=path,
            headers={"x-clamp-key": self._key},
            bodies=bodies,
            **how,
        )

    def _warm(self, port: int) -> None:
        """Let everything happen once that happens once."""
        bodies = [json.dumps(body(self._project_id, self._dice))]
        loaded(self._plan(port, "/e/s", bodies, connections=4, requests=200))
        question = f"http://127.0.0.1:{port}/analytics/{self._project_id}/realtime"
        asked = urllib.request.Request(question, headers={"x-clamp-key": self._key})
        urllib.request.urlopen(asked).close()

    def _single(self, port: int, bare_port: int) -> None:
        bodies = [json.dumps(body(self._project_id, self._dice)) for _ in range(1000)]
        rounds, seconds = (2, 2.0) if self._is_quick else (5, 5.0)
        rates: dict[int, list[float]] = {port: [], bare_port: []}
        latencies: list[Result] = []
        for _ in range(rounds):
            for where in rates:
                result = loaded(
                    self._plan(where, "/e/s", bodies, connections=64, seconds=seconds)
                )
                rates[where].append(result.requests / result.seconds)
                if where == port:
                    latencies.append(result)
        ours, bare = (sorted(r)[len(r) // 2] for r in rates.values())
        slowest = max(result.p99_s for result in latencies)
        self._row(
            "POST /e/s, 64 connections",
            f"{ours:,.0f}/s",
            "5,000/s and half of the bare",
        )
        self._row("  its p99", f"{slowest * 1000:.1f} ms", "")
        self._row("bare Starlette, the same body", f"{bare:,.0f}/s", "")
        self._row("  ratio", f"{ours / bare:.2f}", "> 0.50")

    def _paced(self, port: int, bare_port: int) -> None:
        bodies = [json.dumps(body(self._project_id, self._dice)) for _ in range(1000)]
        rounds, requests = (2, 500) if self._is_quick else (5, 1200)
        results: dict[int, list[Result]] = {port: [], bare_port: []}
        for _ in range(rounds):
            for where, its_results in results.items():
                how = {"connections": 16, "per_s": 200, "requests": requests}
                its_results.append(loaded(self._plan(where, "/e/s", bodies, **how)))
        for name, where, wanted in (
            ("POST /e/s at 200/s", port, "< 25 ms"),
            ("bare Starlette at 200/s", bare_port, ""),
        ):
            p99s_ms = sorted(result.p99_s * 1000 for result in results[where])
            slowest_s = max(result.max_s for result in results[where])
            self._row(
                f"{name}, p99",
                f"{p99s_ms[rounds // 2]:.1f} ms",
                wanted,
            )
            self._row(
                f"  median of {rounds} runs, lowest to highest; slowest",
                f"{p99s_ms[0]:.1f} to {p99s_ms[-1]:.1f} ms; {slowest_s * 1000:.1f} ms",
                "",
            )

    def _batch_plan(self, port: int, **how: Any) -> Plan:
        bodies = [batch(self._project_id, self._dice) for _ in range(200)]
        return self._plan(port, "/e/s/batch", bodies, connections=16, **how)

    def _batches(self, port: int) -> None:
        seconds = 3.0 if self._is_quick else 10.0
        result = loaded(self._batch_plan(port, seconds=seconds))
        rate = result.requests * EVENTS_A_BATCH / result.seconds
        self._row("batches of 100, 16 connections", f"{rate:,.0f} events/s", "30,000/s")
        self._row("  p99", f"{result.p99_s * 1000:.1f} ms", "")

    def _million(self, port: int, pid: int) -> None:
        events = 100_000 if self._is_quick else 1_000_000
        plan = self._batch_plan(
            port, requests=events // EVENTS_A_BATCH, first_number=10**11
        )
        peak = 0.0
        finished = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not finished.wait(0.2):
                peak = max(peak, resident_mb(pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        result = loaded(plan)
        finished.set()
        watcher.join()
        rate = events / result.seconds
        self._row(f"{events:,} events in batches", f"{rate:,.0f} events/s", "30,000/s")
        self._row("  resident after", f"{resident_mb(pid):.0f} MB", "< 400 MB")
        self._row("  resident at most", f"{peak:.0f} MB", "")

    def _asked(self, port: int) -> None:
        """Load in turns with and without somebody who asks one thing after another."""
        bodies = [json.dumps(body(self._project_id, self._dice)) for _ in range(1000)]
        rounds, seconds = (1, 3.0) if self._is_quick else (4, 5.0)
        rates: dict[bool, list[float]] = {False: [], True: []}
        answers = 0
        for _ in range(rounds):
            for is_asked in rates:
                finished = threading.Event()
                asking = Asking(self._urls(port), self._key, finished)
                if is_asked:
                    asking.start()
                result = loaded(
                    self._plan(port, "/e/s", bodies, connections=64, seconds=seconds)
                )
                finished.set()
                if is_asked:
                    asking.join()
                answers += asking.answers
                rates[is_asked].append(result.requests / result.seconds)
        alone, asked = (sorted(rate)[len(rate) // 2] for rate in rates.values())
        self._row("POST /e/s while questions are asked", f"{asked:,.0f}/s", "")
        self._row("  of what it is without", f"{asked / alone:.2f}", "> 0.67")
        self._row("  questions", f"{answers / rounds / seconds:.1f}/s", "")

    def _urls(self, port: int) -> list[str]:
        there = f"http://127.0.0.1:{port}/analytics/{self._project_id}"
        return [f"{there}/{question}" for question in QUESTIONS]

    def _size(self) -> None:
        from clamp_server.config import Settings
        from clamp_server.store.on_duckdb import DuckDBStore
        from clamp_server.store.sql import Sql

        size = sum(f.stat().st_size for f in self._data.iterdir())
        store = DuckDBStore(Settings(data=self._data).events_path)
        (row,) = store.rows(Sql("SELECT count(*) AS events FROM events"))
        store.close()
        self._row(
            f"on disk, {row['events']:,} events",
            f"{size / row['events']:.0f} bytes an event",
            "stated",
        )

    def _print(self) -> None:
        print(f"\n{machine()}\npython {' '.join(sys.argv)}\n")
        widths = [max(len(row[i]) for row in self._rows) for i in range(3)]
        for row in self._rows:
            print("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute, and rougher")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory("clamp-bench") as directory:
        Bench(Path(directory), is_quick=arguments.quick).run()
