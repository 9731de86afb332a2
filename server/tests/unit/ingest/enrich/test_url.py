import pytest
from hypothesis import given
from hypothesis import strategies as st

from clamp_server.ingest.enrich.url import Location, location, page
from clamp_server.model.event import Page


def test_a_page_is_taken_apart() -> None:
    url = (
        "https://Shop.Example:8443/cart/?utm_source=news&utm_medium=email"
        "&utm_campaign=spring%20sale&utm_content=top+link&utm_term=%C3%A9t%C3%A9#buy"
    )

    assert page(url) == Page(
        url=url,
        hostname="shop.example",
        pathname="/cart/",
        utm_source="news",
        utm_medium="email",
        utm_campaign="spring sale",
        utm_content="top link",
        utm_term="été",
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/pricing?utm_source=news",
        "shop.example/cart",
        "https://",
        "https:///cart",
        "https://[::1/cart",
        "https://shop.example:port/",
        "https://shop.example:70000/",
        "https://shop example/",
        "https://shop<b>.example/",
        "https://shop%2eexample/",
        "about:blank",
        "javascript:void(0)",
        "file:///home/ann/notes.html",
        "data:text/html,hello",
    ],
)
def test_what_is_no_address_of_a_page_leaves_its_columns_empty(url: str) -> None:
    assert page(url) == Page(url=url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", Location("shop.example", "/", "")),
        ("HTTP://SHOP.EXAMPLE./A", Location("shop.example", "/A", "")),
        ("https://ann:secret@shop.example/a", Location("shop.example", "/a", "")),
        ("http://[2001:DB8::1]:80/a?b", Location("2001:db8::1", "/a", "b")),
        ("http://127.0.0.1:3000/", Location("127.0.0.1", "/", "")),
        ("https://münchen.example/ü", Location("münchen.example", "/ü", "")),
        ("app://main/cart", Location("main", "/cart", "")),
        (" https://shop.example/a;b?c?d", Location("shop.example", "/a;b", "c?d")),
        (
            "android-app://com.google.android.gm/",
            Location("com.google.android.gm", "/", ""),
        ),
    ],
)
def test_a_host_is_read_as_browsers_read_it(url: str, expected: Location) -> None:
    assert location(url) == expected


def test_a_long_url_is_cut_and_what_is_left_is_read() -> None:
    url = "https://shop.example/?utm_source=news&long=" + "x" * 3000

    assert page(url) == Page(
        url=url[:2048], hostname="shop.example", pathname="/", utm_source="news"
    )


def test_of_a_repeated_key_the_first_value_counts() -> None:
    assert page("https://a.example/?utm_source=one&utm_source=two").utm_source == "one"


def test_a_control_character_is_left_out_of_a_campaign() -> None:
    assert page("https://a.example/?utm_source=ne%00w%0As").utm_source == "news"


def test_a_broken_escape_is_replaced_and_not_refused() -> None:
    assert (
        page("https://a.example/?utm_source=%ff%zz").utm_source
        == "\N{REPLACEMENT CHARACTER}%zz"
    )


@given(st.text(max_size=60) | st.text(max_size=60).map("https://{}".format))
def test_no_text_breaks_it(url: str) -> None:
    assert page(url).url == url[:2048]
