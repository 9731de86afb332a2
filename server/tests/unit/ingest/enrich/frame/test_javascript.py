import pytest

from clamp_server.ingest.enrich.frame import javascript


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # V8
        ("    at charge (https://shop.example/js/pay.js:10:5)", "pay.js in charge"),
        ("    at https://shop.example/js/pay.js:10:5", "pay.js"),
        ("    at async charge (/app/src/pay.ts:10:5)", "pay.ts in charge"),
        ("    at async /app/src/pay.mjs:10:5", "pay.mjs"),
        ("    at new Cart (file:///app/cart.js:1:2)", "cart.js in Cart"),
        ("    at Cart.total [as sum] (/app/cart.js:1:2)", "cart.js in total"),
        ("    at get Cart.total (/app/cart.js:1:2)", "cart.js in total"),
        ("    at Object.<anonymous> (/app/cart.js:1:2)", "cart.js"),
        ("    at Cart.<computed> [as x] (/app/cart.js:1:2)", "cart.js"),
        ("    at f (webpack:///./src/pay.js?a1b2:1:2)", "pay.js in f"),
        ("    at f (/srv/copy (2)/pay.js:1:2)", "pay.js in f"),
        (
            "    at f (address at index.android.bundle:1:90)",
            "index.android.bundle in f",
        ),
        # Firefox and Safari
        ("charge@https://shop.example/js/pay.js:10:5", "pay.js in charge"),
        ("async*charge@https://shop.example/js/pay.js:10:5", "pay.js in charge"),
        ("total/rates</<@https://shop.example/cart.js:1:2", "cart.js in rates"),
        ("@https://shop.example/js/pay.js:10:5", "pay.js"),
        ("global code@https://shop.example/js/pay.js:10:5", "pay.js"),
        ("https://shop.example/js/pay.js:10:5", "pay.js"),
        ("f@https://shop.example/pay.js line 3 > eval:1:2", "pay.js in f"),
        ("f@https://cdn.example/npm/a@1.2.3/pay.js:1:2", "pay.js in f"),
    ],
)
def test_every_engines_line_is_read(line: str, expected: str) -> None:
    assert javascript.frame(["Error: no", line]) == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/js/app.3f9a2c1b.js:1:90", "app.js in charge"),
        ("/js/app.3f9a2c1b.js?v=2#x:1:90", "app.js in charge"),
        ("/js/app-DiwrgTda.js:1:90", "app.js in charge"),
        ("/js/app-D_3x-aBc.js:1:90", "app.js in charge"),
        ("/js/app-QWERTYUI.js:1:90", "app.js in charge"),
        ("/js/app.3f9a2c1b4d5e6f708192.chunk.js:1:90", "app.chunk.js in charge"),
        ("/js/3f9a2c1b.js:1:90", ".js in charge"),
        ("/js/117.js:1:90", ".js in charge"),
        ("/js/app-1.2.3.min.js:1:90", "app.min.js in charge"),
        ("/js/es2015.js:1:90", "es2015.js in charge"),
        ("/js/the-checkout.js:1:90", "the-checkout.js in charge"),
        ("/orders/4711:1:90", "charge"),
        ("/:1:90", "charge"),
        ("/orders/4711.html?a.b:1:90", ".html in charge"),
    ],
)
def test_a_file_has_one_name_in_every_build(location: str, expected: str) -> None:
    line = f"    at charge (https://shop.example{location})"

    assert javascript.frame([line]) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("    at t (https://a.example/app.3f9a2c1b.js:2:90)", "app.js"),
        ("    at n.ab (https://a.example/app.js:2:48211)", "app.js"),
        ("    at t (https://a.example/app.min.js:2:90)", "app.min.js"),
        ("    at pay (https://a.example/app.js:2:48211)", "app.js in pay"),
        ("    at t (https://a.example/app.js:2:90)", "app.js in t"),
    ],
)
def test_a_minifiers_short_name_does_not_count(line: str, expected: str) -> None:
    assert javascript.frame([line]) == expected


@pytest.mark.parametrize(
    "above",
    [
        "    at JSON.parse (<anonymous>)",
        "    at Array.map (<anonymous>)",
        "    at <anonymous>",
        "    at openSync (node:fs:573:18)",
        "    at internal/modules/loader.js:1:1",
        "    at eval (eval at f (/app/a.js:1:1), <anonymous>:1:1)",
        "    at async Promise.all (index 0)",
        "map@[native code]",
        "[native code]",
        "Error: see https://shop.example:80 and ask ann@shop.example:5",
    ],
)
def test_the_engines_own_frames_are_passed_over(above: str) -> None:
    stack = [above, "    at charge (/app/pay.js:1:2)"]

    assert javascript.frame(stack) == "pay.js in charge"


def test_the_top_frame_raised_whatever_called_it() -> None:
    top = "    at settle (/app/node_modules/axios/lib/settle.js:19:12)"
    callers = ["    at a (/app/a.js:1:2)", "    at b (/app/b.js:1:2)"]

    frames = {javascript.frame([top, caller]) for caller in callers}

    assert frames == {"settle.js in settle"}


def test_frames_of_the_engine_alone_are_better_than_none() -> None:
    assert javascript.frame(["    at JSON.parse (<anonymous>)"]) == "parse"


@pytest.mark.parametrize(
    "line",
    ["", "Error: no", "at noon", "a@b", "ann@shop.example", "see it at 10:20:30"],
)
def test_what_is_no_frame_is_none(line: str) -> None:
    assert javascript.frame([line]) == ""
