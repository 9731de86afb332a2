"""The frame that raised, of a PHP trace: its top application frame.

A line `#0 /app/a.php(12): total()` says that line 12 of a.php called `total`. So
a function's own file is the one in the line below it, and the first function's
is in the header: `Exception: sold out in /app/cart.php:33`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from clamp_server.ingest.enrich.frame.path import file_name, frame_text

CALL = re.compile(r"\s*+#\d++ (?:(.+?)\((\d++)\)|\[internal function\]): (.+?)\(.*")
MAIN = re.compile(r"\s*+#\d++ \{main\}\s*+")
THROWN = re.compile(r" in ([^:]++(?::\\[^:]++)?):(\d++)")
VENDOR = re.compile(r"[\\/]vendor[\\/]")
# `{closure:App\\Cart::total():12}` since 8.4, with its line in it.
CLOSURE = re.compile(r"\{closure.*")


class Place(NamedTuple):
    """A line of a file; both empty inside PHP itself."""

    file: str
    line: str


class Trace(NamedTuple):
    """One exception's trace.

    Attributes:
        thrown_at: Where its header says; None without a header.
        called_at: Where each function was called, the latest first.
        functions: The names of the same functions.
    """

    thrown_at: Place | None
    called_at: list[Place]
    functions: list[str]


def frame(lines: Sequence[str]) -> str:
    """Return the frame that raised; empty when this is no PHP trace."""
    trace = _last_trace(lines)
    if not trace.functions:
        return ""
    thrown_at = trace.thrown_at or trace.called_at[0]
    frames = list(zip([thrown_at, *trace.called_at], trace.functions, strict=False))
    # PHP's own function has no line: it "throws" in the one that calls it.
    if len(frames) > 1 and trace.thrown_at == trace.called_at[0]:
        del frames[0]
    ours = (f for f in frames if not VENDOR.search(f[0].file))
    place, function = next(ours, frames[0])
    name = CLOSURE.sub("{closure}", function)
    # A method's class says in which file it is; a plain function has only that.
    is_qualified = any(mark in name for mark in ("\\", "->", "::"))
    return frame_text("" if is_qualified else file_name(place.file), name)


def _last_trace(lines: Sequence[str]) -> Trace:
    # An exception's cause is written above it, so what was thrown is the last.
    trace = Trace(None, [], [])
    for line in lines:
        if call := CALL.fullmatch(line):
            trace.called_at.append(Place(call[1] or "", call[2] or ""))
            trace.functions.append(call[3])
        elif MAIN.fullmatch(line):
            trace.called_at.append(Place("", ""))
            trace.functions.append("{main}")
        elif thrown := THROWN.fullmatch(line[max(line.rfind(" in "), 0) :]):
            trace = Trace(Place(thrown[1], thrown[2]), [], [])
    return trace
