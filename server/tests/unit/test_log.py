import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from clamp_server.log import Seldom, configure_log


@pytest.fixture
def lines() -> Iterator[Any]:
    """Configure the log, and give what was logged since."""
    loggers = [logging.getLogger(name) for name in (None, "uvicorn.error", "alembic")]
    handlers, levels = loggers[0].handlers[:], [logger.level for logger in loggers]
    stream = io.StringIO()
    configure_log(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_a_line_is_one_json_object(lines: Any) -> None:
    logging.getLogger("clamp_server.app").info("started %s", "x", extra={"port": 8400})

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "started x",
        "level": "info",
        "logger": "clamp_server.app",
        "port": 8400,
    }


def test_an_exception_is_part_of_its_line(lines: Any) -> None:
    logging.getLogger("a").error("failed", exc_info=ValueError("why"))

    (line,) = lines()
    assert (line["event"], line["exception"]) == ("failed", "ValueError: why")


def test_what_libraries_chat_about_is_not_logged(lines: Any) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("alembic.runtime.migration").info("Context impl SQLiteImpl.")

    assert lines() == []


def test_a_fault_is_told_with_its_cause(lines: Any) -> None:
    Seldom(logging.getLogger("a")).error("failed", cause=ValueError("why"))

    (line,) = lines()
    assert (line["event"], line["exception"]) == ("failed", "ValueError: why")


def test_a_fault_that_lasts_is_told_once_a_minute(lines: Any) -> None:
    now_s = 0.0
    seldom = Seldom(logging.getLogger("a"), lambda: now_s)

    seldom.error("disk %s", "full")
    seldom.error("disk %s", "still full")
    seldom.warning("queue full")
    now_s = 59.9
    seldom.error("disk %s", "still full")
    now_s = 60.0
    seldom.error("disk %s", "full again")
    now_s = 200.0
    seldom.error("disk %s", "full once more")

    assert [(x["event"], x["level"], x["held_back"]) for x in lines()] == [
        ("disk full", "error", 0),
        ("queue full", "warning", 0),
        ("disk full again", "error", 2),
        ("disk full once more", "error", 0),
    ]
