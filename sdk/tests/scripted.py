"""A server that does, connection by connection, exactly what a test says."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

# For localhost and 127.0.0.1, signed by itself.
CERTIFICATE = Path(__file__).parent / "localhost.pem"


class Scripted:
    """Plays one list of steps for each connection, in the order they come.

    Leaving it fails if a connection came that no list was written for.

    Attributes:
        bodies: The body of every request that was read whole.
    """

    def __init__(self, *connections: list[Step]) -> None:
        self.bodies: list[bytes] = []
        self._connections = connections
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(30)
        self._thread = threading.Thread(target=self._play)

    @property
    def endpoint(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def _play(self) -> None:
        for steps in self._connections:
            connection, _ = self._listener.accept()
            connection.settimeout(30)
            with connection:
                for step in steps:
                    step(self, connection)

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.join(timeout=30)
        waiting, _, _ = select.select([self._listener], [], [], 0)
        self._listener.close()
        assert not waiting, "one connection more than the test has steps for"


Step = Callable[[Scripted, socket.socket], None]


def over_tls(*steps: Step) -> Step:
    """Take the steps over TLS, if the client takes the certificate."""

    def step(server: Scripted, connection: socket.socket) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATE)
        wrap = tls.wrap_socket
        with suppress(ssl.SSLError), wrap(connection, server_side=True) as safe:
            for each in steps:
                each(server, safe)

    return step


def read_request(server: Scripted, connection: socket.socket) -> None:
    """Read a request to its last byte."""
    head, body = _head_and_more(connection)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    parts = [body]
    while (length := length - len(parts[-1])) > 0:
        parts.append(_received(connection))
    server.bodies.append(b"".join(parts))


def read_head(server: Scripted, connection: socket.socket) -> None:
    """Read the head of a request, and of its body only what came with it."""
    _head_and_more(connection)


def answer(server: Scripted, connection: socket.socket) -> None:
    """Answer 200."""
    connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"ok":true}')


def answer_half(server: Scripted, connection: socket.socket) -> None:
    """Promise 11 bytes and send one."""
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{")


def reset(server: Scripted, connection: socket.socket) -> None:
    """Close with a reset, as a machine does that knows nothing of us any more."""
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()


def wait_for_close(server: Scripted, connection: socket.socket) -> None:
    """Say nothing until the client gives up."""
    while connection.recv(65536):
        pass


def _head_and_more(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, more = data.partition(b"\r\n\r\n")
    return head, more


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    assert data, "the client closed in the middle of a request"
    return data
