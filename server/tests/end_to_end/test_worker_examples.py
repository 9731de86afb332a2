"""The examples of workers and jobs against a running `clamp serve`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest
from tests.end_to_end.serving import Place, Server, made_place, serving

from clamp_server.config import Settings
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Sql

EXAMPLES = Path(__file__).parents[3] / "examples"
LONGEST_S = 30.0
LOOK_S = 0.05

pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the examples are in the repository only"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(made_place(tmp_path / "data")) as running:
        yield running


@contextmanager
def running(server: Server, *command: str, **variables: str) -> Iterator[None]:
    """A program of an example, told where the server is; ended when the block is."""
    mine = {
        "CLAMP_PROJECT_ID": server.place.project_id,
        "CLAMP_API_KEY": server.place.api_key,
        "CLAMP_ENDPOINT": f"http://127.0.0.1:{server.port}",
        # `python` is the one that runs this test, as in an environment that is active.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with subprocess.Popen(command, env={**os.environ, **mine, **variables}) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    command = [program, "--port", port, "--bind", "127.0.0.1", "--save", ""]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert any("eady to accept" in line for line in process.stdout)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def wait_for_events(server: Server, count: int) -> None:
    deadline_s = time.monotonic() + LONGEST_S
    while accepted(server) < count:
        assert time.monotonic() < deadline_s, f"{accepted(server)} of {count} came"
        Event().wait(LOOK_S)


def accepted(server: Server) -> int:
    with closing(server.connection()) as connection:
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
    counts = re.findall(r"^clamp_events_accepted_total.* (\S+)$", metrics, re.MULTILINE)
    return sum(int(float(count)) for count in counts)


def stored(place: Place) -> list[tuple[object, ...]]:
    """The events, without what differs from run to run; the server has ended."""
    store = DuckDBStore(Settings(data=place.data).events_path)
    rows = store.rows(
        Sql(
            """
            SELECT name, anonymous_id, user_id, error_message, error_handled,
                   length(error_fingerprint) AS digits
            FROM events ORDER BY ALL
            """
        )
    )
    store.close()
    return [tuple(row.values()) for row in rows]


def test_a_celery_worker_links_tasks_and_their_bugs_to_visitors(
    server: Server, tmp_path: Path
) -> None:
    run = str(EXAMPLES / "celery_worker" / "run")
    with redis_server(tmp_path) as url, running(server, run, REDIS_URL=url):
        wait_for_events(server, 6)
    server.end()

    away, no = "the mail server is away", "the bank declined a charge"
    assert stored(server.place) == [
        ("$error", "aid_ada", "u_ada", away, False, 16),
        ("$error", "aid_bob", "u_bob", no, False, 16),
        ("$error", "aid_bob", "u_bob", away, False, 16),
        ("checkout", "aid_ada", "u_ada", "", False, 0),
        ("checkout", "aid_bob", "u_bob", "", False, 0),
        ("purchase", "aid_ada", "u_ada", "", False, 0),
    ]


def test_a_scheduled_job_says_what_it_did(server: Server) -> None:
    job = EXAMPLES / "scheduled_job"
    command = (sys.executable, str(job / "expire_trials.py"), str(job / "trials.csv"))
    with running(server, *command):
        wait_for_events(server, 3)
    server.end()

    assert stored(server.place) == [
        ("job_finished", "", "", "", False, 0),
        ("trial_expired", "", "u_ada", "", False, 0),
        ("trial_expired", "", "u_bob", "", False, 0),
    ]
