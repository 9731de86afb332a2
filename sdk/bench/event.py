"""The event that every contender sends, so that all have the same work."""

NAME = "signup"
VISITOR = "aid_5f3c1d7a9b2e4860"
PROPERTIES: dict[str, str | int | float | bool] = {
    "plan": "pro",
    "method": "email",
    "seats": 3,
    "price": 29.5,
    "trial": True,
}
# Every queue is as long as the longest run, so that none drops an event in a burst:
# by default posthog's, segment's and honeybadger's hold 10,000, and sentry's 100.
QUEUE_EVENTS = 100_000
