"""ClickHouse's HTTP interface in a few lines, over the engine in this process."""

from __future__ import annotations

import itertools
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chdb.session import Session


class ClickHouseServer:
    """One engine for the whole test run; chdb has room for one a process."""

    def __init__(self) -> None:
        # It has no types.
        self._session: Any = Session()  # type: ignore[no-untyped-call]
        self._numbers = itertools.count(1)
        session = self._session

        class Handler(_Handler):
            engine = session

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def empty_database(self) -> str:
        """Make a database that nobody has used, and return its address."""
        number = next(self._numbers)
        # That of the test before, so that memory stays flat.
        self._session.query(f"DROP DATABASE IF EXISTS test_{number - 1}")
        return self.database(f"test_{number}")

    def database(self, name: str) -> str:
        """Make a database, and return its address."""
        self._session.query(f"CREATE DATABASE {name}")
        return (
            f"clickhouse://127.0.0.1:{self._server.server_port}/{name}?compress=false"
        )

    def empty(self, database: str, *tables: str) -> None:
        """Forget all that is in these tables."""
        for table in tables:
            self._session.query(f"TRUNCATE TABLE {database}.{table}")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._session.close()


# What the HTTP interface reads itself; every other argument is a setting.
NOT_SETTINGS = {
    "client_protocol_version",
    "database",
    "default_format",
    "query_id",
    "wait_end_of_query",
}


def _with_data_in_a_file(query: bytes, directory: Path) -> bytes:
    """Take the rows of an INSERT out of its text.

    The engine in process reads a statement as its command line does, where an
    empty line ends the data: any two bytes 10 in a row would cut it short.
    """
    insert, found, data = query.partition(b" FORMAT Native\n")
    if not found:
        return query
    path = directory / "rows.native"
    path.write_bytes(data)
    return insert + f" SELECT * FROM file('{path}', Native)".encode()


def _form_fields(content_type: str, body: bytes) -> dict[str, bytes]:
    form = message_from_bytes(
        b"content-type: %b\r\n\r\n" % content_type.encode() + body
    )
    return {
        str(part.get_param("name", header="content-disposition")): bytes(
            part.get_payload(decode=True)
        )
        for part in form.walk()
        if not part.is_multipart()
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else an answer's second packet waits 40 ms for the first one's receipt.
    disable_nagle_algorithm = True
    engine: Any
    # The database in use belongs to the session, which all requests share.
    lock = threading.Lock()

    def do_POST(self) -> None:
        arguments = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        # The driver's form for parameters that are too long for an address.
        if self.headers.get_content_maintype() == "multipart":
            fields = _form_fields(self.headers["content-type"], body)
            body = fields.pop("query")
            arguments |= {name: value.decode() for name, value in fields.items()}
        status, answer = self._answer(body, arguments)
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def _answer(self, query: bytes, arguments: dict[str, str]) -> tuple[int, bytes]:
        values = {k[6:]: v for k, v in arguments.items() if k.startswith("param_")}
        settings = ", ".join(
            f"{name} = '{value}'"
            for name, value in arguments.items()
            if name not in NOT_SETTINGS and not name.startswith("param_")
        )
        if settings and query.lstrip().upper().startswith((b"SELECT", b"WITH")):
            query += f" SETTINGS {settings}".encode()
        with self.lock, TemporaryDirectory() as directory:
            try:
                if "database" in arguments:
                    self.engine.query(f"USE {arguments['database']}")
                query = _with_data_in_a_file(query, Path(directory))
                found = self.engine.query(query, "TabSeparated", params=values)
            # `chdb.ChdbError` is another class than the one it raises.
            except RuntimeError as error:
                return 500, str(error).encode()
        return 200, found.bytes()

    def _body(self) -> bytes:
        if "content-length" in self.headers:
            return self.rfile.read(int(self.headers["content-length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        # What is left of a request would be the start of the next one.
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        pass
