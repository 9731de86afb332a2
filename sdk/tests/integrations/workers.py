"""A framework's own worker, as a process of its own, and the code that feeds it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SDK = Path(__file__).parents[2]
# Nothing here takes nearly as long; what does is killed, and its test fails.
LONGEST_S = 60.0


@dataclass(frozen=True)
class Place:
    """Where a project's programs find Redis and Clamp; a key of None is missing."""

    redis_url: str
    endpoint: str
    api_key: str | None = "sk_proj_test"

    def run(self, code: str) -> None:
        """Run Python code of the project to its end."""
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=SDK,
            env=self.environment,
            check=True,
            timeout=LONGEST_S,
        )

    @contextmanager
    def worker(self, *command: str) -> Iterator[None]:
        """Run a module as the worker, and at the end ask it to finish."""
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=SDK, env=self.environment
        )
        try:
            yield
            assert process.poll() is None, "the worker has ended by itself"
            process.terminate()
            process.wait(LONGEST_S)
        finally:
            process.kill()
            process.wait()

    def empty(self) -> None:
        """Forget what was enqueued."""
        with self._redis() as connection:
            connection.flushall()

    def noted(self) -> object:
        """What a task writes down, once it does."""
        with self._redis() as connection:
            # Whole seconds: an old Redis takes no others.
            popped: Any = connection.blpop(["noted"], timeout=int(LONGEST_S))
        assert popped is not None, "nothing was noted"
        return popped[1]

    def _redis(self) -> Any:
        # Here, because not every Python of the matrix has it.
        import redis

        return redis.Redis.from_url(self.redis_url, socket_timeout=2 * LONGEST_S)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its programs."""
        mine = {
            "REDIS_URL": self.redis_url,
            "CLAMP_PROJECT_ID": "proj_test",
            "CLAMP_ENDPOINT": self.endpoint,
        }
        if self.api_key is not None:
            mine["CLAMP_API_KEY"] = self.api_key
        return {**os.environ, **mine}
