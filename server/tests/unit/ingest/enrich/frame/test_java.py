import pytest

from clamp_server.ingest.enrich.frame import java


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("\tat shop.Cart.total(Cart.java:12)", "shop.Cart.total"),
        ("\tat app//shop.Cart.total(Cart.java:12)", "shop.Cart.total"),
        ("\tat app/shop@1.2/shop.Cart.total(Cart.java:12)", "shop.Cart.total"),
        ("\tat shop.Cart.<init>(Cart.kt:12)", "shop.Cart.<init>"),
        ("\tat shop.Cart.lambda$total$3(Cart.java:12)", "shop.Cart.lambda$total$"),
        ("\tat shop.Cart$2.run(Unknown Source)", "shop.Cart$.run"),
        ("\tat Cart$$Lambda$14/0x00080.get(Unknown Source)", "Cart$$Lambda.get"),
        ("\tat Cart$$Lambda/0x00080.get(Unknown Source)", "Cart$$Lambda.get"),
        (
            "\tat shop.Cart$$SpringCGLIB$$0.sum(<generated>)",
            "shop.Cart$$SpringCGLIB$$.sum",
        ),
        ("\tat shop.$Proxy12.total(Unknown Source)", "shop.$Proxy.total"),
        ("   at Shop.Cart.Total(Int32 day) in /src/Cart.cs:line 31", "Shop.Cart.Total"),
    ],
)
def test_a_method_has_one_name_in_every_run(line: str, expected: str) -> None:
    assert java.frame([line]) == expected


@pytest.mark.parametrize(
    "above",
    [
        "\tat java.base/java.util.ArrayList.get(ArrayList.java:427)",
        "\tat jdk.internal.util.Preconditions.check(Preconditions.java:70)",
        "\tat javax.servlet.HttpServlet.service(HttpServlet.java:1)",
        "\tat com.sun.proxy.Thing.run(Unknown Source)",
        "\tat kotlin.collections.CollectionsKt.first(Collections.kt:1)",
        "\tat android.os.Handler.dispatchMessage(Handler.java:102)",
        "   at System.Linq.Enumerable.First[TSource](IEnumerable`1 source)",
        "java.lang.IllegalStateException: no",
    ],
)
def test_frames_of_the_platform_are_passed_over(above: str) -> None:
    assert java.frame([above, "\tat shop.Cart.total(Cart.java:1)"]) == "shop.Cart.total"


def test_the_last_cause_is_where_it_began() -> None:
    stack = [
        "org.web.WrapperException: failed",
        "\tat org.web.Servlet.run(Servlet.java:1)",
        "Caused by: shop.MiddleException: failed",
        "\tat shop.Orders.place(Orders.java:1)",
        "\tSuppressed: shop.CloseException",
        "\t\tat shop.File.close(File.java:1)",
        "Caused by: java.lang.IllegalStateException: no",
        "\tat shop.Cart.total(Cart.java:1)",
        "\t... 61 more",
    ]

    assert java.frame(stack) == "shop.Cart.total"


def test_a_cause_whose_frames_were_cut_does_not_count() -> None:
    stack = ["\tat shop.Orders.place(Orders.java:1)", "Caused by: java.lang.Error: no"]

    assert java.frame(stack) == "shop.Orders.place"


def test_frames_of_the_platform_alone_are_better_than_none() -> None:
    assert (
        java.frame(["\tat java.lang.Thread.run(Thread.java:1)"])
        == "java.lang.Thread.run"
    )


@pytest.mark.parametrize(
    "line", ["", "\t... 9 more", "at noon", "    at charge (/app/pay.js:1:2)"]
)
def test_what_is_no_frame_is_none(line: str) -> None:
    assert java.frame([line]) == ""
