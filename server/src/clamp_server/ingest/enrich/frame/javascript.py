"""The frame that raised, of a JavaScript stack: its top frame.

V8 writes `at function (url:line:column)`, Firefox and Safari write
`function@url:line:column`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from clamp_server.ingest.enrich.frame.path import file_name, frame_text

LOCATION = re.compile(r"(.+?):\d++(?::(\d++))?")
BARE_LOCATION = re.compile(r"[\w+-]++://\S+:\d++:\d++")
# Frames of the engine move with its release, and are nobody's code.
ENGINE_STARTS = ("node:", "internal/", "<anonymous>", "[native code]", "eval at ")
CALL_KIND = re.compile(r"(?:async[ *]|new |get |set )++")
# What the engines call a function that has no name.
NAMELESS = frozenset(
    {"<anonymous>", "<computed>", "anonymous"}
    | {"global code", "module code", "eval code"}
)
# A bundler's mark of the content: `app.3f9a2c1b.js`, `index-DiwrgTda.js`.
HASH = re.compile(
    r"[.-](?=[\w-]*(?:\d|[a-z][A-Z])|[A-Z]{8}\.)(?:[\w-]{8}|[0-9a-f]{6,64})(?=\.)"
    r"|^[0-9a-f]{8,64}(?=\.)"
)
# A version, or the number of a chunk.
NUMBER = re.compile(r"(?:^|[.-])\d++(?=[.-])")
LONGEST_FILE_NAME = 200
# Bundlers write one long line, people do not; and in there a name of one or two
# letters is another function's after the next build.
MINIFIED_COLUMN = 500
MINIFIED_NAME_CHARS = 2


class Call(NamedTuple):
    """One line of a stack: what was called, and where that is written."""

    function: str
    location: str


def frame(lines: Sequence[str]) -> str:
    """Return the top frame outside the engine; empty when this is no such stack."""
    calls = list(_calls(lines))
    ours = (call for call in calls if not call.location.startswith(ENGINE_STARTS))
    call = next(ours, calls[0] if calls else None)
    return _text(call) if call else ""


def _calls(lines: Sequence[str]) -> Iterator[Call]:
    for line in lines:
        text = line.strip()
        call = _v8_call(text[3:]) if text.startswith("at ") else _other_call(text)
        if LOCATION.fullmatch(call.location) or call.location.startswith(ENGINE_STARTS):
            yield call


def _v8_call(text: str) -> Call:
    function, opened, location = text.partition(" (")
    if opened and location.endswith(")"):
        return Call(function, location[:-1].removeprefix("address at "))
    return Call("", text.removeprefix("async "))


def _other_call(text: str) -> Call:
    function, at, location = text.partition("@")
    if at and (" " not in function or function in NAMELESS):
        # Firefox: `url line 3 > eval:1:1` is code that line 3 evaluated.
        return Call(function, re.sub(r" line \d+ > [^:]*", "", location))
    return Call("", text if BARE_LOCATION.fullmatch(text) else "")


def _text(call: Call) -> str:
    location = LOCATION.fullmatch(call.location)
    function = _function(call.function)
    if location is None:
        return frame_text("", function)
    url = re.split(r"[?#]", location[1], maxsplit=1)[0]
    written = file_name(url)[-LONGEST_FILE_NAME:]
    file, hashes = HASH.subn("", written)
    is_minified = hashes or ".min." in file or int(location[2] or 0) >= MINIFIED_COLUMN
    if is_minified and len(function) <= MINIFIED_NAME_CHARS:
        function = ""
    # An address without a dot is a page, with its script inside: which of many
    # pages of a kind it was says nothing of the bug.
    return frame_text(NUMBER.sub("", file) if "." in file else "", function)


def _function(text: str) -> str:
    # `async Cart.total [as sum]` and Firefox's `Cart/total/<` are all `total`:
    # what stands before the name is the receiver, which a subclass changes.
    called = CALL_KIND.sub("", text, count=1).partition(" [as ")[0]
    parts = [part for part in called.split("/") if part.strip("<")]
    name = parts[-1].rpartition(".")[2] if parts else ""
    return "" if name in NAMELESS else name.strip("<")
