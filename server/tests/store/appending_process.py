"""A process that appends to a store until it is ended.

    python -m tests.store.appending_process DIRECTORY FIRST_NUMBER

Prints the number of each event once it is acknowledged.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from tests.make import event

from clamp_server.store.on_duckdb import DuckDBStore


def main(directory: str, first: str) -> None:
    store = DuckDBStore(Path(directory) / "events.duckdb")
    for number in count(int(first)):
        store.append([event("counted", id=f"id-{number}", session_id=str(number))])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
