"""Layers between their neighbours: what of first loads and last stores is hidden, and what that changes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from systems import make_soc

from soc_sim import system
from soc_sim.compiler import cores
from soc_sim.compiler.fusion import group_operators
from soc_sim.compiler.layout import lay_out
from soc_sim.compiler.lowering import lower
from soc_sim.compiler.neighbours import Beside, Capacity, Ends, gap_ps, links, reach
from soc_sim.compiler.pipeline import compile  # noqa: A004  the field's word
from soc_sim.compiler.program import Compute, Store
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.network import zoo
from soc_sim.testing.checks import check_record

ROOMY = Capacity(10_000, 10_000, 10_000)
LAYER = Ends(
    computing_ps=400, bound_ps=100, inputs_ps=30, weights_ps=50, inputs_lead_ps=100, weights_lead_ps=400,
    drain_ps=20, bands=4, band_ps=100, weight_tile=1000, input_tile=1000, output_tile=1000, kept_bytes=0,
    resident_bytes=0,
)  # fmt: skip
"""Four tiles of 100 ps, each stored 20 ps later; the next layer's inputs come in 30 ps, its weights in 50."""


@pytest.mark.parametrize(
    ("share", "gap"),
    [
        (0.0, 0),  # All is there: loads come while the last tile is computed.
        (0.25, 0),  # The first band was stored 300 ps ago, so its load is hidden, too.
        (0.75, 0),  # Stored 80 ps ago.
        (1.0, 20 + 30),  # The last store, then the load.
    ],
)
def test_a_first_tile_waits_for_the_bands_that_it_reads(share: float, gap: int) -> None:
    assert gap_ps(LAYER, LAYER, share, ROOMY) == gap


def test_without_room_beside_the_last_tile_nothing_is_hidden() -> None:
    """What of a neighbour has no room is loaded, or stored, when the last tile is done."""
    assert gap_ps(LAYER, LAYER, 0.0, ROOMY._replace(inputs=1999)) == 30
    assert gap_ps(LAYER, LAYER, 0.0, ROOMY._replace(weights=1999)) == 50
    assert gap_ps(LAYER, LAYER, 0.0, ROOMY._replace(outputs=1999)) == 20
    assert gap_ps(LAYER, LAYER, 0.0, ROOMY._replace(inputs=2000, weights=2000, outputs=2000)) == 0
    kept = replace(LAYER, kept_bytes=500)
    assert gap_ps(LAYER, kept, 0.0, ROOMY._replace(inputs=2499)) == 30


def test_loads_of_one_buffer_follow_one_another() -> None:
    """A first tile of weights that takes longer than the last Compute of the layer before is not hidden."""
    large = replace(LAYER, weights_ps=450)
    assert gap_ps(LAYER, large, 0.0, ROOMY) == 50
    assert gap_ps(replace(LAYER, weights_lead_ps=100), large, 0.0, ROOMY) == 350


def time_ps(layer: Ends, before: Ends | None, after: Ends | None) -> float:
    """Of a layer of ResNet-8 that reads nothing of the one before; the one behind reads all of its results."""
    soc, network = make_soc(), zoo.load("resnet8")
    layout = lay_out(network, group_operators(network), soc.array.operand_bytes)
    tiling = compile(network, soc).layers[0].tiling
    assert tiling is not None
    return float(
        Beside(ROOMY, before, (), after, 1.0).time_ps(*lower(network, layout.groups[0], layout.views), tiling, layer)
    )


def test_a_layer_takes_its_time_on_the_array_and_what_neighbours_do_not_hide() -> None:
    assert time_ps(LAYER, None, None) == 50 + 400 + 20
    assert time_ps(LAYER, LAYER, None) == 400 + 20
    assert time_ps(LAYER, LAYER, LAYER) == 400 + 20 + 30


def test_where_memory_is_the_bound_nothing_is_hidden() -> None:
    """Neither of a layer's own, nor of what the one behind would have to wait for anyway."""
    bound = replace(LAYER, bound_ps=1000)
    assert time_ps(bound, LAYER, LAYER) == 50 + 1000 + 20
    assert time_ps(LAYER, LAYER, bound) == 400
    assert time_ps(LAYER, LAYER, replace(LAYER, bound_ps=350)) == 400 + (20 + 30 + 400) - (50 + 350 + 20)


@pytest.mark.parametrize("name", ["resnet8", "mobilenet_v1_025"])
def test_the_share_of_results_that_a_first_tile_reads_is_that_of_its_dependencies(name: str) -> None:
    """Of the stores of the layer before, in order, the first Compute waits for the one that completes its share."""
    soc, network = load("edge_16x16", Soc), zoo.load(name)
    program = compile(network, soc)
    layout = lay_out(network, group_operators(network), soc.array.operand_bytes)
    checked = 0
    for before, after in zip(program.layers, program.layers[1:], strict=False):
        if before.tiling is None or after.tiling is None:
            continue
        (_, written), (nest, operands) = (
            lower(network, layout.groups[layer.index], layout.views) for layer in (before, after)
        )
        share = reach(nest, operands, links(written.o, operands), after.tiling)
        stores = [i.index for i in program.of_layer(before.index) if isinstance(i, Store)]
        first = next(i for i in program.of_layer(after.index) if isinstance(i, Compute))
        loads = [program.instructions[index] for index in first.weights + first.inputs]
        waited = {*first.stores, *(index for load in loads for index in load.depends)} & set(stores)
        assert bool(waited) == (share > 0)
        if before.gemm is None or before.tiling.m < before.gemm.m or before.tiling.groups < before.gemm.groups:
            # Its last pass over the pixels alone counts.
            continue
        checked += 1
        assert max((stores.index(index) + 1 for index in waited), default=0) == math.ceil(share * len(stores))
    assert checked


@pytest.mark.parametrize(
    ("soc", "network", "gain"),
    [("edge_16x16", "resnet8", 0.01), ("edge_32x32", "mobilenet_v1_025", 0.04), ("ethos_u55_128_like", "ds_cnn", 0.05)],
)
def test_layers_between_neighbours_take_less_time(
    soc: str, network: str, gain: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By simulation, beside tiles that are best for each layer alone; the same operands stay on chip."""
    description = load(soc, Soc)
    settled = compile(zoo.load(network), description)
    monkeypatch.setattr(cores.Settling, "settle", lambda _: None)
    alone = compile(zoo.load(network), description)
    assert [layer.residency for layer in settled.layers] == [layer.residency for layer in alone.layers]
    records = [system.run(description, program) for program in (settled, alone)]
    for record in records:
        check_record(record)
    assert records[0].makespan_ps < (1 - gain) * records[1].makespan_ps


@pytest.mark.parametrize(
    "soc", [make_soc(channels=1), load("gemmini_16x16_unified_like", Soc)], ids=["queue", "buffer"]
)
def test_where_loads_do_not_run_ahead_layers_stand_alone(soc: Soc, monkeypatch: pytest.MonkeyPatch) -> None:
    """One queue for everything, or one buffer."""
    settled = compile(zoo.load("resnet8"), soc)
    monkeypatch.setattr(cores.Settling, "settle", lambda _: None)
    assert compile(zoo.load("resnet8"), soc).instructions == settled.instructions
