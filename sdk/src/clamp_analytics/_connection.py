"""Connections that are kept, each for one call at a time.

Nothing is sent twice here, with one exception: when a connection that was kept dies
before the whole request was handed to it, the server cannot have acted on the
part that it got, so the request goes out once more on another connection. Once
a request is out whole, a lost answer is an error, for nobody on this side can
tell whether the event was counted.

There are two kinds. An application sees in its logs and traces what goes through
`httpx.Client`, and its tests catch it there: so go the calls that it waits for. What
background delivery sends goes straight to httpcore, by which httpx sends too: of
the processor time of a small request the layers in between take two fifths, and that
time is the application's.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar
from typing import Any

import httpcore
import httpx

from clamp_analytics._config import KEEP_IDLE_S
from clamp_analytics._exchange import Answer
from clamp_analytics._requests import Requests

# From where httpx keeps it, which is where 0.2.0 had it from: `httpx.Client` may be
# a test's own by the time that the first client is made, which is when this module
# is imported.
_HttpxClient = getattr(sys.modules.get("httpx._api", httpx), "Client", httpx.Client)

# Where those who look into requests, or answer them in the place of a server, put
# functions of their own: pytest-httpx, respx, vcrpy, sentry-sdk, OpenTelemetry.
_LOOKED_INTO = (
    (_HttpxClient, "send"),
    (_HttpxClient, "_send_single_request"),
    (_HttpxClient, "_transport_for_url"),
    (httpx.HTTPTransport, "handle_request"),
    (httpcore.ConnectionPool, "handle_request"),
    (httpcore.HTTPConnection, "handle_request"),
)


def is_looked_into() -> bool:
    """Whether somebody put a function of their own where httpx sends."""
    return _WAS_LOOKED_INTO or _senders() != _SENDERS


def _senders() -> list[Any]:
    return [getattr(owner, name, None) for owner, name in _LOOKED_INTO]


_SENDERS = _senders()
# As in a test that is the first to import this.
_WAS_LOOKED_INTO = any(
    sender.__module__.partition(".")[0] not in ("httpx", "httpcore")
    for sender in _SENDERS
    if sender is not None
)


class NoCookies(CookieJar):
    """Keeps none: 0.2.0 forgot every cookie, and a jar that is kept would only grow."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Do nothing, where looking for cookies took a tenth of the request's time."""


class Connection(ABC):
    """One that a call at a time uses, and that is kept."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._is_kept = False

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None) -> Answer:
        """Send a request; if the kept connection dies under it, once more."""
        was_kept, self._is_kept = self._is_kept, False
        content = _Body(body)
        try:
            answer = self._exchange(path, content, headers)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if content.was_handed_over or not was_kept:
                raise
            answer = self._exchange(path, content, headers)
        self._is_kept = True
        return answer

    @abstractmethod
    def close(self) -> None:
        """Close the socket."""

    @abstractmethod
    def _exchange(
        self, path: str, content: _Body, extra: Mapping[str, str] | None
    ) -> Answer:
        """Send a request and read its answer."""


class ClientConnection(Connection):
    """By a client of httpx."""

    def __init__(self, requests: Requests) -> None:
        super().__init__(requests)
        self._client: httpx.Client = _HttpxClient(
            verify=requests.tls,
            limits=httpx.Limits(keepalive_expiry=KEEP_IDLE_S),
            cookies=NoCookies(),
        )

    def close(self) -> None:
        """Close the socket."""
        self._client.close()

    def _exchange(
        self, path: str, content: _Body, extra: Mapping[str, str] | None
    ) -> Answer:
        request = self._requests.request(path, content.content, extra)
        request.stream = content
        return self._requests.answer(self._client.send(request))


class DirectConnection(Connection):
    """By a connection of httpcore; see `Requests.are_plain` and `is_looked_into`."""

    def __init__(self, requests: Requests) -> None:
        super().__init__(requests)
        self._connection: httpcore.HTTPConnection | None = None
        # By path: where to, and the headers that every request has.
        self._prepared: dict[str, tuple[httpcore.URL, list[tuple[bytes, bytes]]]] = {}

    def close(self) -> None:
        """Close the socket."""
        if self._connection is not None:
            self._connection.close()

    def _exchange(
        self, path: str, content: _Body, extra: Mapping[str, str] | None
    ) -> Answer:
        if path not in self._prepared:
            self._prepared[path] = self._prepare(path)
        url, headers = self._prepared[path]
        request = httpcore.Request(
            "POST",
            url,
            headers=[
                *headers,
                *(
                    (name.encode(), value.encode())
                    for name, value in (extra or {}).items()
                ),
                (b"Content-Length", b"%d" % len(content.content)),
            ],
            content=content,
            extensions={"timeout": self._requests.timeout},
        )
        try:
            response = self._to(url.origin).handle_request(request)
            try:
                return self._answer(response, response.read())
            finally:
                response.close()
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
        ) as error:
            # httpx has one of the same name for each.
            raise getattr(httpx, type(error).__name__)(str(error)) from error

    def _prepare(self, path: str) -> tuple[httpcore.URL, list[tuple[bytes, bytes]]]:
        usual = self._requests.request(path, b"", None)
        del usual.headers["content-length"]
        url = usual.url
        return httpcore.URL(
            scheme=url.raw_scheme,
            host=url.raw_host,
            port=url.port,
            target=url.raw_path,
        ), usual.headers.raw

    def _to(self, origin: httpcore.Origin) -> httpcore.HTTPConnection:
        connection = self._connection
        if (
            connection is None
            or not connection.is_available()
            or connection.has_expired()
        ):
            self.close()
            connection = self._connection = httpcore.HTTPConnection(
                origin, self._requests.tls, KEEP_IDLE_S
            )
        return connection

    def _answer(self, response: httpcore.Response, content: bytes) -> Answer:
        headers = {
            name.lower(): value.decode("latin-1") for name, value in response.headers
        }
        if response.status != 200 or b"content-encoding" in headers:
            stream = httpx.ByteStream(content)
            whole = httpx.Response(
                response.status, headers=response.headers, stream=stream
            )
            whole.read()
            return self._requests.answer(whole)
        return Answer(
            200,
            self._requests.shown(content.decode(errors="replace")),
            headers.get(b"retry-after"),
            headers.get(b"date"),
        )


class _Body(httpx.SyncByteStream):
    """A request body that knows whether it was handed over whole."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.was_handed_over = False

    def __iter__(self) -> Iterator[bytes]:
        yield self.content
        # Control comes back here only when writing it to the socket succeeded.
        self.was_handed_over = True
