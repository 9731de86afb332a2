"""The web examples, each started as its page says, against a real server."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.end_to_end.serving import Place, Server, made_place, serving

from clamp_server.config import Settings
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Sql

EXAMPLES = Path(__file__).parents[3] / "examples"
SECRET = "whsec_test"
ASK_S, TRIES, TRY_S = 30.0, 600, 0.05
SORRY = (500, "Sorry, that was our fault")

pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the examples are in the repository only"
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return made_place(tmp_path / "data")


class Visitor:
    """A browser with our cookie."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ASK_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(connection):
            connection.request(
                method, path, body, {"cookie": "clamp_aid=aid_1"} | named
            )
            answer = connection.getresponse()
            return answer.status, answer.read().decode()


@contextmanager
def running(
    server: Server, *command: str, end: signal.Signals = signal.SIGINT
) -> Iterator[Visitor]:
    """Run an example until the block ends; then interrupt it, as a developer does."""
    port = free_port()
    environ = {
        **os.environ,
        "CLAMP_PROJECT_ID": server.place.project_id,
        "CLAMP_API_KEY": server.place.api_key,
        "CLAMP_ENDPOINT": f"http://127.0.0.1:{server.port}",
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "PORT": str(port),
    }
    filled = [part.replace("PORT", str(port)) for part in command]
    process = subprocess.Popen(
        [sys.executable, *filled], env=environ, cwd=EXAMPLES.parent
    )
    try:
        wait_until_open(process, port)
        yield Visitor(port)
        process.send_signal(end)
        process.wait(ASK_S)
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def wait_until_open(process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(TRIES):
        assert process.poll() is None
        with socket.socket() as plug:
            if plug.connect_ex(("127.0.0.1", port)) == 0:
                return
        Event().wait(TRY_S)
    raise AssertionError("the example did not start")


def stored(place: Place) -> list[dict[str, Any]]:
    """Every event that the server, which has ended, has stored."""
    store = DuckDBStore(Settings(data=place.data).events_path)
    rows = store.rows(Sql("SELECT * FROM events ORDER BY occurred_at"))
    store.close()
    return [dict(row) for row in rows]


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["name"], row["anonymous_id"]) for row in rows]


def check_error(row: dict[str, Any], message: str) -> None:
    assert (row["name"], row["anonymous_id"]) == ("$error", "aid_1")
    assert (row["error_message"], row["error_handled"]) == (message, False)
    assert len(row["error_fingerprint"]) == 16


def test_the_blog_on_flask(place: Place) -> None:
    with serving(place) as server:
        with running(server, "examples/flask_blog/app.py") as visitor:
            assert visitor.ask("GET", "/posts/hello") == (200, "Hello")
            assert visitor.ask("GET", "/posts/none")[0] == 404
            assert visitor.ask("POST", "/subscribe") == (200, "Welcome")
            assert visitor.ask("GET", "/broken") == SORRY
        server.end()

    *events, error = stored(place)
    assert told(events) == [("post_read", "aid_1"), ("signup", "aid_1")]
    check_error(error, "the draft is not finished")


def test_the_shop_on_django(place: Place) -> None:
    command = ("examples/django_shop/manage.py", "runserver", "--noreload", "PORT")
    with serving(place) as server:
        with running(server, *command) as visitor:
            assert visitor.ask("GET", "/items/mug/") == (200, "mug: 12.50 EUR")
            assert visitor.ask("GET", "/items/mug/buy") == (200, "Thank you")
            assert visitor.ask("GET", "/items/none/buy")[0] == 404
            assert visitor.ask("GET", "/broken/7") == SORRY
        server.end()

    *events, error = stored(place)
    assert told(events) == [("item_viewed", "aid_1"), ("$purchase", "aid_1")]
    check_error(error, "the order is not finished")


def payment(event_id: str, visitor_id: str | None) -> bytes:
    return json.dumps(
        {
            "id": event_id,
            "type": "checkout.session.completed",
            "data": {
                "object": {
                    "mode": "subscription",
                    "amount_total": 2900,
                    "currency": "eur",
                    "client_reference_id": visitor_id,
                    "subscription": "sub_1",
                    "metadata": {"plan": "pro"},
                }
            },
        }
    ).encode()


def signature(body: bytes, at_s: float, secret: str = SECRET) -> str:
    signed = f"{at_s:.0f}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at_s:.0f},v1={digest},v0=old"


def test_the_product_on_fastapi(place: Place) -> None:
    command = "examples/fastapi_saas/app.py"
    now_s = time.time()  # noqa: TID251  (the example compares with its own clock)
    with serving(place) as server:
        # A deployment ends so, and then nothing but the lifespan delivers.
        with running(server, command, end=signal.SIGTERM) as visitor:
            assert visitor.ask("POST", "/signup")[0] == 200
            status, text = visitor.ask("POST", "/checkout")
            body = payment("evt_1", json.loads(text)["client_reference_id"])
            refused = [
                visitor.ask("POST", "/stripe/webhook", body, stripe_signature=header)[0]
                for header in (
                    signature(body, now_s, "another"),
                    signature(body, now_s - 3600),
                    signature(b"{}", now_s),
                    "",
                    "t=é,v1=é",
                )
            ]
            taken = [
                visitor.ask(
                    "POST",
                    "/stripe/webhook",
                    body,
                    stripe_signature=signature(body, now_s),
                    cookie="",
                )
                for _ in range(2)
            ]
            assert visitor.ask("GET", "/reports/7") == SORRY
        server.end()

    assert (status, refused) == (200, [400] * 5)
    assert taken == [(200, '{"status":"ok"}')] * 2
    *events, error = stored(place)
    assert told(events) == [("signup", "aid_1"), ("$subscription_started", "aid_1")]
    check_error(error, "the report is not finished")
