from clamp_server.ingest.enrich.frame import go

RUNNING = "goroutine 1 [running]:"


def call(function: str, file: str = "/home/ann/shop/cart.go") -> list[str]:
    return [function, f"\t{file}:12 +0x1d"]


def test_the_function_on_top_panicked() -> None:
    stack = [
        "panic: runtime error: index out of range [5] with length 3",
        "",
        RUNNING,
        *call("main.(*Cart).Total(0xc000012345, {0x1?, 0x2})"),
        *call("main.main()", "/home/ann/shop/main.go"),
        "exit status 2",
    ]

    assert go.frame(stack) == "cart.go in main.(*Cart).Total"


def test_what_ran_because_of_the_panic_is_passed_over() -> None:
    stack = [
        RUNNING,
        *call("runtime/debug.Stack()", "/usr/local/go/src/runtime/debug/stack.go"),
        *call("main.report.func1()"),
        *call("panic({0x493700, 0xc00001a090})", "/usr/local/go/src/runtime/panic.go"),
        *call("runtime.goPanicIndex(0x5, 0x3)", "/usr/local/go/src/runtime/panic.go"),
        *call("main.total(...)"),
    ]

    assert go.frame(stack) == "cart.go in main.total"


def test_libraries_are_passed_over() -> None:
    stack = [
        RUNNING,
        *call("strings.Repeat(0x1)", "/usr/lib/go-1.19/src/strings/strings.go"),
        *call("example.com/x.Do()", "/home/ann/go/pkg/mod/example.com/x@v1/x.go"),
        *call("net/http.serve()", "/opt/homebrew/go/libexec/src/net/http/server.go"),
        *call("main.total()"),
    ]

    assert go.frame(stack) == "cart.go in main.total"


def test_only_the_first_goroutine_counts() -> None:
    waiting = ["", "goroutine 7 [select, 2 minutes]:", *call("main.wait()")]

    assert (
        go.frame([RUNNING, *call("main.total()"), *waiting]) == "cart.go in main.total"
    )


def test_who_started_a_goroutine_is_no_frame_of_it() -> None:
    started = ["created by main.main in goroutine 1", "\t/home/ann/shop/main.go:9 +0x1"]

    assert go.frame([RUNNING, *started]) == ""


def test_a_closure_has_no_number() -> None:
    assert (
        go.frame([RUNNING, *call("main.main.func2.1()")]) == "cart.go in main.main.func"
    )


def test_libraries_alone_are_better_than_none() -> None:
    stack = [RUNNING, *call("strings.Repeat(0x1)", "/usr/local/go/src/strings/s.go")]

    assert go.frame(stack) == "s.go in strings.Repeat"


def test_what_is_no_go_has_no_frame() -> None:
    assert go.frame(["Error: no", "    at f (/app/a.js:1:2)"]) == ""
