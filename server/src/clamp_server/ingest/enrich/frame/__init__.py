"""The frame that raised, out of the stack of any of six languages.

One module a language, each with a function `frame` that returns the frame as it
goes into the fingerprint, or '' for a stack of another language.
"""

from __future__ import annotations

from clamp_server.ingest.enrich.frame import go, java, javascript, php, python, ruby

# The most telling writing first: a JavaScript stack has the least to know it by.
LANGUAGES = (
    python.frame,
    go.frame,
    php.frame,
    java.frame,
    ruby.frame,
    javascript.frame,
)
# No frame is this long, but a line of somebody's data may be, and a pattern may
# take the square of a line's length.
LONGEST_LINE_CHARS = 1_000


def raising_frame(stack: str) -> str:
    """Return the frame that raised, as text; empty when none is found.

    The text has no line number and no directory of a machine in it.
    """
    lines = [line for line in stack.splitlines() if len(line) <= LONGEST_LINE_CHARS]
    found = (frame(lines) for frame in LANGUAGES)
    return next(filter(None, found), "")
