"""Which bug an error is.

The rules are frozen under `FINGERPRINT_VERSION`: the same error has the same
fingerprint next year. A change of any text that this module or `message` or
`frame` makes out of an error is a new version, with its own golden file beside
the old one's. docs/reasons/fingerprint.md says why the rules are as they are.
"""

from __future__ import annotations

import hashlib

from clamp_server.ingest.enrich.frame import raising_frame
from clamp_server.ingest.enrich.message import normalised
from clamp_server.model.event import Bug, SentError

FINGERPRINT_VERSION = 1
FINGERPRINT_DIGITS = 16


def bug(error: SentError) -> Bug:
    """Give an error the fingerprint of its bug, and the text that made it."""
    parts = fingerprint_parts(error.message, error.stack)
    return Bug(
        message=error.message,
        type=error.type,
        stack=error.stack,
        handled=error.handled,
        fingerprint=fingerprint(parts),
        fingerprint_version=FINGERPRINT_VERSION if parts else 0,
        fingerprint_parts=parts,
    )


def fingerprint_parts(message: str, stack: str) -> str:
    """Return the text to hash, one part a line; empty without any part.

    >>> print(fingerprint_parts("no item 7", 'File "/app/cart.py", line 3, in add'))
    message: no item <number>
    frame: cart.py in add
    """
    frame = raising_frame(stack)
    parts = {
        "message": normalised(message),
        "frame": frame,
        # A stack of a language that is not known here is told by how it starts.
        "stack": "" if frame else normalised(_first_line(stack)),
    }
    return "\n".join(f"{name}: {text}" for name, text in parts.items() if text)


def fingerprint(parts: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of `parts`; empty for ''."""
    if not parts:
        return ""
    return hashlib.sha256(parts.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def _first_line(stack: str) -> str:
    return next((line for line in stack.splitlines() if line.strip()), "")
