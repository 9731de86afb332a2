"""The log: one JSON object a line on standard error. Only user of `structlog`.

Parts of the server log through `logging.getLogger(__name__)`. Nothing that is
logged may hold an API key, a client's address or a property's value.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

import structlog

# A fault that lasts is told once, then once a minute with how often it was met.
SELDOM_S = 60.0


def configure_log(stream: TextIO = sys.stderr) -> None:
    """Send every logger of the process to `stream`, as JSON."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # Its warnings tell of strangers' malformed requests, as many as they send;
    # its other lines say at length what `clamp serve` says in one.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)


class Seldom:
    """Logs a message at most once a minute, and then how often it was held back."""

    def __init__(
        self, log: logging.Logger, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._monotonic_s = monotonic_s
        self._told_at_s: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def warning(self, message: str, *args: object) -> None:
        """Log a warning, unless this minute has had it."""
        self._tell(logging.WARNING, message, args)

    def error(
        self, message: str, *args: object, cause: BaseException | None = None
    ) -> None:
        """Log an error, with the traceback of its cause, unless this minute has."""
        self._tell(logging.ERROR, message, args, cause)

    def _tell(
        self,
        level: int,
        message: str,
        args: tuple[object, ...],
        cause: BaseException | None = None,
    ) -> None:
        now_s = self._monotonic_s()
        told_at_s = self._told_at_s.get(message)
        if told_at_s is not None and now_s - told_at_s < SELDOM_S:
            self._held_back[message] = self._held_back.get(message, 0) + 1
            return
        self._told_at_s[message] = now_s
        held_back = self._held_back.pop(message, 0)
        told = {"held_back": held_back}
        self._log.log(level, message, *args, exc_info=cause, extra=told)
