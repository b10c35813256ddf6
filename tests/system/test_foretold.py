"""Transfers that are foretold are those that come."""

from __future__ import annotations

from collections import Counter

import pytest

from soc_sim import compiler
from soc_sim.components.memory.dram.model import DramModel
from soc_sim.config.core import Scheduling
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.kernel import Simulation
from soc_sim.network import zoo
from soc_sim.system import foretold, run
from soc_sim.system.builder import build
from soc_sim.system.several import Demand, run_streams
from soc_sim.testing.fakes import Slices

PRIORITIES = "interconnect.arbitration=priority"


@pytest.mark.parametrize(
    ("soc_name", "network", "overrides", "inferences"),
    [
        ("edge_16x16", "resnet8", (), 1),
        ("edge_16x16", "ds_cnn", ("cores=2",), 3),
        ("mcu_8x8", "resnet8", (), 2),
        ("mcu_8x8_psram", "autoencoder", ("dma.chunk=256 B",), 1),
    ],
)
def test_a_program_is_foretold_to_the_last_transfer(
    soc_name: str, network: str, overrides: tuple[str, ...], inferences: int
) -> None:
    """What its memories were asked for, transfer by transfer; weights that stay are brought once."""
    soc = load(soc_name, Soc, overrides)
    program = compiler.compile(zoo.load(network), soc)
    machine = build(soc, Simulation(), [range(soc.cores)], Scheduling())
    expected = foretold.of_program(program, *machine.cutters, inferences)
    slices = Slices()
    run(soc, program, inferences=inferences, recorder=slices)
    found = Counter(track for track, *_ in slices.taken if track in soc.memories)
    assert {name: expected[name] for name in soc.memories} == {name: found[name] for name in soc.memories}


def test_a_scenario_foretells_its_background_and_one_inference_of_each_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never more than come where the memory keeps up with the background."""
    told: list[tuple[int, bool]] = []
    monkeypatch.setattr(DramModel, "expect", lambda _, transfers, *, at_least: told.append((transfers, at_least)))
    soc = load("edge_16x16", Soc, ["cores=2", "background=[{name: camera, bandwidth: 500 MB/s, chunk: 1 KiB}]"])
    program = compiler.compile(zoo.load("ds_cnn"), load("edge_16x16", Soc))
    machine = build(soc, Simulation(), [(0,), (1,)], Scheduling(), [iter(())])
    alone = foretold.of_program(program, *machine.cutters, 1)["dram"]
    asked, too_late = Demand(program, (0,), iter([0, 1000])), Demand(program, (1,), iter([10**12]))
    slices = Slices()
    run_streams(soc, [asked, too_late], 10**9, recorder=slices)
    # 500 MB/s for 1 ms in transfers of 1 KiB.
    assert told == [(alone + 500_000 // 1024, True)]
    assert told[0][0] < sum(track == "dram" for track, *_ in slices.taken)
