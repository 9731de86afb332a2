"""A process that appends to a store, for tests that end it or fill its disk.

    python -m tests.store.appending_process DIRECTORY FIRST_NUMBER
    python -m tests.store.appending_process DIRECTORY FIRST_NUMBER MAX_FILE_BYTES

Prints the number of each event once it is acknowledged. With a size, no file
may grow beyond it: at the first refusal the limit is lifted, one more event is
appended by the same store, and what was refused is printed with it.
"""

from __future__ import annotations

import json
import resource
import sys
from itertools import count
from pathlib import Path

from tests.make import event

from clamp_server.errors import StoreUnavailableError
from clamp_server.store.on_duckdb import DuckDBStore
from clamp_server.store.sql import Sql

FILLING = "0123456789abcdef" * 2000


def main(directory: str, first: str, max_file_bytes: str = "") -> None:
    store = DuckDBStore(Path(directory) / "events.duckdb")
    if max_file_bytes:
        _tell(json.dumps(_fill(store, int(first), int(max_file_bytes))))
        store.close()
        return
    for number in count(int(first)):
        store.append([event("counted", id=f"id-{number}", session_id=str(number))])
        _tell(str(number))


def _fill(store: DuckDBStore, first: int, max_file_bytes: int) -> dict[str, object]:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_bytes, unlimited[1]))
    acknowledged = 0
    refusal = None
    for number in count(first):
        try:
            store.append([event(FILLING, id=f"id-{number}")])
        except StoreUnavailableError as error:
            refusal = error.message
            break
        acknowledged += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    is_stored = store.append([event("after", id="after")])
    (counts,) = store.rows(
        Sql("SELECT count(*) AS stored, count(DISTINCT id) AS ids FROM events")
    )
    return {
        "acknowledged": acknowledged + sum(is_stored),
        "refusal": refusal,
        **counts,
    }


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
