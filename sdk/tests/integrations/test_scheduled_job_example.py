from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.integrations.arrived import Arrived, arrived
from tests.integrations.examples import FOLDER, in_repository
from tests.sink import Sink

JOB = FOLDER / "scheduled_job"


def run(trials: Path, sink: Sink) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, JOB / "expire_trials.py", trials],
        capture_output=True,
        check=False,
        env={
            **os.environ,
            "CLAMP_PROJECT_ID": "proj_test",
            "CLAMP_API_KEY": "sk_proj_test",
            "CLAMP_ENDPOINT": sink.endpoint,
        },
        text=True,
        timeout=60,
    )


@in_repository
def test_the_scheduled_job_runs_with_one_command(sink: Sink) -> None:
    done = run(JOB / "trials.csv", sink)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    *expired, finished = arrived(sink)
    job = {"job": "expire_trials"}
    assert expired == [
        Arrived("trial_expired", None, "u_ada", job),
        Arrived("trial_expired", None, "u_bob", job),
    ]
    duration_s = finished.properties.pop("duration_s")
    assert finished == Arrived("job_finished", None, None, {**job, "trials": 2})
    assert duration_s >= 0


@in_repository
def test_a_scheduled_job_that_breaks_is_captured(sink: Sink, tmp_path: Path) -> None:
    broken = tmp_path / "trials.csv"
    broken.write_text("user,ends\nu_ada,soon\n", encoding="utf-8")
    done = run(broken, sink)

    assert done.returncode == 1
    (event,) = arrived(sink)
    assert done.stderr.endswith(f"ValueError: {event.properties['error.message']}\n")
    assert event.properties["error.handled"] is False
