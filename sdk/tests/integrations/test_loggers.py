from __future__ import annotations

import doctest

from clamp_analytics.integrations import _loggers


def test_the_example_of_the_documentation_holds() -> None:
    assert doctest.testmod(_loggers) == (0, 1)


def test_an_integration_can_add_the_loggers_of_its_framework() -> None:
    _loggers.leave_out("shop.worker")

    names = ("shop", "shop.worker", "shop.worker.first", "shop.workers")
    assert [_loggers.is_left_out(name) for name in names] == [False, True, True, False]
