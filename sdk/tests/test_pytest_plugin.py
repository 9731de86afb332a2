from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

from clamp_analytics import track
from clamp_analytics.testing import TrackedEvents


def test_pytest_finds_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_app.py").write_text(
        """
from clamp_analytics import Money, track

def test_good(clamp_events):
    track("purchase", {"total": Money(29.0, "USD")})
    clamp_events.assert_tracked("purchase", total=Money(29, "USD"))

def test_each_test_begins_with_nothing(clamp_events):
    clamp_events.assert_nothing_tracked()

def test_bad(clamp_events):
    track("signup", {"plan": "free"})
    clamp_events.assert_tracked("signup", plan="pro")
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        # Warnings are errors: a plugin must not bring any.
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTEST_ADDOPTS": ""},
        text=True,
    )

    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    assert (
        "AssertionError: no event 'signup' with plan='pro'; tracked were:"
        in done.stdout
    )
    assert "signup plan='free'  <- plan is 'free'" in done.stdout


def test_the_fixture_is_registered(clamp_events: TrackedEvents) -> None:
    distribution = importlib.metadata.distribution("clamp-analytics")
    plugins = [e.value for e in distribution.entry_points if e.group == "pytest11"]
    track("signup")

    assert plugins == ["clamp_analytics._pytest_plugin"]
    assert clamp_events.names() == ["signup"]
