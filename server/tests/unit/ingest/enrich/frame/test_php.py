import pytest

from clamp_server.ingest.enrich.frame import php

HEADER = "RuntimeException: no price in /app/src/Cart.php:33"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        # A method is known by its class, with a header and without one.
        (
            [HEADER, "#0 /app/i.php(4): Shop\\Cart->total()", "#1 {main}"],
            "Shop\\Cart->total",
        ),
        (
            ["#0 /app/i.php(4): Shop\\Cart->total('ann', 12)", "#1 {main}"],
            "Shop\\Cart->total",
        ),
        (["#0 /app/i.php(4): Cart::total()"], "Cart::total"),
        # A plain function is known by its file.
        ([HEADER, "#0 /app/i.php(4): total(12)", "#1 {main}"], "Cart.php in total"),
        (["#0 /app/i.php(4): total(12)", "#1 {main}"], "i.php in total"),
        # A function of PHP itself has no line, so that its caller's is thrown at.
        (
            [
                HEADER,
                "#0 /app/src/Cart.php(33): json_decode('{')",
                "#1 /app/i.php(4): Shop\\Cart->load()",
                "#2 {main}",
            ],
            "Shop\\Cart->load",
        ),
        ([HEADER, "#0 /app/src/Cart.php(33): date('x')"], "Cart.php in date"),
        # Closures
        (
            ["#0 [internal function]: Shop\\Cart->Shop\\{closure}(1)"],
            "Shop\\Cart->Shop\\{closure}",
        ),
        (
            [HEADER, "#0 /app/i.php(9): {closure:/app/src/Cart.php:31}(12)"],
            "Cart.php in {closure}",
        ),
        # No function at all
        (
            [
                "PHP Fatal error:  Uncaught Exception: no in /app/i.php:7",
                "#0 {main}",
                "  thrown in /app/i.php on line 7",
            ],
            "i.php in {main}",
        ),
        (["#0 {main}"], "{main}"),
        (["Exception: no in C:\\app\\i.php:7", "#0 {main}"], "i.php in {main}"),
    ],
)
def test_the_top_frame_threw(stack: list[str], expected: str) -> None:
    assert php.frame(stack) == expected


def test_libraries_are_passed_over() -> None:
    stack = [
        "Exception: no in /app/vendor/acme/http/Client.php:9",
        "#0 /app/vendor/acme/http/Api.php(5): Acme\\Client->send()",
        "#1 /app/src/Cart.php(8): Acme\\Api->get()",
        "#2 /app/i.php(4): Shop\\Cart->load()",
        "#3 {main}",
    ]

    assert php.frame(stack) == php.frame(stack[1:]) == "Shop\\Cart->load"


def test_libraries_alone_are_better_than_none() -> None:
    stack = ["#0 /app/vendor/acme/Api.php(5): Acme\\Client->send()"]

    assert php.frame(stack) == "Acme\\Client->send"


def test_of_chained_exceptions_the_last_was_thrown() -> None:
    stack = [
        HEADER,
        "Stack trace:",
        "#0 /app/i.php(4): Shop\\Cart->price()",
        "#1 {main}",
        "",
        "Next DomainException: failed in /app/src/Shop.php:8",
        "Stack trace:",
        "#0 /app/i.php(5): Shop\\Shop->order()",
        "#1 {main}",
    ]

    assert php.frame(stack) == "Shop\\Shop->order"


@pytest.mark.parametrize("line", ["", HEADER, "#0", "#1 not a frame"])
def test_what_is_no_frame_is_none(line: str) -> None:
    assert php.frame([line]) == ""
