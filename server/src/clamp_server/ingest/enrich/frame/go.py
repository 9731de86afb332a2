"""The frame that raised, of a Go stack: the function below the call of `panic`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from clamp_server.ingest.enrich.frame.path import file_name, frame_text

GOROUTINE = re.compile(r"goroutine \d++ .*\[.*\]:")
FILE = re.compile(r"\t(.+\.(?:go|s)):\d++(?: \+0x[0-9a-f]++)?")
# `main.(*Cart).Total(0xc000012345, ...)`; the arguments are addresses.
FUNCTION = re.compile(r"(\S.*)\(.*\)")
LIBRARY = re.compile(
    r"[\\/](?:go[\d.-]*|libexec)[\\/]src[\\/]|[\\/](?:pkg[\\/]mod|vendor)[\\/]"
)
RUNTIME = ("runtime.", "runtime/", "created by ")
# Closures are numbered in the order in which they stand in the function.
CLOSURE = re.compile(r"\b(func|gowrap|deferwrap)\d++(?:\.\d++)*+")


def frame(lines: Sequence[str]) -> str:
    """Return the function that panicked; empty when this is no Go stack."""
    frames: list[tuple[str, str]] = []
    goroutines = 0
    for line, below in pairwise([*lines, ""]):
        goroutines += bool(GOROUTINE.fullmatch(line))
        # The first goroutine is the one that panicked; the others only wait.
        if goroutines > 1:
            break
        call, file = FUNCTION.fullmatch(line), FILE.fullmatch(below)
        if not call or not file:
            continue
        if call[1] == "panic":
            # What stands above it ran because of the panic.
            frames = []
        elif not line.startswith(RUNTIME):
            frames.append((file[1], call[1]))
    ours = (f for f in frames if not LIBRARY.search(f[0]))
    found = next(ours, frames[0] if frames else None)
    if found is None:
        return ""
    return frame_text(file_name(found[0]), CLOSURE.sub(r"\1", found[1]))
