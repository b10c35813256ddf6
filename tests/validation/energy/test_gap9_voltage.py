"""What a lower operating point saves, against a chip that was measured at two.

GreenWaves GAP9, MLPerf Tiny v1.0 (mlcommons/tiny_results_v1.0, closed/greenwaves-technologies: medians of
energy/results.txt, and the systems' descriptions): 240 MHz at 0.65 V, and 370 MHz at 0.8 V, all domains alike.

With E = a·V² + b·V·t the energy of an inference grows by (0.8 / 0.65)² = 1.515 if nothing leaks, and by less if
something does, because the run is shorter. Measured, it grows by 1.389 to 1.456; here by 1.447 to 1.499, in the same
order. The SoC is no GAP9, but what counts is the ratio.
"""

from __future__ import annotations

import pytest

import soc_sim
from soc_sim import Result

MEASURED_UJ = {
    # network: (at 240 MHz and 0.65 V, at 370 MHz and 0.8 V)
    "resnet8": (27.711, 40.356),
    "ds_cnn": (18.561, 26.659),
    "mobilenet_v1_025": (40.801, 58.356),
    "autoencoder": (5.252, 7.294),
}
MEASURED_INFERENCES_PER_S = {"resnet8": (1043.769, 1607.976), "ds_cnn": (1368.176, 2107.926)}
SOC = {
    "kind": "soc",
    "name": "two_points",
    "array": {"rows": 8, "cols": 16, "clock": "370 MHz"},
    "buffers": {name: {"capacity": "40 KiB"} for name in ("weights", "inputs", "outputs")},
    "dma": {"clock": "370 MHz"},
    "controller": {"clock": "370 MHz"},
    "interconnect": {"kind": "crossbar", "clock": "370 MHz", "width": "8 B"},
    "dram": {"kind": "ideal_memory"},
    "host": {"kind": "cpu", "clock": "370 MHz", "lanes": 8},
    "energy": "22nm",
    "domains": [
        {
            "name": "all",
            "clocks": ["array", "dma", "controller", "interconnect", "host"],
            "points": [{"clock": "240 MHz", "voltage": "0.65 V"}, {"clock": "370 MHz", "voltage": "0.8 V"}],
        }
    ],
}
CLOCKED = ("array", "dma", "controller", "interconnect", "host")


def at(network: str, clock: str) -> Result:
    soc = soc_sim.load_soc(SOC, [f"{part}.clock={clock}" for part in CLOCKED])
    return soc_sim.simulate(soc, soc_sim.load_network(network), "dOS")


@pytest.mark.parametrize("network", MEASURED_UJ)
def test_the_energy_of_an_inference_grows_as_measured(network: str) -> None:
    low_uj, high_uj = MEASURED_UJ[network]
    low, high = at(network, "240 MHz"), at(network, "370 MHz")
    assert low.energy_j is not None
    assert high.energy_j is not None
    ratio = high.energy_j / low.energy_j
    assert ratio < (0.8 / 0.65) ** 2
    assert ratio == pytest.approx(high_uj / low_uj, rel=0.05)  # measured: 2.9 to 4.2 % too much
    assert low.latency_s / high.latency_s == pytest.approx(370 / 240, rel=1e-3)


@pytest.mark.parametrize("network", MEASURED_INFERENCES_PER_S)
def test_the_chip_itself_is_as_fast_as_its_clock(network: str) -> None:
    """Why the latency above may scale with the clock: so does the measured one."""
    low, high = MEASURED_INFERENCES_PER_S[network]
    assert high / low == pytest.approx(370 / 240, rel=2e-3)
