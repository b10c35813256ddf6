"""Every scenario that ships is simulated, as YAML and as a script, with equal results."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from soc_sim.config.loader import load
from soc_sim.config.scenario import Scenario
from soc_sim.config.shipped import root
from soc_sim.scenario import Outcome
from soc_sim.scenario.scenario import run_description

FILES = sorted((root() / "scenarios").glob("*.yaml"))


def result_of(outcome: Outcome) -> dict[str, Any]:
    """Without what says how it was described, and how long it took."""
    left_out = ("config", "simulation", "warnings")
    return {key: value for key, value in outcome.document.items() if key not in left_out}


SHORTER = {"camera_and_display": ("0.022", "0.005")}
"""Scenario → when its script ends, and an earlier time that is enough here."""


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Outcome, Outcome]:
    path: Path = request.param
    script, settings = path.with_suffix(".py"), []
    if path.stem in SHORTER:
        whole, part = SHORTER[path.stem]
        text = script.read_text(encoding="utf-8")
        assert text.count(f"until_s={whole}") == 1
        assert load(path, Scenario).until_ps == round(float(whole) * 10**12)
        script = tmp_path_factory.mktemp("script") / script.name
        script.write_text(text.replace(f"until_s={whole}", f"until_s={part}"), encoding="utf-8")
        settings = [f"until={part} s"]
    outcome = run_description(load(path, Scenario, settings))
    return path.stem, outcome, runpy.run_path(str(script), run_name="__main__")["outcome"]


def test_a_script_does_what_its_yaml_says(both: tuple[str, Outcome, Outcome]) -> None:
    _, outcome, scripted = both
    assert result_of(outcome) == result_of(scripted)
    assert outcome.simulation["events"] == scripted.simulation["events"]


def test_what_the_scenarios_show(both: tuple[str, Outcome, Outcome]) -> None:
    name, outcome, _ = both
    assert all(stream.completed and not stream.deadline_misses for stream in outcome.streams)
    if name == "two_tenants":
        fifo = run_description(load(root() / "scenarios/two_tenants.yaml", Scenario, ["scheduling.policy=fifo"]))
        assert sum(stream.deadline_misses for stream in fifo.streams) > 0
    elif name == "camera_and_display":
        # 1080p at 60 frames/s and four bytes a pixel; a little more in the active part of a frame.
        display = outcome.initiators["display"]
        assert display["bandwidth_bytes_per_s"] == pytest.approx(1920 * 1080 * 4 * 60, rel=0.1)
    else:
        spotter, vision = outcome.streams
        # Half of the time at half the clock.
        assert spotter.latency_max_s > 1.3 * spotter.latency_p50_s
        assert vision.requests > 2
