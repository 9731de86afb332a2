import pytest

from clamp_server.ingest.enrich.referrer import referrer_host


@pytest.mark.parametrize(
    ("referrer", "own_host", "expected"),
    [
        ("https://www.Google.com/search?q=a", "shop.example", "www.google.com"),
        ("https://news.example/", "", "news.example"),
        ("android-app://com.google.android.gm", "a.example", "com.google.android.gm"),
        ("https://shop.example/cart", "shop.example", ""),
        ("https://www.shop.example/cart", "shop.example", ""),
        ("https://shop.example/cart", "www.shop.example", ""),
        ("https://SHOP.example:8443/cart", "shop.example", ""),
        ("https://blog.shop.example/", "shop.example", "blog.shop.example"),
        ("https://wwwshop.example/", "shop.example", "wwwshop.example"),
        ("google.com", "shop.example", ""),
        ("", "shop.example", ""),
        ("", "", ""),
    ],
)
def test_a_referrer_is_named_by_its_host(
    referrer: str, own_host: str, expected: str
) -> None:
    assert referrer_host(referrer, own_host) == expected
