from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integrations.arrived import Arrived, arrived, wait_for
from tests.integrations.examples import FOLDER, in_repository
from tests.integrations.workers import LONGEST_S, Place
from tests.sink import Sink


def failure(message: str, kind: str, task: str, attempts: int, who: str) -> Arrived:
    told = {
        "error.message": message,
        "error.type": kind,
        "error.handled": False,
        "task": task,
        "task.attempts": attempts,
    }
    return Arrived("$error", f"aid_{who}", f"u_{who}", told)


@in_repository
def test_the_celery_worker_runs_with_one_command(place: Place, sink: Sink) -> None:
    # `python` is the one that runs this test, as in an environment that is active.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [FOLDER / "celery_worker" / "run"], env={**place.environment, "PATH": path}
    )
    try:
        wait_for(sink, 6)
    finally:
        process.terminate()
        process.wait(LONGEST_S)

    away = ("the mail server is away", "ConnectionError", "tasks.send_receipt", 3)
    no = ("the bank declined a charge", "CardDeclinedError", "tasks.charge", 1)
    paid = {"order": 1, "total": {"amount": 29.0, "currency": "EUR"}}
    assert sorted(arrived(sink), key=repr) == sorted(
        [
            Arrived("checkout", "aid_ada", "u_ada", {"order": 1}),
            Arrived("checkout", "aid_bob", "u_bob", {"order": 2}),
            Arrived("purchase", "aid_ada", "u_ada", paid),
            failure(*no, "bob"),
            failure(*away, "ada"),
            failure(*away, "bob"),
        ],
        key=repr,
    )
