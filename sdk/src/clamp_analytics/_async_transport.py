"""Bodies to the server from asyncio.

Each event loop has a client of its own, because connections belong to the loop
that opened them: tests have a loop each, and so have threads that run one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import httpx

from clamp_analytics._config import KEEP_IDLE_S, Config
from clamp_analytics._connection import NoCookies
from clamp_analytics._exchange import Answer
from clamp_analytics._requests import Requests
from clamp_analytics._transport import MAX_IDLE_CONNECTIONS

# At once; a task that finds all of them in use waits for one.
MAX_CONNECTIONS = 100


class AsyncHttpTransport:
    """Posts bodies to one server without blocking the event loop.

    Raises:
        ClampConnectionError: If the certificates that the environment names
            cannot be read.
    """

    def __init__(self, config: Config) -> None:
        self._requests = Requests(config)
        self._clients: WeakKeyDictionary[
            asyncio.AbstractEventLoop, httpx.AsyncClient
        ] = WeakKeyDictionary()

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a JSON body and wait for the answer, whatever it is.

        Raises:
            ClampConnectionError: If there is no answer.
        """
        client = self._client()
        with self._requests.translated():
            request = self._requests.request(path, body, headers)
            # Never again on another connection, as `HttpTransport` may: what
            # asyncio has taken to be written, nobody knows to have been sent.
            return self._requests.answer(await client.send(request))

    async def close(self) -> None:
        """Close the connections of the event loop that runs."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = httpx.AsyncClient(
                verify=self._requests.tls,
                limits=httpx.Limits(
                    max_connections=MAX_CONNECTIONS,
                    max_keepalive_connections=MAX_IDLE_CONNECTIONS,
                    keepalive_expiry=KEEP_IDLE_S,
                ),
                cookies=NoCookies(),
            )
        return client
