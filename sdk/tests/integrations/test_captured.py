from __future__ import annotations

from tests.sink import Sink

from clamp_analytics import Clamp
from clamp_analytics.integrations._captured import capture, is_new


class StubbornError(Exception):
    def __setattr__(self, name: str, value: object) -> None:
        raise RuntimeError("no attributes here")


def test_the_first_to_see_an_exception_captures_it(sink: Sink, clamp: Clamp) -> None:
    error = ValueError("sold out")
    capture(error, {"task": "ship"}, clamp, handled=False)
    capture(error, {"task": "log"}, clamp, handled=True)

    (body,) = sink.bodies
    assert body["properties"] == {
        "error.message": "sold out",
        "error.type": "ValueError",
        "error.stack": "ValueError: sold out\n",
        "error.handled": False,
        "task": "ship",
    }


def test_another_exception_of_the_same_kind_is_new() -> None:
    assert [is_new(ValueError("a")), is_new(ValueError("a"))] == [True, True]


def test_one_that_takes_no_mark_is_new_each_time() -> None:
    error = StubbornError()

    assert [is_new(error), is_new(error)] == [True, True]


def test_a_server_that_refuses_is_no_trouble_of_the_application(
    sink: Sink, clamp: Clamp
) -> None:
    sink.answer = (500, b"down", {})
    capture(ValueError("sold out"), {}, clamp, handled=False)

    assert len(sink.requests) == 1
