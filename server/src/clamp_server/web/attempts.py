"""How often a password may be tried."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from clamp_server.clock import Clock


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries at once, and one more each time `interval` has passed."""

    burst: int
    interval: timedelta


# Ten typing errors in a row are human, and 2,880 guesses a day are hopeless
# against ten characters. Somebody who keeps trying can keep the owner out too:
# `clamp user link` is the owner's way past that.
PER_ACCOUNT = Limit(10, timedelta(seconds=30))
# One hash takes 35 ms: an attack on all accounts at once costs 4 % of a core.
OVERALL = Limit(30, timedelta(seconds=1))
# To push an account out of this memory, somebody has to try as many others,
# which takes 16 minutes under `OVERALL`; by then it was allowed its burst again.
MAX_ACCOUNTS = 1_000


class Attempts:
    """The tries of late, in memory: for each account, and of all together.

    Of each there is only the instant from which on the full burst is free again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._free_at: OrderedDict[str, datetime] = OrderedDict()
        self._all_free_at = clock()

    def __len__(self) -> int:
        """How many accounts are remembered."""
        return len(self._free_at)

    def wait_s(self, account: str) -> int:
        """Take one try and return 0, or else the seconds until there is one.

        A try that is refused does not count, neither here nor in the sum: so an
        attack on one account leaves the others their way in.
        """
        now = self._clock()
        free_at = self._free_at.get(account, now)
        wait_s = max(
            _wait_s(free_at, now, PER_ACCOUNT), _wait_s(self._all_free_at, now, OVERALL)
        )
        if wait_s == 0:
            self._free_at[account] = max(free_at, now) + PER_ACCOUNT.interval
            self._all_free_at = max(self._all_free_at, now) + OVERALL.interval
            self._free_at.move_to_end(account)
            while len(self._free_at) > MAX_ACCOUNTS:
                self._free_at.popitem(last=False)
        return wait_s

    def forget(self, account: str) -> None:
        """Give an account its full burst again, since its password was right."""
        self._free_at.pop(account, None)


def _wait_s(free_at: datetime, now: datetime, limit: Limit) -> int:
    over = free_at - now - (limit.burst - 1) * limit.interval
    return max(0, math.ceil(over.total_seconds()))
