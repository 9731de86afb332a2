"""The SDK in the background beside five others: `python sdk/bench/delivery.py`.

Each contender sends the same event to the same sink, from an environment of its own
with the releases that `requirements/bench-*.txt` pin. They take turns, so that a
slow minute of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lineup import (
    CONTENDERS,
    IN_MEMORY,
    OUTBOX,
    SINGLY,
    Contender,
    Pythons,
    pythons_of,
    release,
)
from run import machine, seconds_to_run
from turns import MOST_CALLS, Result, enough_calls, in_turns, measured

LATE_MS = 20
SILENT_MS = 3_600_000


@dataclass(frozen=True)
class Effort:
    """How much each figure is taken from."""

    rounds: int
    burst_calls: int
    starts: int


USUAL = Effort(rounds=3, burst_calls=20_000, starts=15)
QUICK = Effort(rounds=1, burst_calls=5_000, starts=5)

# Figures by the contender and by the column of the table.
Table = dict[Contender, Mapping[str, float]]


def burst(pythons: Pythons, effort: Effort) -> Table:
    """What a call costs its caller when many come at once."""
    calls = dict.fromkeys(pythons, effort.burst_calls)
    results = in_turns("burst", pythons, calls, effort.rounds)
    return {
        contender: {
            "median us": median(runs, "median_us"),
            "p99 us": median(runs, "p99_us"),
        }
        for contender, runs in results.items()
    }


def delivery(pythons: Pythons, effort: Effort, late_ms: int) -> Table:
    """How fast events arrive, and the processor time that the sender takes for one."""
    calls = {
        contender: enough_calls(contender, python, late_ms)
        for contender, python in pythons.items()
    }
    table: Table = {}
    results = in_turns("delivery", pythons, calls, effort.rounds, late_ms)
    for contender, runs in results.items():
        rates = [each["events"] / each["elapsed_s"] for each in runs]
        processor_us = median(runs, "processor_s") / calls[contender] * 1e6
        table[contender] = {
            "events/s": statistics.median(rates),
            "processor us": processor_us,
        }
        for each in runs:
            if each["events"] != each["calls"]:
                print(f"! {contender.label}: {each['events']} of {each['calls']} came")
    return table


def importing(pythons: Pythons, effort: Effort) -> Table:
    """What an import adds to a process that does nothing."""
    added_s: dict[Contender, list[float]] = {
        # Ours is imported the same way however it delivers.
        contender: []
        for contender in pythons
        if contender not in (OUTBOX, SINGLY)
    }
    for _ in range(effort.starts):
        for contender, times_s in added_s.items():
            python = pythons[contender]
            empty_s = seconds_to_run(python, "pass")
            full_s = seconds_to_run(python, f"import {contender.imports}")
            times_s.append(full_s - empty_s)
    return {
        contender: {"ms": statistics.median(times_s) * 1e3}
        for contender, times_s in added_s.items()
    }


def median(runs: Sequence[Result], name: str) -> float:
    return statistics.median(each[name] for each in runs)


def show(title: str, table: Table) -> None:
    """Print figures, each with its ratio to that of the first contender."""
    first = next(iter(table.values()))
    print(f"\n{title}")
    print(" " * 20 + "".join(f"{name:>14}{'ratio':>9}" for name in first))
    for contender, row in table.items():
        cells = (
            f"{value:>14,.{0 if value >= 100 else 1}f}{value / first[name]:>9.2f}"
            for name, value in row.items()
        )
        print(f"{contender.label:20}{''.join(cells)}", flush=True)


def show_waiting(pythons: Pythons) -> None:
    """Print what ours takes while events wait, and with nothing to do."""
    print()
    for contender in (IN_MEMORY, OUTBOX):
        python = pythons[contender]
        held = measured("memory", contender, python, MOST_CALLS, SILENT_MS)
        idle = measured("idle", contender, python, 1)
        print(
            f"{contender.label}: {held['grown_kib'] / 1024:,.1f} MiB for {MOST_CALLS:,}"
            f" waiting events; idle, {idle['wake_ups']:.0f} wake-ups of"
            f" {idle['threads']:.0f} threads in 2 s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="take each figure once")
    parser.add_argument("names", nargs="*", help="only these modules of contenders/")
    options = parser.parse_args()
    effort = QUICK if options.quick else USUAL
    taking_part = [
        each for each in CONTENDERS if each.module in options.names or not options.names
    ]
    pythons = pythons_of(taking_part)
    releases = dict.fromkeys(release(*each) for each in pythons.items())
    print(f"$ python {shlex.join(sys.argv)}\n{machine()}\n{'; '.join(releases)}")
    calls = effort.burst_calls
    turns = "once" if effort.rounds == 1 else f"median of {effort.rounds}"
    show(f"A call in a burst of {calls:,}, {turns}", burst(pythons, effort))
    for late_ms in (0, LATE_MS):
        title = (
            f"Delivered, to the end of the flush, answers {late_ms} ms late, {turns}"
        )
        show(title, delivery(pythons, effort, late_ms))
    show(f"Import, median of {effort.starts}", importing(pythons, effort))
    if {IN_MEMORY, OUTBOX} <= set(pythons):
        show_waiting(pythons)


if __name__ == "__main__":
    main()
