"""On memory that takes no time, a run lasts as long as its array and host work, to the picosecond, plus hand-overs.

With ideal memory and interconnect, no set-up of descriptors and buffers that are never a bound:

    latency = dispatch x (instructions up to the first Compute) + cycles of all tiles + host cycles that are not hidden

as long as no tile is shorter than the dispatch of its instructions. Nothing else is left.
"""

from __future__ import annotations

import pytest

from soc_sim import compiler, system
from soc_sim.compiler.program import Compute, Program, VectorOp
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.variants import changed, with_ideal_memory, with_ports

NS_PS = 1000
"""The clocks of array, controller and host are 1 GHz."""


def ideal(dispatch_cycles: int) -> Soc:
    soc = with_ports(with_ideal_memory(load("edge_16x16", Soc)), 8)
    return changed(soc, controller=changed(soc.controller, dispatch_cycles=dispatch_cycles))


def array_cycles(program: Program) -> int:
    return sum(i.counts.cycles for i in program.instructions if isinstance(i, Compute))


def host_cycles(soc: Soc, program: Program) -> int:
    operators = [i for i in program.instructions if isinstance(i, VectorOp)]
    return sum((soc.host.start_cycles if not one.goes_on else 0) + (one.cycles or 0) for one in operators)


def chain() -> Network:
    net = NetworkBuilder("chain", "test")
    x = net.input("x", 1, 16, 28, 28)
    for index in range(4):
        x = net.conv(f"conv{index}", x, 32, 3, padding=1)
    return net.build(x)


@pytest.mark.parametrize("residency", ["auto", "off"])
@pytest.mark.parametrize("name", ["autoencoder", "chain", "two_images"])
def test_latency_is_the_sum_of_the_arrays_cycles(name: str, residency: str) -> None:
    network = {"autoencoder": zoo.load("autoencoder"), "chain": chain(), "two_images": chain().with_batch(2)}[name]
    soc = ideal(dispatch_cycles=0)
    program = compiler.compile(network, soc, Mapping.model_validate({"residency": residency}))
    assert not any(isinstance(i, VectorOp) for i in program.instructions)
    assert system.run(soc, program).makespan_ps == array_cycles(program) * NS_PS


def test_host_operators_that_nothing_hides_add_their_cycles() -> None:
    """ResNet-8 ends in pooling, a product and Softmax, each of which waits for all of the one before."""
    soc = ideal(dispatch_cycles=0)
    program = compiler.compile(zoo.load("resnet8"), soc)
    expected = array_cycles(program) + host_cycles(soc, program)
    assert system.run(soc, program).makespan_ps == expected * NS_PS


@pytest.mark.parametrize("dispatch_cycles", [1, 4])
def test_hand_overs_before_the_first_tile_are_all_that_dispatch_costs(dispatch_cycles: int) -> None:
    soc = ideal(dispatch_cycles)
    program = compiler.compile(chain(), soc, Mapping(residency="off"))
    first = next(i.index for i in program.instructions if isinstance(i, Compute))
    assert min(i.counts.cycles for i in program.instructions if isinstance(i, Compute)) > 8 * dispatch_cycles
    expected = array_cycles(program) + dispatch_cycles * (first + 1)
    assert system.run(soc, program).makespan_ps == expected * NS_PS


def test_overlap_of_folds_takes_effect_in_whole_networks() -> None:
    """The next preload, or the last drain, proceeds under the current stream: fewer cycles, and as much less time."""
    times = {}
    for overlap in ("none", "prefetch"):
        soc = ideal(dispatch_cycles=0)
        soc = changed(soc, array=changed(soc.array, tile_overlap=overlap))
        program = compiler.compile(zoo.load("resnet8"), soc)
        expected = array_cycles(program) + host_cycles(soc, program)
        times[overlap] = system.run(soc, program).makespan_ps
        assert times[overlap] == expected * NS_PS
    assert times["prefetch"] < 0.95 * times["none"]
