"""On memory that takes no time, a run lasts as long as its array and host work, to the picosecond, plus hand-overs.

With ideal memory and interconnect, no set-up of descriptors and buffers that are never a bound:

    latency = dispatch x (instructions up to the first Compute) + cycles of all tiles + host cycles that are not hidden

as long as no tile is shorter than the dispatch of its instructions. Nothing else is left. For every other program
``testing.ideal`` adds up what is; `tests/reference_runs` does so for the networks of the suite on every SoC.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import programs

from soc_sim import compiler, system
from soc_sim.compiler.program import Compute, Load, Program, Region, Store, VectorOp
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.zoo.builder import NetworkBuilder
from soc_sim.testing.ideal import ideal_run
from soc_sim.testing.small import program_of, small_soc, tile
from soc_sim.testing.variants import changed, with_ideal_memory

NS_PS = 1000
"""The clocks of array, controller and host are 1 GHz."""


def ideal(dispatch_cycles: int) -> Soc:
    soc = with_ideal_memory(load("edge_16x16", Soc))
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


REALISTIC = (
    "array.clock=333 MHz",
    "dma.clock=701 MHz",
    "controller.clock=450 MHz",
    "controller.dispatch_cycles=4",
    "host.clock=777 MHz",
    "host.start_cycles=20",
    "dma.local_width=16 B",
)
SMALL = {
    "cycles": (),
    "clocks": REALISTIC,
    "short_queues": (*REALISTIC, "controller.queue_depth=1", "controller.dispatch_cycles=50"),
    "one_channel": (*REALISTIC, "dma.channels=1", "dma.max_outstanding=1"),
}


@settings(max_examples=60, deadline=None)
@given(programs(cores=2), st.sampled_from(sorted(SMALL)))
def test_any_program_takes_the_sum_of_cycles_and_overheads_to_the_picosecond(program: Program, name: str) -> None:
    soc = with_ideal_memory(small_soc("cores=2", *SMALL[name]))
    expected = ideal_run(soc, program)
    assert system.run(soc, program).makespan_ps == expected.latency_ps
    for array_ps, overheads_ps in zip(expected.array_ps, expected.overheads_ps, strict=True):
        assert min(overheads_ps.values(), default=0) >= 0
        assert array_ps + overheads_ps.total() == expected.latency_ps


def test_each_overhead_is_told_by_its_name() -> None:
    """Two tiles of 100 cycles that share room for one; 400 bytes stay on chip, 16 a cycle; the host takes 30 cycles.

    Dispatch costs 2 cycles, and the first tile is the third instruction.
    """
    soc = with_ideal_memory(small_soc("controller.dispatch_cycles=2", "dma.local_width=16 B"))
    program = program_of(
        [
            Load(0, 0, 0, "weights", (Region("dram", 0, 1000),), 1000),
            Load(1, 0, 0, "inputs", (Region("dram", 1000, 600),), 600),
            Compute(2, 0, 0, (0,), (1,), 1000, 1000, 600, tile(100)),
            Store(3, 0, 0, (Region("inputs_buffer", 0, 400),), 1000, (2,)),
            Load(4, 1, 0, "weights", (Region("dram", 2000, 1000),), 1000),
            Compute(5, 1, 0, (4,), (), 1000, 1000, 0, tile(100), (3,)),
            Store(6, 1, 0, (Region("dram", 4000, 400),), 1000, (5,)),
            VectorOp(7, 2, (Region("dram", 4000, 400),), (Region("dram", 5000, 30),), 30, (6,)),
        ]
    )
    expected = ideal_run(soc, program)
    assert expected.array_ps == (200 * NS_PS,)
    assert dict(expected.overheads_ps[0]) == {"dispatch": 6 * NS_PS, "local path": 25 * NS_PS, "host": 30 * NS_PS}
    assert system.run(soc, program).makespan_ps == expected.latency_ps == 261 * NS_PS


def test_only_ideal_memory_has_a_closed_form() -> None:
    with pytest.raises(ValueError, match="memory takes time"):
        ideal_run(small_soc(), program_of([]))


def test_what_takes_time_on_ideal_memory_has_no_closed_form() -> None:
    """A decompressor on the way into the buffers, and shared SRAM, which is never ideal."""
    soc = with_ideal_memory(small_soc("dma.decompression={bytes_per_cycle: 2}"))
    compressed = Load(0, 0, 0, "weights", (Region("dram", 0, 10),), 40, expands=True)
    with pytest.raises(ValueError, match="expanded on loading"):
        ideal_run(soc, program_of([compressed]))
    program = program_of([Load(0, 0, 0, "weights", (Region("system_sram", 0, 10),), 10)])
    program = replace(program, memory_map=replace(program.memory_map, used_bytes={"system_sram": 10}))
    with pytest.raises(ValueError, match="shared SRAM"):
        ideal_run(with_ideal_memory(small_soc()), program)
