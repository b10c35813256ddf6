"""Power of a scenario: reported as asked, with the frequency that an event has set and idle states in between."""

from __future__ import annotations

import pytest

from soc_sim.config.loader import load
from soc_sim.config.scenario import Scenario
from soc_sim.scenario.scenario import run_description

POINTS = "points: [{clock: 100 MHz, voltage: 0.9 V}, {clock: 200 MHz, voltage: 1.1 V}]"
IDLE = "idle_states: [{name: power_gated, after: 10 us, wake_up: 5 us, leakage_share: 0.1, retains: false}]"


def test_power_sums_to_the_energy_and_idle_states_fill_the_gaps() -> None:
    description = load(
        {
            "kind": "scenario",
            "soc": "mcu_8x8_psram",
            "until": "12 ms",
            "streams": [{"name": "camera", "network": "ds_cnn", "period": "4 ms"}],
            "frequency_changes": [{"at": "6 ms", "domain": "array", "clock": "100 MHz"}],
            "power": {"window": "50 us", "samples": 24},
        },
        Scenario,
        [f"soc.domains=[{{name: array, {POINTS}, {IDLE}}}]"],
    )
    outcome = run_description(description).document
    power, array = outcome["power"], outcome["domains"]["array"]
    assert (power["window_s"], len(power["samples"]["time_s"])) == (50e-6, 25)
    total = sum(sum(watts) for watts in power["samples"]["components_w"].values()) * outcome["elapsed_s"] / 24
    assert total == pytest.approx(outcome["energy_j"], rel=1e-9)
    assert array["transitions"] == 1
    busy_s = outcome["cores"][0]["array_time_s"]["busy"]
    assert 0 < array["idle_state_s"]["power_gated"] < outcome["elapsed_s"] - busy_s
