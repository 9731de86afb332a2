import clamp_analytics
from contenders.clamp import call, finish

__all__ = ["call", "finish", "setup"]


def setup(endpoint: str) -> None:
    # In the working directory, which each run has to itself.
    clamp_analytics.init(
        "proj_bench", "sk_proj_bench", endpoint, background=True, outbox="outbox"
    )
