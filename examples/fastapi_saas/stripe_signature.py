"""Whether a webhook's request comes from Stripe.

The scheme is in Stripe's documentation, "Verify webhook signatures manually": the
header holds a time and one or more HMACs of that time and the body.
"""

from __future__ import annotations

import hashlib
import hmac

# What Stripe's own libraries allow between the signing and the arrival.
TOLERANCE_S = 300


def is_signed(body: bytes, header: str, secret: str, now_s: float) -> bool:
    """Whether `header` signs `body` with `secret`, not long ago.

    Args:
        body: As it came, before anything parsed it.
        header: `Stripe-Signature`, such as `t=1700000000,v1=5257a8...`.
        secret: The endpoint's signing secret, `whsec_...`.
        now_s: Seconds since 1970.
    """
    pairs = [pair.partition("=")[::2] for pair in header.split(",")]
    times = [value for name, value in pairs if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()):
        return False
    signed = times[0].encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
    # Several while a secret is being replaced. As bytes: text that is not ASCII
    # cannot be compared in constant time.
    is_ours = any(
        hmac.compare_digest(value.encode(), expected)
        for name, value in pairs
        if name == "v1"
    )
    return is_ours and abs(now_s - int(times[0])) <= TOLERANCE_S
