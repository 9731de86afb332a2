import pytest

from clamp_server.ingest.enrich.frame import python

HEADER = "Traceback (most recent call last):"


def lines(*paths_and_functions: str) -> list[str]:
    """A traceback of `path:function`s, each frame with a line of its source."""
    frames = [text.rpartition(":") for text in paths_and_functions]
    return [
        HEADER,
        *(
            line
            for path, _, function in frames
            for line in (
                f'  File "{path}", line 7, in {function}',
                "    go()",
                "    ^^",
            )
        ),
        "ValueError: no",
    ]


@pytest.mark.parametrize(
    "library",
    [
        "/usr/lib/python3.11/json/decoder.py:decode",
        "/usr/lib64/python3.9/os.py:walk",
        "/usr/lib/python3/dist-packages/yaml/reader.py:read",
        "/usr/lib/python311.zip/os.py:walk",
        "/opt/lib/pypy3.10/os.py:walk",
        "/app/.venv/lib/python3.12/site-packages/yaml/reader.py:read",
        r"C:\Python313\Lib\os.py:walk",
        r"C:\app\venv\Lib\site-packages\yaml\reader.py:read",
        "<frozen importlib._bootstrap>:_load",
        "<string>:__init__",
    ],
)
def test_what_is_installed_is_passed_over(library: str) -> None:
    assert python.frame(lines("/app/pay.py:charge", library)) == "pay.py in charge"


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (["/app/main.py:<module>", "/app/pay.py:charge"], "pay.py in charge"),
        (["/app/pay.py:charge", "/app/lib/tax.py:rate"], "tax.py in rate"),
        (["/app/pay.py:charge", "<stdin>:<module>"], "<stdin> in <module>"),
        (["/app/pay.py:total", "/app/pay.py:<listcomp>"], "pay.py in total"),
        (["/app/pay.py:<listcomp>"], "pay.py in <listcomp>"),
        (["/app/pay.py:total", "/app/pay.py:<genexpr>"], "pay.py in <genexpr>"),
        (["/lib/python3.11/a.py:f", "/v/site-packages/b.py:g"], "b.py in g"),
    ],
)
def test_the_last_application_frame_raised(frames: list[str], expected: str) -> None:
    assert python.frame(lines(*frames)) == expected


@pytest.mark.parametrize(
    "between",
    [
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
    ],
)
def test_of_chained_tracebacks_the_last_was_raised(between: str) -> None:
    cause, raised = lines("/app/pay.py:charge"), lines("/app/main.py:<module>")

    assert python.frame([*cause, "", between, "", *raised]) == "main.py in <module>"


def test_a_group_is_raised_where_its_own_frames_say() -> None:
    group = [f"  | {line}" for line in lines("/app/pay.py:charge")]
    group[0] = f"  + Exception Group {HEADER}"
    member = [f"    | {line}" for line in lines("/app/tax.py:rate")]
    rule = "+---------------- 1 ----------------"

    stack = [*group, f"  +-{rule}", *member, "    +" + "-" * 36]

    assert python.frame(stack) == "pay.py in charge"


def test_a_message_that_quotes_the_start_of_a_traceback_is_no_traceback() -> None:
    stack = [*lines("/app/pay.py:charge"), "remote said:", HEADER]

    assert python.frame(stack) == "pay.py in charge"


def test_a_line_that_says_what_was_cut_changes_nothing() -> None:
    whole = lines("/app/main.py:<module>", "/app/deep.py:f", "/app/pay.py:charge")
    cut = [
        *whole[:3],
        'es/x.py", line 5, in f',
        "... 900 characters cut ...",
        *whole[7:],
    ]

    assert python.frame(cut) == python.frame(whole) == "pay.py in charge"


@pytest.mark.parametrize(
    "stack",
    [
        [],
        [HEADER],
        [HEADER, "ValueError: no"],
        ['  File "/app/pay.py", line 7', "    a b", "SyntaxError: invalid syntax"],
        ["    at charge (/app/pay.js:1:2)"],
    ],
)
def test_what_has_no_frame_of_python_has_none(stack: list[str]) -> None:
    assert python.frame(stack) == ""
