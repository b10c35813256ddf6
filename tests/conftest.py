"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run, and no time limit: a loaded machine is no failure.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.load_profile("suite")
