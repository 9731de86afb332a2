"""What storing costs, without HTTP: `python server/bench/storage.py [EVENTS]`.

Acknowledgements by size of group, through the journal and, beside them, as
commits straight into DuckDB; then EVENTS (200,000) in groups of 100, with what
they take in memory and on disk.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from clamp_server.model.event import (
    Arrival,
    Bug,
    Device,
    EnrichedEvent,
    Page,
    Place,
    Properties,
)
from clamp_server.model.ids import ProjectId
from clamp_server.model.money import Money
from clamp_server.store.journal import Group
from clamp_server.store.on_duckdb import DuckDBFile, DuckDBStore
from clamp_server.store.sql import Sql

START = datetime(2026, 3, 10, tzinfo=UTC)
STACK = "".join(f'  File "/srv/app/shop/module_{n}.py", line {n}\n' for n in range(24))
DICE = random.Random(7)
PATHS = [f"/product/{DICE.randbytes(3).hex()}" for _ in range(300)]
VISITORS = [DICE.randbytes(10).hex() for _ in range(2000)]
GROUPS = ((1, 200), (32, 60), (64, 60), (1000, 10), (5000, 4))


def event(number: int) -> EnrichedEvent:
    """Make a page view, a server's event or, one in thirty, an error."""
    kind, at = DICE.random(), START + timedelta(milliseconds=37 * number)
    path, visitor = DICE.choice(PATHS), DICE.choice(VISITORS)
    is_view, is_error = kind < 0.6, kind > 0.97
    money = {"total": Money(Decimal(DICE.randrange(99_999)) / 100, "USD")}
    return EnrichedEvent(
        project_id=ProjectId("proj_bench"),
        id="" if is_view else DICE.randbytes(16).hex(),
        name="$pageview" if is_view else "$error" if is_error else "feature_used",
        sent_by="browser" if is_view else "server",
        occurred_at=at,
        received_at=at,
        anonymous_id=visitor,
        user_id="" if is_view else f"user_{DICE.randrange(5000)}",
        session_id=f"{visitor[:10]}{number % 9}" if is_view else "",
        screen_width=1920 if is_view else 0,
        screen_height=1080 if is_view else 0,
        language="en-GB" if is_view else "",
        platform="web" if is_view else "",
        page=Page(url=f"https://shop.example{path}", pathname=path)
        if is_view
        else Page(),
        arrival=Arrival(referrer_host="google.com", channel="organic_search")
        if is_view
        else Arrival(),
        device=Device(browser="Chrome", os="Windows", device_type="desktop")
        if is_view
        else Device(),
        place=Place(country=DICE.choice(["DE", "US", "FR"])) if is_view else Place(),
        properties=Properties()
        if is_view
        else Properties(
            strings={"plan": DICE.choice(["pro", "free"]), "method": "email"},
            numbers={"duration_ms": DICE.random() * 1000},
            money=money if DICE.random() < 0.4 else {},
        ),
        bug=Bug(message=f"bad thing {number}", type="ValueError", stack=STACK)
        if is_error
        else Bug(),
    )


def milliseconds(
    store: Callable[[Sequence[EnrichedEvent]], object], size: int, groups: int
) -> float:
    """Return the median time of storing one group of `size`."""
    took = []
    for _ in range(groups):
        events = [event(number) for number in range(size)]
        began = time.perf_counter()
        store(events)
        took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2] * 1000


def resident_mb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


def compare(directory: Path) -> None:
    journaled = DuckDBStore(directory / "journaled" / "events.duckdb")
    direct = DuckDBFile(directory / "direct" / "events.duckdb")
    seqs = count(1, 10_000)
    print("events a group   journal ms   straight into DuckDB ms")
    for size, groups in GROUPS:
        ours = milliseconds(journaled.append, size, groups)
        theirs = milliseconds(
            lambda events: direct.load(direct.prepare([Group(next(seqs), events)])),
            size,
            groups,
        )
        print(f"{size:14} {ours:12.2f} {theirs:25.2f}")
    journaled.close()
    direct.close()


def fill(directory: Path, events: int) -> None:
    path = directory / "filled" / "events.duckdb"
    store = DuckDBStore(path)
    idle_mb = largest_mb = resident_mb()
    made_s, began_s, began_cpu_s = 0.0, time.perf_counter(), time.process_time()
    for first in range(0, events, 100):
        making_s = time.process_time()
        group = [event(number) for number in range(first, first + 100)]
        made_s += time.process_time() - making_s
        store.append(group)
        largest_mb = max(largest_mb, resident_mb())
    (row,) = store.rows(Sql("SELECT count(*) AS events FROM events"))
    cpu_us = (time.process_time() - began_cpu_s - made_s) / events * 1e6
    store.close()
    print(
        f"{row['events']} events in {time.perf_counter() - began_s:.0f} s:"
        f" {cpu_us:.0f} us of processor time an event,"
        f" {path.stat().st_size / events:.0f} bytes an event on disk,"
        f" {largest_mb} MB at most ({idle_mb} before)"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        compare(Path(made))
        fill(Path(made), int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
