"""The frame that raised, of a Ruby backtrace: its top application frame."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from clamp_server.ingest.enrich.frame.path import file_name, frame_text

# `from app/cart.rb:12:in 'Cart#total'`; before 3.4 the name starts with a backtick.
FRAME = re.compile(r"\s*+(?:\d++: )?(?:from )?([^\s:].*?):(\d++):in [`']([^']++)'.*")
# Ruby 2.5 to 2.7 wrote the latest call last, like Python, on a terminal.
REVERSED = "Traceback (most recent call last):"
LIBRARY = re.compile(r"[\\/]gems[\\/]|[\\/]lib[\\/]ruby[\\/]|<internal:|\(eval")
# `block (2 levels) in total`, `rescue in total`: parts of the method.
PART_OF = re.compile(r"(?:(?:block|rescue|ensure)(?: \([^)]*\))? in )++")
# A compiled template: `_app_views_cart_show_html_erb__1234_5678`.
TEMPLATE_NUMBERS = re.compile(r"__+\d++_\d++")


class Frame(NamedTuple):
    """One line of a backtrace."""

    path: str
    line: str
    label: str


def frame(lines: Sequence[str]) -> str:
    """Return the frame that raised; empty when this is no Ruby backtrace."""
    frames = [Frame(*m.groups()) for line in lines if (m := FRAME.fullmatch(line))]
    if not frames:
        return ""
    if lines[0].startswith(REVERSED):
        frames.reverse()
    ours = [f for f in frames if not LIBRARY.search(f.path)] or frames
    # Ruby's own methods have no line and take their caller's: of frames with one
    # line the last is of the method that the line stands in.
    top = list(takewhile(lambda f: f[:2] == ours[0][:2], ours))[-1]
    # Since 3.4 the class stands before the name: `Cart#total`, `Cart.total`.
    method = re.split(r"[#.]", PART_OF.sub("", top.label))[-1]
    return frame_text(file_name(top.path), TEMPLATE_NUMBERS.sub("", method))
