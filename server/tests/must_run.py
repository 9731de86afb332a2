"""Turns a skipped test into a failed one where `CLAMP_TESTS_MUST_RUN` is set.

On a machine that lacks a browser, say, a test is skipped and says why. Where
everything was installed on purpose, a skip would hide that it was not.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

MUST_RUN = "CLAMP_TESTS_MUST_RUN"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    report = yield
    if report.skipped:
        _refuse(report)
    return report


def _refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get(MUST_RUN):
        report.outcome = "failed"
        report.longrepr = f"skipped, and {MUST_RUN} is set: {report.longrepr}"
