from __future__ import annotations

import http.client
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.batch_sink import BatchSink, Counts
from tests.program import start

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="gunicorn needs a system that forks"
)

WORKERS = 4

# Made once, in the process that forks the workers; nobody calls flush.
APPLICATION = """
import os
from clamp_analytics import track
from tests.app import start

start(os.environ["SINK"], os.environ["OUTBOX"])
assert track("loaded")

def application(environ, respond):
    assert track("request" + environ["PATH_INFO"])
    body = str(os.getpid()).encode()
    respond("200 OK", [("content-length", str(len(body))), ("connection", "close")])
    return [body]
"""


def ask(address: str, path: str) -> str:
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    connection.request("GET", path)
    body = connection.getresponse().read().decode()
    connection.close()
    return body


@pytest.mark.parametrize("has_outbox", [False, True])
@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_events_of_preloaded_gunicorn_workers_arrive_once(
    tmp_path: Path, kind: str, has_outbox: bool
) -> None:
    (tmp_path / "application.py").write_text(APPLICATION)
    outbox = tmp_path / "outbox"
    command = f"-m gunicorn --preload -w {WORKERS} -k {kind} -b 127.0.0.1:0"
    with BatchSink() as sink:
        gunicorn = start(
            [sys.executable, *command.split(), "--chdir", str(tmp_path), "application"],
            SINK=sink.endpoint,
            OUTBOX=str(outbox) if has_outbox else "",
        )
        assert gunicorn.stderr is not None
        lines = iter(gunicorn.stderr.readline, "")
        address = next(
            line.split("http://")[1].split()[0] for line in lines if "http://" in line
        )
        for number in range(60):
            ask(address, f"/{number}")
        gunicorn.send_signal(signal.SIGTERM)
        _, said = gunicorn.communicate(timeout=60)

    assert gunicorn.returncode == 0, said
    assert (sink.counts, sink.repeats) == (Counts(stored=61), 0)
    assert not has_outbox or list(outbox.iterdir()) == []
