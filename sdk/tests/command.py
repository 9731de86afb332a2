"""`python -m clamp_analytics` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def run(*arguments: str, **variables: str) -> Done:
    """Run the command with these variables and none of the developer's own."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith("CLAMP_")
        and not name.upper().endswith("_PROXY")
        and name not in ("SSL_CERT_FILE", "SSL_CERT_DIR")
    }
    done = subprocess.run(
        [sys.executable, "-m", "clamp_analytics", *arguments],
        capture_output=True,
        check=False,
        # Of both ends: the command writes what its console can show.
        encoding="utf-8",
        env={**inherited, "PYTHONIOENCODING": "utf-8", **variables},
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)
