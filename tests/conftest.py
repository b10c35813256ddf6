"""Settings of the whole suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# Tests run side by side, one a core: threads of linear algebra would only wait for each other.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# The same examples in every run, and no time limit: a loaded machine is no failure.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests drove a browser: where there is none they are skipped, which is not passed."""
    reports = [
        report
        for kind in ("passed", "failed", "skipped", "error")
        for report in terminalreporter.stats.get(kind, ())
        if "browser" in getattr(report, "keywords", ())
    ]
    if reports:
        skipped = sum(report.skipped for report in reports)
        terminalreporter.write_line(f"browser tests: {len(reports) - skipped} ran, {skipped} skipped")
