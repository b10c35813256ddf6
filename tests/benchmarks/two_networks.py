"""Prints how long two large networks side by side, and seconds of a camera's frames, take to simulate (CPU time).

Run from the root of a checkout: ``python tests/benchmarks/two_networks.py``.
"""

from __future__ import annotations

import time

import soc_sim
from soc_sim.scenario import Outcome, Scenario


def timed(name: str, scenario: Scenario, until_s: float) -> None:
    """Print one line; compilation is included."""
    began_s = time.process_time()
    outcome: Outcome = scenario.run(until_s)
    spent_s = time.process_time() - began_s
    done = ", ".join(f"{stream.name} {stream.completed}" for stream in outcome.streams)
    print(f"{name:34} {until_s:6} s  {outcome.simulation['events']:9} events  {spent_s:6.2f} s CPU  {done}")


def main() -> None:
    """All of them."""
    both = Scenario(soc_sim.load_soc("edge_16x16", ["cores=2"]))
    for core, name in enumerate(("resnet50", "mobilenet_v2")):
        both.stream(soc_sim.load_network(name), period_s=1.0, cores=[core])
    timed("resnet50 and mobilenet_v2", both, 0.05)
    for rate in (0.0, 1.5e9):
        camera = Scenario(soc_sim.load_soc("edge_16x16"))
        camera.stream(soc_sim.load_network("mobilenet_v2"), period_s=1 / 30, deadline_s=1 / 30)
        if rate:
            camera.background("display", bytes_per_s=rate)
        timed(f"30 frames/s beside {rate / 1e9} GB/s", camera, 2.0)


if __name__ == "__main__":
    main()
