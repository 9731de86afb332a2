from clamp_server.api.cors import cors_headers, preflight_headers

ORIGIN = {b"origin": b"https://shop.example"}
OPEN = (
    (b"access-control-allow-origin", b"https://shop.example"),
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-expose-headers", b"retry-after"),
    (b"vary", b"origin"),
)


def test_the_page_that_asked_may_read_the_answer() -> None:
    assert cors_headers(ORIGIN) == OPEN


def test_what_is_no_page_needs_no_leave() -> None:
    assert cors_headers({}) == ((b"vary", b"origin"),)


def test_a_preflight_allows_what_a_browser_sends() -> None:
    assert preflight_headers(ORIGIN) == (
        *OPEN,
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", b"86400"),
        (b"content-length", b"0"),
    )
