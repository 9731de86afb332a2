"""What passes between this package and a server, whoever carries it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# `typing.Protocol` costs nothing here: typing is imported by everybody.
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Attributes:
        retry_after: The header, as it came; None where there was none.
        date: The server's clock, the header as it came; None as above.
    """

    status_code: int
    text: str
    retry_after: str | None = None
    date: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300


class Transport(Protocol):
    """Carries bodies to one server; used by several threads at once."""

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
            compress: Send it as gzip; for servers that are known to take that.

        Raises:
            ClampConnectionError: If there is no answer.
        """
        ...

    def retire(self) -> None:
        """Close what is idle, and the rest when it is done."""
        ...


class AsyncTransport(Protocol):
    """Carries bodies to one server from asyncio's tasks."""

    async def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a JSON body and wait for the answer, whatever it is.

        Raises:
            ClampConnectionError: If there is no answer.
        """
        ...

    async def close(self) -> None:
        """Close the connections of the event loop that runs."""
        ...
