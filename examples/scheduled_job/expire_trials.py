"""A job that cron starts each night: ends the trials that are over.

17 3 * * *  CLAMP_PROJECT_ID=... CLAMP_API_KEY=... python expire_trials.py trials.csv
"""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timezone
from pathlib import Path

from clamp_analytics import context, track
from clamp_analytics.integrations import excepthook

# Project and key come from the environment. What ends this program by surprise is
# captured from here on, and what waits is delivered before the program ends.
excepthook.install(
    endpoint=os.environ.get("CLAMP_ENDPOINT", "http://127.0.0.1:8400"),
    default_properties={"job": "expire_trials"},
)


def expired(trials: Path, today: date) -> Iterator[str]:
    """The users whose trial has ended by now."""
    with trials.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if date.fromisoformat(row["ends"]) < today:
                yield row["user"]


def main(trials: Path) -> None:
    """Expire every trial that is over, and say how it went."""
    started_s = time.monotonic()
    count = 0
    for user in expired(trials, datetime.now(timezone.utc).date()):
        with context(user_id=user):
            track("trial_expired")
        count += 1
    duration_s = round(time.monotonic() - started_s, 3)
    track("job_finished", {"trials": count, "duration_s": duration_s})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
