"""The SDK's figures, beside those of the published 0.2.0 on the same machine.

Each contender has an environment of its own under build/bench/, with the same
httpx. Runs take turns, so that a slow minute of the machine meets all of them.
"""

import importlib.metadata
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ENVIRONMENTS = ROOT / "build" / "bench"
UV = Path(sys.executable).with_name("uv")
PUBLISHED = "clamp-analytics==0.2.0"
ROUNDS = 7
SECONDS = 1.5
STARTS = 25


def environment(name: str, package: object) -> Path:
    """The Python of a clean environment that has `package`."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    httpx = f"httpx=={importlib.metadata.version('httpx')}"
    run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
    run(UV, "pip", "install", "--quiet", "--python", python, package, httpx)
    return python


def wheel() -> Path:
    """This SDK as users get it, built with the tools that are pinned."""
    folder = ENVIRONMENTS / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    build = (UV, "build", "--quiet", "--wheel", "--no-build-isolation")
    run(*build, "--python", sys.executable, "--out-dir", folder, ROOT / "sdk")
    return next(folder.glob("*.whl"))


def run(*command: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


@contextmanager
def sink() -> Iterator[str]:
    command = [sys.executable, str(HERE / "sink.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def seconds_to_run(python: Path, code: str) -> float:
    start = time.perf_counter()
    run(python, "-I", "-c", code)
    return time.perf_counter() - start


def sending(published: Path, ours: Path, endpoint: str) -> None:
    contenders = {
        f"{PUBLISHED}, published": (published, "sdk"),
        "this SDK": (ours, "sdk"),
        "bare httpx.Client, kept": (ours, "httpx"),
    }
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, (python, kind) in contenders.items():
            command = (python, HERE / "contender.py", kind, endpoint, SECONDS)
            rates[name].append(float(run(*command)))
    first = statistics.median(next(iter(rates.values())))
    print(f"\nSequential track() over loopback, median of {ROUNDS} runs of {SECONDS} s")
    print(f"{'':36}{'events/s':>10}{'lowest':>10}{'highest':>10}{'ratio':>8}")
    for name, values in rates.items():
        median = statistics.median(values)
        print(
            f"{name:36}{median:>10,.0f}{min(values):>10,.0f}{max(values):>10,.0f}"
            f"{median / first:>8.1f}"
        )


def starting(published: Path, ours: Path, endpoint: str) -> None:
    importing = "import clamp_analytics as clamp"
    event = f"{importing}; clamp.init('p', 'k', '{endpoint}'); clamp.track('x')"
    contenders = {
        "an empty program": (ours, "pass"),
        f"import, {PUBLISHED}": (published, importing),
        "import, this SDK": (ours, importing),
        f"one event, {PUBLISHED}": (published, event),
        "one event, this SDK": (ours, event),
    }
    times_s: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(STARTS):
        for name, (python, code) in contenders.items():
            times_s[name].append(seconds_to_run(python, code))
    empty_s = statistics.median(next(iter(times_s.values())))
    print(f"\nA new process that does so and ends, median of {STARTS}")
    print(f"{'':36}{'ms':>10}{'over empty':>12}")
    for name, values in times_s.items():
        median_s = statistics.median(values)
        print(f"{name:36}{median_s * 1e3:>10.1f}{(median_s - empty_s) * 1e3:>12.1f}")


def machine() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores"
        f"{load}; {platform.system()}, CPython {platform.python_version()},"
        f" httpx {importlib.metadata.version('httpx')}"
    )


def main() -> None:
    published = environment("published", PUBLISHED)
    ours = environment("ours", wheel())
    print(f"$ python sdk/bench/run.py\n{machine()}")
    with sink() as endpoint:
        sending(published, ours, endpoint)
        starting(published, ours, endpoint)


if __name__ == "__main__":
    main()
