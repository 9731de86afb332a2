"""Measures one contender in this process and prints the figures as JSON.

Usage: measure.py burst|delivery|memory|idle CONTENDER ENDPOINT CALLS
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time
from pathlib import Path
from types import ModuleType

# For threads to start and the first connection to be made, and no longer.
SETTLING_S = 0.5
IDLE_S = 2.0


def burst(contender: ModuleType, calls: int) -> dict[str, float]:
    """What a call costs its caller when many come at once."""
    contender.call()
    time.sleep(SETTLING_S)
    clock, call, costs_ns = time.perf_counter_ns, contender.call, []
    for _ in range(calls):
        start_ns = clock()
        call()
        costs_ns.append(clock() - start_ns)
    centiles = statistics.quantiles(costs_ns, n=100)
    return {"median_us": centiles[49] / 1e3, "p99_us": centiles[98] / 1e3}


def delivery(contender: ModuleType, calls: int) -> dict[str, float]:
    """How long it takes from the first call to the end of the flush."""
    start_s, processor_start_s = time.perf_counter(), time.process_time()
    for _ in range(calls):
        contender.call()
    contender.finish()
    return {
        "elapsed_s": time.perf_counter() - start_s,
        "processor_s": time.process_time() - processor_start_s,
    }


def memory(contender: ModuleType, calls: int) -> dict[str, float]:
    """What waiting events take; it needs a sink that does not answer."""
    contender.call()
    time.sleep(SETTLING_S)
    before_kib = status_of("self", "VmRSS")
    for _ in range(calls - 1):
        contender.call()
    return {"grown_kib": status_of("self", "VmRSS") - before_kib}


def idle(contender: ModuleType, calls: int) -> dict[str, float]:
    """How often the threads of an SDK with nothing to do wake up."""
    for _ in range(calls):
        contender.call()
    contender.finish()
    time.sleep(SETTLING_S)
    before = wake_ups()
    time.sleep(IDLE_S)
    return {"wake_ups": wake_ups() - before, "threads": len(other_threads())}


def wake_ups() -> int:
    return sum(
        status_of(f"self/task/{thread}", "voluntary_ctxt_switches")
        for thread in other_threads()
    )


def other_threads() -> list[str]:
    # The main one sleeps in here, and would count as one that wakes up.
    threads = Path("/proc/self/task").iterdir()
    return [task.name for task in threads if task.name != str(os.getpid())]


def status_of(process: str, field: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    raise LookupError(field)


def main() -> None:
    kind, name, endpoint, calls = sys.argv[1:]
    contender = importlib.import_module(f"contenders.{name}")
    contender.setup(endpoint)
    measure = {"burst": burst, "delivery": delivery, "memory": memory, "idle": idle}
    print(json.dumps(measure[kind](contender, int(calls))), flush=True)
    # What still waits is of no use, and some SDKs would send it all before they end.
    os._exit(0)


if __name__ == "__main__":
    main()
