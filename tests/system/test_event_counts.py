"""The deterministic speed test: how many events tiles and transfers cost."""

from __future__ import annotations

import pytest

from soc_sim import compiler
from soc_sim.compiler.program import Compute, Instruction, Load, Region
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.network import zoo
from soc_sim.system import run
from soc_sim.testing.small import program_of, small_soc, tile

EVENTS = {
    "resnet50": 166_124,  # the main job
    "mobilenet_v2": 50_561,
    "vgg16": 493_573,
    "vit_s16": 276_239,
    "bert_base": 536_245,
}


def events(instructions: list[Instruction], *overrides: str) -> int:
    return run(small_soc(*overrides), program_of(instructions)).events


def tiles(count: int, cycles: int = 10, folds: int = 1) -> list[Instruction]:
    return [Compute(index, 0, 0, (), (), 0, 0, 0, tile(cycles, folds=folds)) for index in range(count)]


def test_a_tile_costs_one_event() -> None:
    assert [events(tiles(count)) - events(tiles(1)) for count in (2, 5, 10)] == [1, 4, 9]


def test_cycles_and_folds_cost_nothing() -> None:
    assert events(tiles(3)) == events(tiles(3, cycles=10**6, folds=1000))


@pytest.mark.parametrize(("latency_cycles", "events_of_a_chunk"), [(0, 1), (4, 2)])
@pytest.mark.parametrize(("memory", "looks_of_a_chunk"), [("", 0), ("dram=lpddr4_3200", 1)])
def test_a_chunk_costs_one_event_at_the_memory_and_one_for_the_interconnects_latency(
    latency_cycles: int, events_of_a_chunk: int, memory: str, looks_of_a_chunk: int
) -> None:
    """A DRAM, which does not know on arrival when it will have served a chunk, looks again at most once more."""

    def loaded(chunks: int) -> int:
        load = Load(0, 0, 0, "inputs", (Region("dram", 0, 256 * chunks),), 256)
        settings = [f"interconnect.latency_cycles={latency_cycles}", *([memory] if memory else [])]
        return events([load, Compute(1, 0, 0, (), (0,), 0, 0, 256, tile(1))], *settings)

    chunks = loaded(50) - loaded(10)
    assert 40 * events_of_a_chunk <= chunks <= 40 * (events_of_a_chunk + looks_of_a_chunk)


def test_handing_over_costs_one_event_and_another_where_the_unit_waits_for_it() -> None:
    """With 20 cycles each, a tile of 10 has ended before the next is handed over, so the array waits for every one."""
    free, costly = (events(tiles(10), f"controller.dispatch_cycles={cycles}") for cycles in (0, 20))
    assert costly - free == 10 + 10


@pytest.mark.parametrize("network", EVENTS)
def test_events_of_whole_networks(network: str) -> None:
    """On the LPDDR4 SoC: a change of these numbers is a change of speed, and is made on purpose."""
    soc = load("edge_16x16", Soc)
    assert run(soc, compiler.compile(zoo.load(network), soc)).events == EVENTS[network]
