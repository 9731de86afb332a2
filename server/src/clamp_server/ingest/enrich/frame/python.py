"""The frame that raised, of a Python traceback: its last application frame."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clamp_server.ingest.enrich.frame.path import file_name, frame_text

FRAME = re.compile(r'\s*+File "([^"]*+)", line \d++, in (.+)')
HEADER = "Traceback (most recent call last):"
# Where every installation keeps the standard library and installed packages.
LIBRARY = re.compile(
    r"[\\/](?:site|dist)-packages[\\/]"
    r"|[\\/]lib(?:64)?[\\/](?:python|pypy)[\d.]++[\\/]"
    r"|[\\/]python\d++\.zip[\\/]"
    r"|[\\/]python\d[\d.]*+[\\/]lib[\\/]",
    re.IGNORECASE,
)
# Code without a file: frozen modules, generated methods. What a person typed
# into a console is the application.
GENERATED = re.compile(r"<(?!stdin>|console>|ipython|python-input)")
# Frames of their own up to Python 3.11, a part of their function since 3.12.
COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})


def frame(lines: Sequence[str]) -> str:
    """Return the frame that raised; empty when this is no Python traceback."""
    blocks: list[list[tuple[str, str]]] = [[]]
    for line in map(_outermost, lines):
        if HEADER in line:
            blocks.append([])
        elif found := FRAME.fullmatch(line):
            blocks[-1].append((found[1], found[2]))
    # Causes come first, so the last block is of what was raised.
    frames = next(filter(None, reversed(blocks)), blocks[0])
    if not frames:
        return ""
    ours = [f for f in frames if not _is_library(f[0])] or frames
    named = [f for f in ours if f[1] not in COMPREHENSIONS] or ours
    path, function = named[-1]
    return frame_text(file_name(path), function)


def _is_library(path: str) -> bool:
    return bool(GENERATED.match(path) or LIBRARY.search(path))


def _outermost(line: str) -> str:
    # An exception group draws its members as a tree, deeper ones further to the
    # right: the group itself was raised, and its lines start with "  | ".
    if line.startswith(("  | ", "  + ")):
        return line[4:]
    return "" if re.match(r" {3,}[|+]", line) else line
