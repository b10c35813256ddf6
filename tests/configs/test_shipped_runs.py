"""Every run that ships is simulated."""

from __future__ import annotations

from pathlib import Path

import pytest

from soc_sim.config.loader import load, load_any
from soc_sim.config.run import NetworkFile, Run
from soc_sim.config.shipped import root
from soc_sim.facade import simulate_run
from soc_sim.network.operators import count_macs
from soc_sim.network.resolve import load_network

RUNS = sorted(path for path in root().glob("*.yaml") if isinstance(load_any(path), Run))
NETWORKS = sorted((root() / "network").glob("*.yaml"))


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_a_shipped_run_simulates(path: Path) -> None:
    pytest.importorskip("onnx")
    result = simulate_run(load(path, Run))
    assert sum(result.array_time_ps.values()) == result.latency_ps > 0


@pytest.mark.parametrize("path", NETWORKS, ids=lambda path: path.stem)
def test_a_shipped_network_can_be_read(path: Path) -> None:
    pytest.importorskip("onnx")
    assert count_macs(load_network(load(path, NetworkFile))) > 0
