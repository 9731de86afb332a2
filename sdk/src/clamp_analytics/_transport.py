"""Bodies to the server, over httpx.

A call takes an idle connection or makes one, and puts it back when it is done.
One `httpx.Client` for all threads would do that too, but its pool closes, now and
then, a connection that another thread has just taken: it asks whether the socket
is idle, and then whether it is readable (httpcore 1.0.9; 1 call in 3,200 with 8
threads on loopback). So each connection has a client of its own, which one call
at a time uses.

Nothing is sent twice here, with one exception: when a connection that was kept dies
before the whole request was handed to it, the server cannot have acted on the
part that it got, so the request goes out once more on another connection. Once
a request is out whole, a lost answer is an error, for nobody on this side can
tell whether the event was counted.
"""

from __future__ import annotations

import gzip
import json
import os
import ssl
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar
from importlib import import_module
from typing import Any

import httpx

from clamp_analytics._config import KEEP_IDLE_S, Config
from clamp_analytics._exchange import Answer
from clamp_analytics._version import __version__
from clamp_analytics.errors import ClampConnectionError

# httpx imports these in the middle of its first call. A process that is forked
# just then would leave its child waiting for an import lock that nobody holds.
for _name in ("encodings.idna", "httpcore"):
    import_module(_name)

# From where httpx keeps them, which is where 0.2.0 had them from: `httpx.post` and
# `httpx.Client` may be a test's own by the time that the first client is made,
# which is when this module is imported.
_httpx_api = sys.modules.get("httpx._api", httpx)
_httpx_post = getattr(_httpx_api, "post", httpx.post)
_HttpxClient = getattr(_httpx_api, "Client", httpx.Client)

# Shorter than any real key, which starts with the 8 characters of `sk_proj_`:
# tests have a "key" or an "x", and their answers have that as a word.
MIN_KEY_CHARS = 9

# As many as httpx keeps by default. How many are open at once has no limit: every
# call in 0.2.0 had a connection of its own, and none ever waited for one.
MAX_IDLE_CONNECTIONS = 20


class _Body(httpx.SyncByteStream):
    """A request body that knows whether it was handed over whole."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.was_handed_over = False

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        # Control comes back here only when writing it to the socket succeeded.
        self.was_handed_over = True


class NoCookies(CookieJar):
    """Keeps none: 0.2.0 forgot every cookie, and a jar that is kept would only grow."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Do nothing, where looking for cookies took a tenth of the request's time."""


class Requests:
    """Builds the requests to one server, and reads its answers.

    Attributes:
        tls: Made once, for all connections.

    Raises:
        ClampConnectionError: If the certificates that the environment names
            cannot be read.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.headers = {
            "content-type": "application/json",
            "x-clamp-key": config.api_key,
        }
        self._request_headers = {
            **self.headers,
            "user-agent": f"clamp-analytics-python/{__version__}",
        }
        self._urls: dict[str, httpx.URL] = {}
        # A connection of a pool that is in use comes free by these.
        self._timeout = httpx.Timeout(config.timeout_s, pool=None).as_dict()
        self.tls = _tls_context()

    def url(self, path: str) -> httpx.URL:
        """The address of an endpoint."""
        # Kept, because taking an address apart costs 25 us.
        if path not in self._urls:
            self._urls[path] = httpx.URL(f"{self._config.endpoint}{path}")
        return self._urls[path]

    def request(
        self, path: str, body: bytes, extra: Mapping[str, str] | None
    ) -> httpx.Request:
        """Build a POST."""
        return httpx.Request(
            "POST",
            self.url(path),
            headers={**self._request_headers, **(extra or {})},
            content=body,
            # Here, because httpx 0.24 gives a client's own only to what it builds.
            extensions={"timeout": self._timeout},
        )

    def answer(self, response: httpx.Response) -> Answer:
        """Read what the server said."""
        return Answer(
            response.status_code,
            self.shown(response.text),
            response.headers.get("retry-after"),
            response.headers.get("date"),
        )

    def shown(self, text: str) -> str:
        """Take the key out of an answer: an error page may quote the request."""
        key = self._config.api_key
        return text.replace(key, "***") if len(key) >= MIN_KEY_CHARS else text

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what httpx raises without an answer into our own error."""
        try:
            yield
        # A UnicodeError is what sockets say of a host with an empty or long label.
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
            raise ClampConnectionError(
                f"no answer from {self._config.shown_endpoint}:"
                f" {type(error).__name__}: {error}"
            ) from error


class HttpTransport:
    """Posts bodies to one server; safe with threads, and after a fork.

    Args:
        stand_in: Returns what a test put in the place of `httpx`; None means
            nothing.

    Raises:
        ClampConnectionError: As `Requests`.
    """

    def __init__(
        self, config: Config, stand_in: Callable[[], Any] = lambda: None
    ) -> None:
        self._requests = Requests(config)
        self._stand_in = stand_in
        # By process id: a forked child must not write into its parent's sockets.
        # No lock guards it, which a thread of the parent could hold at the fork.
        self._idle: dict[int, deque[_Connection]] = {}
        # For a `Clamp` that is dropped, and at exit.
        self._ending = weakref.finalize(self, _close_all, self._idle)

    def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        compress: bool = False,
    ) -> Answer:
        """Send a JSON body and wait for the answer, whatever it is.

        Args:
            headers: Besides those that every request has.
            compress: Send it as gzip.

        Raises:
            ClampConnectionError: If there is no answer.
        """
        with self._requests.translated():
            post = (self._stand_in() or httpx).post
            if post is not _httpx_post:
                return self._made_up_answer(post, path, body, headers or {})
            if compress:
                # As fast as it goes: the second level takes half as long again,
                # for a twentieth less.
                body = gzip.compress(body, compresslevel=1)
                headers = {**(headers or {}), "content-encoding": "gzip"}
            request = self._requests.request(path, body, headers)
            request.stream = stream = _Body(body)
            connection = self._take()
            try:
                response = connection.send(request, stream)
            finally:
                self._put_back(connection)
            return self._requests.answer(response)

    def _made_up_answer(
        self, post: Any, path: str, body: bytes, extra: Mapping[str, str]
    ) -> Answer:
        # Version 0.2.0 called `httpx.post` in just this way, and tests that were
        # written for it put a function of their own there, whose answers have no
        # more than what 0.2.0 looked at.
        requests = self._requests
        url, headers = str(requests.url(path)), {**requests.headers, **extra}
        response = post(url, json=json.loads(body), headers=headers)
        if response.is_success:
            return Answer(200, "")
        return Answer(response.status_code, requests.shown(response.text))

    def retire(self) -> None:
        """Close each connection as soon as no call uses it.

        A call that comes later still works; it closes its connection behind it.
        """
        self._ending.detach()
        _close_all(self._idle)

    def _take(self) -> _Connection:
        try:
            # The latest: the others may reach the age at which they are replaced.
            return self._idle_here().pop()
        except IndexError:
            return _Connection(self._requests.tls)

    def _put_back(self, connection: _Connection) -> None:
        idle = self._idle_here()
        idle.append(connection)
        # At exit it has ended too, and the application's own handlers still call.
        _close_down_to(MAX_IDLE_CONNECTIONS if self._ending.alive else 0, idle)

    def _idle_here(self) -> deque[_Connection]:
        process = os.getpid()
        idle = self._idle.get(process)
        if idle is None:
            idle = self._idle.setdefault(process, deque())
            for parent in set(self._idle) - {process}:
                _close_down_to(0, self._idle.pop(parent, deque()))
        return idle


class _Connection:
    """A client that one call at a time uses, and which keeps its connection."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._client: httpx.Client = _HttpxClient(
            verify=tls,
            limits=httpx.Limits(keepalive_expiry=KEEP_IDLE_S),
            cookies=NoCookies(),
        )
        self._is_kept = False

    def send(self, request: httpx.Request, body: _Body) -> httpx.Response:
        """Send a request; if the kept connection dies under it, once more."""
        was_kept, self._is_kept = self._is_kept, False
        try:
            response = self._client.send(request)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if body.was_handed_over or not was_kept:
                raise
            response = self._client.send(request)
        self._is_kept = True
        return response

    def close(self) -> None:
        """Close the socket."""
        self._client.close()


def _tls_context() -> ssl.SSLContext:
    # Made once, for all connections and for forked children: it takes 20 ms, and
    # OpenSSL in a child waits for ever if a thread was just making one.
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ClampConnectionError(f"certificates cannot be read: {error}") from error


def _close_all(idle: dict[int, deque[_Connection]]) -> None:
    # In a forked child also those of its parent: it says nothing to the server,
    # and the parent's own descriptors stay open.
    for connections in list(idle.values()):
        _close_down_to(0, connections)


def _close_down_to(count: int, idle: deque[_Connection]) -> None:
    while len(idle) > count:
        # Another thread may take the last one first.
        with suppress(IndexError):
            idle.popleft().close()
