"""`python -m clamp_analytics`: find out why nothing arrives, or send one event."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import TextIO

from clamp_analytics._config import (
    DEFAULT_TIMEOUT_S,
    DISABLED_VARIABLE,
    is_disabled,
    read_config,
)
from clamp_analytics._version import __version__
from clamp_analytics._wire import Event, Money, PropertyValue, encode_event
from clamp_analytics.errors import ClampError, ClampHTTPError

MONEY = re.compile(r"(-?\d+(?:\.\d+)?)([A-Z]{3})")
_PROGRAM = "python -m clamp_analytics"


def main(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    commands = {"doctor": _doctor, "track": _track}
    parser = argparse.ArgumentParser(
        prog=_PROGRAM,
        description="doctor: check configuration, network, key and clock."
        " track: send one event.",
        epilog="The key is read from CLAMP_API_KEY.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("command", choices=commands, help="with --help for its own")
    command = parser.parse_args(arguments[:1]).command
    try:
        return commands[command](arguments[1:])
    except (ClampError, ValueError) as error:
        # What a server answered may have line ends.
        _write(sys.stderr, f"{command}: {' '.join(str(error).split())}")
        return 1


def _doctor(arguments: Sequence[str]) -> int:
    # Here, because `track` needs nothing of it.
    from clamp_analytics._doctor import findings

    parser = _parser("doctor", "Check configuration, network, key and clock.")
    given = parser.parse_args(arguments)
    is_well = True
    for finding in findings(
        given.project_id, given.endpoint, given.timeout, os.environ
    ):
        _write(sys.stdout, str(finding))
        is_well = is_well and finding.is_ok
    return 0 if is_well else 1


def _track(arguments: Sequence[str]) -> int:
    parser = _parser("track", "Send one event, and wait for the answer.")
    parser.add_argument("name", help="of the event")
    parser.add_argument(
        "properties",
        nargs="*",
        metavar="key=value",
        help="a number, true or false, money as 29.00USD, else text; key='\"5\"'"
        " is the text 5",
    )
    parser.add_argument("--anonymous-id", help="the browser's id of the visitor")
    parser.add_argument("--user-id", help="your own id of the user")
    parser.add_argument("--timestamp", help="when it happened, ISO 8601; default: now")
    # Options may stand between the properties.
    given = parser.parse_intermixed_args(arguments)
    if is_disabled(os.environ):
        raise ClampError(f"{DISABLED_VARIABLE} is set, so that nothing is sent")
    event = Event(
        given.name,
        given.timestamp or datetime.now(timezone.utc),
        dict(property_of(argument) for argument in given.properties),
        given.anonymous_id,
        given.user_id,
    )
    _send(given, event)
    return 0


def _send(given: argparse.Namespace, event: Event) -> None:
    # Here, because it imports httpx, and a mistyped property need not wait for it.
    from clamp_analytics._transport import HttpTransport

    config = read_config(
        given.project_id, None, given.endpoint, given.timeout, os.environ
    )
    body = encode_event(config.project_id, event)
    transport = HttpTransport(config)
    began_s = time.monotonic()
    answer = transport.post("/e/s", body)
    took_ms = (time.monotonic() - began_s) * 1000
    transport.retire()
    if not answer.is_success:
        raise ClampHTTPError(answer.status_code, answer.text)
    sent = body.decode()
    _write(sys.stdout, f"sent to {config.shown_endpoint} in {took_ms:.0f} ms: {sent}")


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{_PROGRAM} {command}",
        description=description,
        epilog="The key is read from CLAMP_API_KEY.",
    )
    parser.add_argument("--project-id", help="default: CLAMP_PROJECT_ID")
    parser.add_argument("--endpoint", help="default: CLAMP_ENDPOINT, else the service")
    parser.add_argument(
        "--timeout",
        type=float,
        default=DEFAULT_TIMEOUT_S,
        help="longest wait for one step, in seconds; default: %(default)s",
    )
    return parser


def property_of(argument: str) -> tuple[str, PropertyValue]:
    """Read `key=value`.

    Raises:
        ValueError: If there is no key, or no value.

    >>> property_of("seats=3"), property_of("plan=pro"), property_of('zip="0123"')
    (('seats', 3), ('plan', 'pro'), ('zip', '0123'))
    """
    key, equals, text = argument.partition("=")
    if not (key and equals):
        raise ValueError(f"property {argument!r} must be written key=value")
    return key, _value(text)


def _value(text: str) -> PropertyValue:
    if money := MONEY.fullmatch(text):
        return Money(Decimal(money[1]), money[2])
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        return text
    # A list, an object and null have no other form as a property.
    return value if isinstance(value, (str, int, float)) else text


def _write(stream: TextIO, line: str) -> None:
    # A console may not have all the letters.
    shown = line.encode(stream.encoding, "backslashreplace").decode(stream.encoding)
    stream.write(f"{shown}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
