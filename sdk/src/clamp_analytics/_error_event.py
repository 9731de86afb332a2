"""An exception to the properties of a `$error` event. No I/O in here.

The server takes a message of 1,024 characters, a type of 64, a stack of 16,384
and 64 KB in all. Where bytes run out, the context gives way to the first 20 KB
of the stack, pair by pair in its own order, and the stack takes what is left.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Union

ERROR_EVENT = "$error"

MAX_MESSAGE_CHARS = 1024
MAX_TYPE_CHARS = 64
MAX_STACK_CHARS = 16_384
# Of the server's 65,536. The rest is for the project, the name, the timestamp
# and two ids of 128 characters, which JSON writes in at most 6 bytes each.
MAX_PROPERTIES_BYTES = 62 * 1024
# All 16,384 characters of a stack in ASCII, its line ends and quotes escaped.
STACK_FIRST_BYTES = 20 * 1024
# A message of many kilobytes, alone in its entry, would push out the line that
# raised; frames are far shorter than this.
MAX_STACK_ENTRY_CHARS = 2048
# The frames near the raise, at the end, say more than those near the start.
HEAD_SHARE = 0.25
# Longer than the line that says how much was cut.
CUT_LINE_CHARS = 64

Primitive = Union[str, int, float, bool]
Context = Mapping[str, Primitive]


def error_properties(
    exception: BaseException,
    context: Mapping[str, object] | None = None,
    *,
    handled: bool = True,
) -> dict[str, Primitive]:
    """Describe an exception, raised or not.

    Args:
        context: Pairs to add. Left out in silence: a value that is no `str`,
            `bool` or finite number, the key `handled`, and the keys written here.
        handled: Whether the application caught it.

    Raises:
        TypeError: If `exception` is none, but a class or a text, say.
    """
    if not isinstance(exception, BaseException):
        raise TypeError(f"not an exception instance, but {exception!r}")
    message = _read(lambda: str(exception), "<the exception's __str__ raised>")
    kind = _read(lambda: type(exception).__name__, "Exception")
    stack = _read(lambda: _stack(exception), f"{kind}: {message}\n")
    properties: dict[str, Primitive] = {
        "error.message": (message or "Unknown error")[:MAX_MESSAGE_CHARS],
        "error.type": kind[:MAX_TYPE_CHARS],
        "error.stack": "",
        "error.handled": handled,
    }
    room_bytes = MAX_PROPERTIES_BYTES - _json_bytes(properties)
    stack_bytes = min(_json_bytes(_cut(stack, MAX_STACK_CHARS)), STACK_FIRST_BYTES)
    added = dict(_fitting(_usable(context or {}, properties), room_bytes - stack_bytes))
    room_bytes -= _json_bytes(added)
    properties["error.stack"] = _cut_to_bytes(stack, MAX_STACK_CHARS, room_bytes)
    return {**properties, **added}


def _read(part: Callable[[], str], otherwise: str) -> str:
    try:
        return part()
    # Here the application's own code runs: a `__str__`, a metaclass, a loader
    # that gives source lines. Whatever it raises, the error is still captured.
    except Exception:
        return otherwise


def _stack(exception: BaseException) -> str:
    entries = _format(exception)
    if sum(map(len, entries)) > MAX_STACK_CHARS:
        entries = [_cut(entry, MAX_STACK_ENTRY_CHARS) for entry in entries]
    return "".join(entries)


def _format(exception: BaseException) -> list[str]:
    # Before Python 3.11 only the backport knows the members of its groups, and
    # it teaches `traceback` so only where nobody else changed `sys.excepthook`.
    # A group cannot exist before the backport is imported.
    backport = sys.modules.get("exceptiongroup")
    formatter: Any = traceback if backport is None else backport
    entries: list[str] = formatter.format_exception(
        type(exception), exception, exception.__traceback__
    )
    return entries


def _cut(text: str, max_chars: int) -> str:
    if len(text) <= max_chars:
        return text
    room_chars = max_chars - CUT_LINE_CHARS
    head_chars = int(room_chars * HEAD_SHARE)
    head, tail = text[:head_chars], text[head_chars - room_chars :]
    # Whole lines only, where there are any.
    head = head.rpartition("\n")[0] or head
    tail = tail.partition("\n")[2] or tail
    cut_chars = len(text) - len(head) - len(tail)
    return f"{head}\n... {cut_chars} characters cut ...\n{tail}"


def _cut_to_bytes(text: str, max_chars: int, max_bytes: int) -> str:
    cut = _cut(text, max_chars)
    while (size_bytes := _json_bytes(cut)) > max_bytes:
        max_chars = min(max_chars, len(text)) * max_bytes // size_bytes - 1
        cut = _cut(text, max_chars)
    return cut


def _usable(
    context: Mapping[str, object], taken: Mapping[str, object]
) -> Iterator[tuple[str, Primitive]]:
    # Taken at once: another thread may be writing to the caller's dict.
    for key, value in tuple(context.items()):
        is_ours = key in taken or key == "handled"
        if (
            isinstance(key, str)
            and not is_ours
            and isinstance(value, (str, int, float))
        ):
            yield key, value


def _fitting(
    pairs: Iterable[tuple[str, Primitive]], room_bytes: int
) -> Iterator[tuple[str, Primitive]]:
    for key, value in pairs:
        try:
            size_bytes = _json_bytes({key: value})
        except ValueError:
            # A NaN or an infinity: it has no JSON form.
            continue
        if size_bytes <= room_bytes:
            room_bytes -= size_bytes
            yield key, value


def _json_bytes(value: object) -> int:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # A half of a surrogate pair counts like the U+FFFD that is sent in its place.
    return len(text.encode("utf-8", "surrogatepass"))
