import doctest
import importlib
import pkgutil

import pytest

from clamp_server.ingest import enrich

MODULES = [
    module.name
    for module in pkgutil.walk_packages(enrich.__path__, f"{enrich.__name__}.")
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_the_docstrings_hold(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0
