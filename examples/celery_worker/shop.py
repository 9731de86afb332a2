"""The web's side: what a request of a visitor enqueues."""

from __future__ import annotations

from tasks import charge, send_receipt

from clamp_analytics import context
from clamp_analytics.integrations.celery import track


def checkout(visitor: str, user: str, order: int, euros: float) -> None:
    """Handle a request; a web integration of Clamp opens this context for you."""
    with context(anonymous_id=visitor, user_id=user):
        track.delay("checkout", {"order": order})
        charge.delay(order, euros)
        send_receipt.delay(order)


if __name__ == "__main__":
    checkout("aid_ada", "u_ada", order=1, euros=29.0)
    checkout("aid_bob", "u_bob", order=2, euros=5000.0)
