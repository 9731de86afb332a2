"""What an answer means for the events that were sent. Pure rules.

2xx                    done
408, 425, 429, 5xx,    again later: after the back-off, and no sooner than
  and no answer at all the server's Retry-After asks
404, 405 to a batch    the server has no batches: one event a request
413 to several         the batch was too large: two halves
any other status       refused for good: told once, dropped
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Literal, Union

from clamp_analytics._exchange import Answer
from clamp_analytics.errors import ClampConnectionError

Step = Literal["done", "again", "one_by_one", "halves", "refused"]
# What a request came to: an answer, or why there is none.
Reply = Union[Answer, ClampConnectionError]

# The first wait is up to this, and twice as long after each failure, up to the
# longest. A server that was away for a minute is then found within another half.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
# A server, or a proxy in front of it, may ask for anything.
LONGEST_ORDERED_WAIT_S = 3600.0
# Doubling stops mattering long before: 0.5 s times 2 to the 16th is nine hours.
MAX_DOUBLINGS = 16

_NO_SUCH_PLACE = (404, 405)
_TOO_LARGE = 413
_AGAIN = (408, 425, 429)
# What reading a date from a stranger raises, by Python's version and the system:
# an offset of a thousand years, a missing year, a time before 1970 on Windows.
_UNREADABLE = (ValueError, TypeError, IndexError, OverflowError, OSError)


def next_step(reply: Reply, *, is_batch: bool, events: int) -> Step:
    """Say what to do with the events of a request.

    Args:
        is_batch: Whether they went to the batch endpoint.
        events: How many they were.
    """
    if isinstance(reply, ClampConnectionError):
        return "again"
    status = reply.status_code
    if reply.is_success:
        return "done"
    if status in _AGAIN or status >= 500:
        return "again"
    if is_batch and status in _NO_SUCH_PLACE:
        return "one_by_one"
    if status == _TOO_LARGE and events > 1:
        return "halves"
    return "refused"


def back_off_s(failures: int, share: float) -> float:
    """How long to wait after so many failures in a row, in seconds.

    Full jitter: anything from nothing to the bound, so that clients which failed
    together do not come back together.

    Args:
        failures: One or more.
        share: A random number, 0.0 to 1.0.

    >>> [back_off_s(failures, 1.0) for failures in (1, 2, 3, 99)]
    [0.5, 1.0, 2.0, 30.0]
    """
    doublings = min(failures - 1, MAX_DOUBLINGS)
    return share * min(FIRST_WAIT_S * 2.0**doublings, LONGEST_WAIT_S)


def ordered_wait_s(reply: Reply, now_s: float) -> float:
    """How long the server asks to wait, in seconds; 0 where it does not say.

    Args:
        now_s: Unix time, against which an answer's date is read.
    """
    if not isinstance(reply, Answer) or not reply.retry_after:
        return 0.0
    text = reply.retry_after.strip()
    try:
        wait_s = float(text) if _is_number(text) else _until_s(text, now_s)
    except _UNREADABLE:
        return 0.0
    return min(max(wait_s, 0.0), LONGEST_ORDERED_WAIT_S)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and text.isascii()


def _until_s(date: str, now_s: float) -> float:
    return parsedate_to_datetime(date).timestamp() - now_s
