"""The frame that raised, of a Java stack (Kotlin, Scala and .NET write it alike).

It is looked for under the last `Caused by:`, where it all began: frameworks wrap
every exception of the application in one of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# `at module@version/package.Class.method(File.java:12)`
FRAME = re.compile(
    r"\s*+at (?:[^\s()/]*+/)*+([^\s()/]+\.[^\s()/.]+)\([^()]*+\)(?: in .*)?"
)
CAUSE = "Caused by: "
PLATFORM = re.compile(
    r"(?:java|javax|jdk|sun|com\.sun|kotlin|kotlinx|scala|android|dalvik|System)\."
)
HIDDEN_CLASS = re.compile(r"(\$\$Lambda)[$\d]*+/\w++")
# Numbered by the compiler or at run time, in the order in which they appear.
NUMBERED = re.compile(r"(CGLIB\$\$)[0-9a-f]++|(\$Proxy|Accessor|\$)\d++")


def frame(lines: Sequence[str]) -> str:
    """Return where it all began; empty when this is no Java stack."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(CAUSE):
            blocks.append([])
        elif found := FRAME.fullmatch(HIDDEN_CLASS.sub(r"\1", line)):
            blocks[-1].append(found[1])
    # A block without frames is one that was cut off.
    calls = next(filter(None, reversed(blocks)), blocks[0])
    ours = (call for call in calls if not PLATFORM.match(call))
    call = next(ours, calls[0] if calls else "")
    return NUMBERED.sub(r"\1\2", call)
