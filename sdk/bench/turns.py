"""Runs of `measure.py`, each a new process with a sink of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lineup import Contender, Pythons
from run import HERE

# A shorter run says more about starting and flushing than about the rate.
LONG_ENOUGH_S = 0.5
FEWEST_CALLS = 200
# As long as every queue is: see event.py.
MOST_CALLS = 100_000
RUN_LIMIT_S = 300.0

# The figures of a run by name: what measure.py prints and what the sink counted.
Result = Mapping[str, float]


def measured(
    kind: str, contender: Contender, python: Path, calls: int, late_ms: int = 0
) -> Result:
    """Run one measurement of `measure.py`.

    Args:
        late_ms: How late the sink answers.
    """
    with (
        sink(late_ms, contender.has_batches) as counting,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert counting.stdout is not None
        endpoint = counting.stdout.readline().strip()
        command = (python, HERE / "measure.py", kind, contender.module, endpoint, calls)
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=without_proxies(),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=RUN_LIMIT_S,
        )
        counted, _ = counting.communicate()
    return {"calls": calls, **json.loads(done.stdout), **json.loads(counted)}


@contextmanager
def sink(late_ms: int, has_batches: bool) -> Iterator[subprocess.Popen[str]]:
    """A sink that counts and ends when its standard input does."""
    command = [sys.executable, str(HERE / "counting_sink.py"), f"--late-ms={late_ms}"]
    if not has_batches:
        command.append("--no-batches")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        yield process


def without_proxies() -> dict[str, str]:
    # Some contenders would take their events to one, and all look for one.
    return {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
    }


def in_turns(
    kind: str,
    pythons: Pythons,
    calls: Mapping[Contender, int],
    rounds: int,
    late_ms: int = 0,
) -> dict[Contender, list[Result]]:
    """Measure all contenders `rounds` times, one after the other each time."""
    results: dict[Contender, list[Result]] = {contender: [] for contender in pythons}
    for _ in range(rounds):
        for contender, python in pythons.items():
            result = measured(kind, contender, python, calls[contender], late_ms)
            results[contender].append(result)
    return results


def enough_calls(contender: Contender, python: Path, late_ms: int) -> int:
    """As many as keep a contender busy for long enough."""
    calls = FEWEST_CALLS
    while calls < MOST_CALLS:
        result = measured("delivery", contender, python, calls, late_ms)
        if result["elapsed_s"] >= LONG_ENOUGH_S:
            break
        calls = min(calls * 10, MOST_CALLS)
    return calls
