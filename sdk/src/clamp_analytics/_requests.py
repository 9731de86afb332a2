"""What requests to one server have in common, and how its answers are read."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from urllib.request import getproxies

import httpx

from clamp_analytics._config import Config
from clamp_analytics._exchange import Answer
from clamp_analytics._version import __version__
from clamp_analytics.errors import ClampConnectionError

# httpx imports these in the middle of its first call. A process that is forked
# just then would leave its child waiting for an import lock that nobody holds.
for _name in ("encodings.idna", "httpcore"):
    import_module(_name)

# Shorter than any real key, which starts with the 8 characters of `sk_proj_`:
# tests have a "key" or an "x", and their answers have that as a word.
MIN_KEY_CHARS = 9


class Requests:
    """Builds the requests to one server, and reads its answers.

    Attributes:
        tls: Made once, for all connections.
        timeout: As httpx and httpcore hand it to a connection, in seconds.

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
        self.timeout = httpx.Timeout(config.timeout_s, pool=None).as_dict()
        self.tls = _tls_context()

    def url(self, path: str) -> httpx.URL:
        """The address of an endpoint."""
        # Kept, because taking an address apart costs 25 us.
        if path not in self._urls:
            self._urls[path] = httpx.URL(f"{self._config.endpoint}{path}")
        return self._urls[path]

    def are_plain(self) -> bool:
        """Whether httpx does no more for them than to hand them to httpcore.

        It does where a proxy is on the way, or a password is in the address.
        """
        try:
            url = httpx.URL(self._config.endpoint)
        except (httpx.InvalidURL, UnicodeError):
            return False
        is_web = url.scheme in ("http", "https") and url.raw_host != b""
        return is_web and not url.userinfo and not getproxies()

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
            extensions={"timeout": self.timeout},
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


def _tls_context() -> ssl.SSLContext:
    # Made once, for all connections and for forked children: it takes 20 ms, and
    # OpenSSL in a child waits for ever if a thread was just making one.
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ClampConnectionError(f"certificates cannot be read: {error}") from error
