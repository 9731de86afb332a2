"""Small applications, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

SDK = Path(__file__).parent.parent
# What hangs is killed then, and its test fails.
LONGEST_RUN_S = 60.0


class Program:
    """Python code that runs, and that can be talked with line by line."""

    def __init__(self, source: str, *arguments: str, options: str = "") -> None:
        self._process = start(
            [
                *(sys.executable, "-X", "faulthandler"),
                *options.split(),
                *("-c", source, *arguments),
            ]
        )
        # Not killed: it says where each of its threads is.
        self._watchdog = threading.Timer(
            LONGEST_RUN_S, self._process.send_signal, [signal.SIGABRT]
        )
        self._watchdog.start()

    def hear(self) -> Any:
        """Return what it says next: JSON, or text."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line.startswith("{") else line.strip()

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def end(self) -> tuple[int, str]:
        """Wait until it ends; its exit status, and what it said of errors."""
        _, errors = self._process.communicate()
        return self._process.returncode, errors

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watchdog.cancel()
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def start(command: list[str], **variables: str) -> subprocess.Popen[str]:
    """Start a program that can import what is in `tests`."""
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SDK), **variables},
    )


def run(source: str, *arguments: str, options: str = "") -> list[Any]:
    """Run it to its end, which must be a good one; what it said, line by line."""
    with Program(source, *arguments, options=options) as program:
        said = []
        while line := program.hear():
            said.append(line)
        ended = program.end()
    assert ended == (0, ""), ended[1]
    return said
