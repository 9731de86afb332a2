import pytest

from clamp_server.ingest.enrich.frame import ruby


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/app/cart.rb:12:in `total': no price (KeyError)", "cart.rb in total"),
        ("\tfrom /app/cart.rb:12:in `total'", "cart.rb in total"),
        ("/app/cart.rb:12:in 'Cart#total'", "cart.rb in total"),
        ("/app/cart.rb:12:in 'Cart.total'", "cart.rb in total"),
        ("/app/cart.rb:12:in `block (2 levels) in total'", "cart.rb in total"),
        ("/app/cart.rb:12:in `rescue in block in total'", "cart.rb in total"),
        ("/app/cart.rb:12:in `<main>'", "cart.rb in <main>"),
        (r"C:/app/cart.rb:12:in `total'", "cart.rb in total"),
        (
            "/app/show.html.erb:3:in `_app_show_html_erb___4051_7260'",
            "show.html.erb in _app_show_html_erb",
        ),
    ],
)
def test_a_method_has_one_name_in_every_ruby(line: str, expected: str) -> None:
    assert ruby.frame([line]) == expected


@pytest.mark.parametrize(
    "above",
    [
        "/usr/local/bundle/gems/activerecord-7.1/lib/core.rb:253:in `find'",
        "/usr/lib/ruby/3.1.0/json/common.rb:216:in `parse'",
        "<internal:kernel>:187:in `loop'",
        "(eval):1:in `x'",
        "/app/cart.rb:12:in `fetch'",
        "KeyError: no price",
    ],
)
def test_rubys_own_and_libraries_are_passed_over(above: str) -> None:
    stack = [above, "/app/cart.rb:12:in `total'", "/app/main.rb:12:in `<main>'"]

    assert ruby.frame(stack) == "cart.rb in total"


def test_a_reversed_backtrace_is_read_from_its_end() -> None:
    stack = [
        "Traceback (most recent call last):",
        "\t2: from /app/main.rb:3:in `<main>'",
        "\t1: from /app/main.rb:2:in `run'",
        "/app/cart.rb:12:in `total': no price (KeyError)",
    ]

    assert ruby.frame(stack) == "cart.rb in total"


def test_libraries_alone_are_better_than_none() -> None:
    assert (
        ruby.frame(["/usr/lib/ruby/3.1.0/json.rb:2:in `parse'"]) == "json.rb in parse"
    )


@pytest.mark.parametrize("line", ["", "no price (KeyError)", "10:20:30:in time"])
def test_what_is_no_frame_is_none(line: str) -> None:
    assert ruby.frame([line]) == ""
