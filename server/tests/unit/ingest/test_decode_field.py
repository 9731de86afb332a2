import pytest

from clamp_server.errors import InvalidRequestError
from clamp_server.ingest.decode_field import decode_idempotency_key

LENGTH = "text of 1 to 64 characters is allowed"
CONTROL = "got a control character; text without control characters is allowed"


@pytest.mark.parametrize("sent", ["k", "k" * 64, "order 1: paid"])
def test_an_idempotency_key_is_kept_as_it_is(sent: str) -> None:
    assert decode_idempotency_key(sent) == sent


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        # Unlike an empty field: who sends this header wants its promise.
        ("", "missing_field", f"got nothing; {LENGTH}"),
        ("k" * 65, "over_limit", f"got 65 characters; {LENGTH}"),
        ("k\x85", "invalid_value", CONTROL),
    ],
)
def test_a_bad_idempotency_key_is_named(sent: str, code: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        decode_idempotency_key(sent)

    assert (refused.value.code, refused.value.message) == (
        code,
        f"idempotency-key: {message}",
    )
