"""Why events do not arrive, from the settings to the server's clock.

Each check needs those before it, so the first that fails is the last, apart from
the settings, which are all looked at. No check shows the key.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from clamp_analytics._config import (
    API_KEY_VARIABLE,
    DEFAULT_ENDPOINT,
    DISABLED_VARIABLE,
    ENDPOINT_VARIABLE,
    PROJECT_ID_VARIABLE,
    Config,
    is_disabled,
    read_config,
)
from clamp_analytics._exchange import Answer
from clamp_analytics._transport import HttpTransport
from clamp_analytics.errors import ClampConnectionError, ClampError

# A browser's events come in up to this late, and Clamp links the two by time.
MAX_CLOCK_ERROR_S = 60.0
# An error page can be long; a line should not be.
MAX_SHOWN_CHARS = 160
PROJECT_ID = re.compile(r"proj_[A-Za-z0-9_-]+")
KEY_START = "sk_proj_"
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Finding:
    """What one check found: one line.

    Attributes:
        text: What is there, or what is wrong and what to do.
    """

    is_ok: bool
    subject: str
    text: str

    def __str__(self) -> str:
        # What a server or an exception says may have line ends.
        text = " ".join(self.text.split())
        return f"{'ok' if self.is_ok else '!!'}  {self.subject:<10}  {text}"


def findings(
    project_id: str | None,
    endpoint: str | None,
    timeout_s: float,
    environ: Mapping[str, str],
) -> Iterator[Finding]:
    """Check one thing after the other, and give each finding when it is there.

    Args:
        project_id: None means the environment's.
        endpoint: None means the environment's, else the default.
        timeout_s: Longest wait for one step of the network.

    Raises:
        ValueError: If no socket can wait for `timeout_s`.
    """
    settings = (
        _project_id(project_id, environ),
        _api_key(timeout_s, environ),
        _endpoint(endpoint, environ),
    )
    yield from settings
    if is_disabled(environ):
        yield _wrong(
            "switch",
            f"{DISABLED_VARIABLE} is set, so that nothing is sent: unset it, or set"
            " it to 0",
        )
    if all(finding.is_ok for finding in settings):
        config = read_config(project_id, None, endpoint, timeout_s, environ)
        yield from _network(config)


def _fine(subject: str, text: str) -> Finding:
    return Finding(is_ok=True, subject=subject, text=text)


def _wrong(subject: str, text: str) -> Finding:
    return Finding(is_ok=False, subject=subject, text=text)


def _project_id(given: str | None, environ: Mapping[str, str]) -> Finding:
    value = given or environ.get(PROJECT_ID_VARIABLE)
    if not value:
        return _wrong(
            "project_id", f"missing: set {PROJECT_ID_VARIABLE}, or write --project-id"
        )
    source = "--project-id" if given else PROJECT_ID_VARIABLE
    if not PROJECT_ID.fullmatch(value):
        return _wrong(
            "project_id", f"{value!r}, from {source}: it should look like proj_xxx"
        )
    return _fine("project_id", f"{value}, from {source}")


def _api_key(timeout_s: float, environ: Mapping[str, str]) -> Finding:
    key = environ.get(API_KEY_VARIABLE)
    if not key:
        return _wrong("api_key", f"missing: set {API_KEY_VARIABLE}")
    try:
        read_config("proj_xxx", key, None, timeout_s, environ)
    except ClampError as error:
        return _wrong("api_key", f"{error}; it is from {API_KEY_VARIABLE}")
    return _fine("api_key", f"{len(key)} characters, from {API_KEY_VARIABLE}")


def _endpoint(given: str | None, environ: Mapping[str, str]) -> Finding:
    if given:
        value, source = given, "--endpoint"
    elif environ.get(ENDPOINT_VARIABLE):
        value, source = environ[ENDPOINT_VARIABLE], ENDPOINT_VARIABLE
    else:
        value, source = DEFAULT_ENDPOINT, "the default"
    shown = f"{_shown(value)}, from {source}"
    try:
        _address(value)
    except ValueError as error:
        return _wrong("endpoint", f"{shown}: {error}; write https://clamp.example")
    return _fine("endpoint", shown)


def _shown(address: str) -> str:
    return Config("", "", address, 1.0).shown_endpoint


def _address(endpoint: str) -> tuple[str, str, int]:
    """Scheme, host and port of an endpoint; a ValueError says what it lacks."""
    parts = urlsplit(endpoint)
    if parts.scheme not in PORTS:
        raise ValueError("it must begin with https:// or http://")
    if not parts.hostname:
        raise ValueError("it has no host")
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    return parts.scheme, parts.hostname, port


def _network(config: Config) -> Iterator[Finding]:
    scheme, host, port = _address(config.endpoint)
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if proxy and not proxy_bypass(host):
        text = f"{_shown(proxy)}, which looks up the host and connects to it"
        yield _fine("proxy", text)
    else:
        found = _host(host, port)
        yield found
        if not found.is_ok:
            return
        found = _connection(host, port, config.timeout_s)
        yield found
        if not found.is_ok:
            return
    yield from _server(config, scheme)


def _host(host: str, port: int) -> Finding:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # A UnicodeError is what sockets say of a host with an empty or long label.
    except (OSError, UnicodeError) as error:
        return _wrong(
            "host",
            f"{host} has no address ({error}): check the spelling of the endpoint,"
            " and whether this machine can look up names",
        )
    addresses = dict.fromkeys(str(address[0]) for *_, address in found)
    return _fine("host", f"{host} is at {', '.join(addresses)}")


def _connection(host: str, port: int, timeout_s: float) -> Finding:
    began_s = time.monotonic()
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError as error:
        return _wrong(
            "connection",
            f"{host} port {port} cannot be reached ({error}): check that the server"
            " runs there, and that no firewall is in between",
        )
    return _fine("connection", f"to port {port} in {_ms(began_s)} ms")


def _server(config: Config, scheme: str) -> Iterator[Finding]:
    # No event, so that nothing is stored: a server looks at the key first.
    body = json.dumps({"p": config.project_id}).encode()
    began_s, asked_at_s = time.monotonic(), time.time()
    try:
        transport = HttpTransport(config)
        answer = transport.post("/e/s", body)
        transport.retire()
    except ClampConnectionError as error:
        yield _no_answer(error)
        return
    took_ms = _ms(began_s)
    if scheme == "https":
        yield _fine("TLS", "the certificate is valid")
    else:
        yield _fine("TLS", "none: with http the key can be read on its way")
    yield from _verdict(answer, config, took_ms)
    yield _clock(answer.date, (asked_at_s + time.time()) / 2)


def _no_answer(error: ClampConnectionError) -> Finding:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return _wrong(
                "TLS",
                f"{cause}: check that the endpoint has the host's name, and that this"
                " machine trusts who signed the certificate (SSL_CERT_FILE)",
            )
        cause = cause.__cause__ or cause.__context__
    return _wrong("answer", f"{error}: check that what runs there is a Clamp server")


def _verdict(answer: Answer, config: Config, took_ms: int) -> Iterator[Finding]:
    """What the answer to a body without an event says of server, key, project."""
    status, said = answer.status_code, _said(answer)
    if status == 401:
        yield _wrong("key", f"the server does not take it: {said}. {_key_hint(config)}")
    elif status == 403:
        yield _wrong(
            "key",
            f"it is not one of {config.project_id}: {said}. Take project and key from"
            " the same settings page",
        )
    elif status in (400, 422) and _members(answer.text):
        yield _fine("answer", f"in {took_ms} ms, from {config.shown_endpoint}")
        yield _fine("key", f"the server takes it for {config.project_id}")
    elif status in (408, 429) or status >= 500:
        yield _wrong("answer", f"{status}, not now: {said}. Try again later")
    else:
        yield _wrong(
            "answer",
            f"{status}, as no Clamp server answers: {said}. Check host and path of the"
            " endpoint",
        )


def _key_hint(config: Config) -> str:
    if config.api_key.startswith(KEY_START):
        return "Check that it is whole, of this server, and not revoked"
    return f"A server's key starts with {KEY_START}, and this one does not"


def _said(answer: Answer) -> str:
    said = _members(answer.text).get("message", answer.text)
    # What comes from outside must not steer the terminal.
    shown = "".join(c if c.isprintable() else " " for c in str(said))
    return shown[:MAX_SHOWN_CHARS] or "nothing more"


def _members(text: str) -> Mapping[str, object]:
    """The members of a JSON object; of another text none. A proxy sends pages."""
    try:
        members = json.loads(text)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def _clock(date: str | None, here_at_s: float) -> Finding:
    try:
        at = parsedate_to_datetime(date or "")
    # The one before Python 3.10, the other since.
    except (TypeError, ValueError):
        return _fine("clock", "not compared: the answer has no date")
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    # The header has whole seconds, cut off.
    ahead_s = here_at_s - (at.timestamp() + 0.5)
    which = "ahead of" if ahead_s > 0 else "behind"
    text = f"{abs(ahead_s):.0f} s {which} the server's"
    if abs(ahead_s) <= MAX_CLOCK_ERROR_S:
        return _fine("clock", text)
    now = datetime.fromtimestamp(here_at_s, timezone.utc)
    return _wrong(
        "clock",
        f"{text} ({now:%Y-%m-%d %H:%M} UTC here): events get wrong times. Set this"
        " machine's clock, or let it be set (NTP)",
    )


def _ms(began_s: float) -> int:
    return round((time.monotonic() - began_s) * 1000)
