from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own, so that no other test has loaded the integration.
IMPORTING = """
import sys
sys.modules[sys.argv[1]] = None
try:
    __import__("clamp_analytics.integrations." + sys.argv[1])
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize("framework", ["celery", "dramatiq", "rq"])
def test_an_integration_without_its_framework_says_what_to_install(
    framework: str,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, framework],
        capture_output=True,
        check=True,
        text=True,
    )

    hint = f'this integration needs it: pip install "clamp-analytics[{framework}]"\n'
    assert done.stdout.endswith(hint)
