"""What enriching an event costs: `python server/bench/enrich.py`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from clamp_server.ingest.enrich import Enricher
from clamp_server.model.event import Sending, SentError, SentEvent
from clamp_server.model.ids import ProjectId

WARM_ROUNDS = 20_000
NEW_EVENTS = 60_000
BROWSER = Sending(
    project_id=ProjectId("proj_bench"),
    sent_by="browser",
    received_at=datetime(2026, 1, 1, tzinfo=UTC),
    user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    address="81.2.69.142",
)
SERVER = replace(BROWSER, sent_by="server")
VIEW = SentEvent(
    name="$pageview",
    url="https://shop.example/cart?utm_source=news&utm_medium=email",
    referrer="https://www.google.com/",
)
STACK = "Traceback (most recent call last):\n" + "".join(
    f'  File "/app/shop/cart.py", line {n}, in step\n    step()\n' for n in range(20)
)
ERROR = SentEvent(
    name="$error", error=SentError(message="order 4711 of 'ann' failed", stack=STACK)
)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def median_us(enricher: Enricher, events: Iterable[tuple[SentEvent, Sending]]) -> float:
    taken = []
    for sent, sending in events:
        start = time.perf_counter_ns()
        enricher.enrich(sent, sending)
        taken.append(time.perf_counter_ns() - start)
    return statistics.median(taken) / 1000


def new_view(n: int) -> tuple[SentEvent, Sending]:
    """A page view of which nothing was seen before."""
    address = f"{1 + n % 223}.{n // 256 % 256}.{n % 256}.{n // 65536}"
    sending = replace(BROWSER, user_agent=f"{BROWSER.user_agent}{n}", address=address)
    return replace(VIEW, url=f"https://shop.example/{n}/{'x' * 300}"), sending


def main() -> None:
    before_mb = resident_mb()
    enricher = Enricher()
    print(f"lists and parsers {resident_mb() - before_mb:8.1f} MB, imports not counted")
    rows = {
        "server's event": [(SentEvent(name="signup"), SERVER)] * WARM_ROUNDS,
        "browser's event": [(VIEW, BROWSER)] * WARM_ROUNDS,
        "error": [(ERROR, SERVER)] * (WARM_ROUNDS // 10),
    }
    for name, events in rows.items():
        print(f"{name:<18}{median_us(enricher, events):8.1f} us")
    new_us = median_us(enricher, map(new_view, range(NEW_EVENTS)))
    print(f"new browser event {new_us:8.1f} us")
    print(f"after {NEW_EVENTS:,} new  {resident_mb() - before_mb:8.1f} MB")


if __name__ == "__main__":
    main()
