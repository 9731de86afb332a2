"""Sends events one after the other and prints how many a second.

Usage: contender.py sdk|httpx ENDPOINT SECONDS
"""

import sys
import time
from collections.abc import Callable

PROPERTIES = {"plan": "pro", "method": "email", "seats": 3}
WARM_UP_CALLS = 5


def sdk(endpoint: str) -> Callable[[], object]:
    """Whichever clamp-analytics this environment has."""
    from clamp_analytics import init, track

    init("proj_bench", "sk_proj_bench", endpoint)
    return lambda: track("signup", properties=PROPERTIES)


def kept_httpx(endpoint: str) -> Callable[[], object]:
    """No SDK: the library underneath, with a client that is kept."""
    import httpx

    client = httpx.Client(headers={"x-clamp-key": "sk_proj_bench"})
    body = {"p": "proj_bench", "name": "signup", "properties": PROPERTIES}
    return lambda: client.post(f"{endpoint}/e/s", json=body)


def main() -> None:
    kind, endpoint, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    call = {"sdk": sdk, "httpx": kept_httpx}[kind](endpoint)
    for _ in range(WARM_UP_CALLS):
        call()
    calls = 0
    start = time.perf_counter()
    while (elapsed_s := time.perf_counter() - start) < seconds:
        call()
        calls += 1
    print(calls / elapsed_s)


if __name__ == "__main__":
    main()
