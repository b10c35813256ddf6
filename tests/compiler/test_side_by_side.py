"""Small groups side by side on the array: what the compiler makes of them, and that the numbers are right."""

from __future__ import annotations

from typing import Any

import pytest
from systems import make_soc

import soc_sim
from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Compute
from soc_sim.config.run import Mapping
from soc_sim.config.sparsity import Sparsity
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder

pytest.importorskip("onnx")


def grouped(channels: int, groups: int, kernel: int = 3, stride: int = 1) -> Network:
    """One convolution in groups, bias and activation behind it."""
    net = NetworkBuilder("grouped", source="")
    x = net.conv("conv", net.input("x", 1, channels, 11, 9), channels, kernel, stride, padding="same", groups=groups)
    return with_values(net.build(net.relu("relu", x)), 1)


def mapping(flow: str, **settings: Any) -> Mapping:
    return Mapping.model_validate({"dataflow": flow, **settings})


def cycles(program: Program) -> int:
    return sum(i.counts.cycles for i in program.instructions if isinstance(i, Compute))


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("array", [{}, {"tile_overlap": "prefetch"}, {"edge_tiles": "full"}])
@pytest.mark.parametrize("flow", ["dOS", "dWS", "dIS"])
@pytest.mark.parametrize(("channels", "groups"), [(20, 20), (24, 6), (21, 7)])
def test_programs_compute_the_network(flow: str, array: dict[str, str], cores: int, channels: int, groups: int) -> None:
    """Depthwise and grouped, all tiles and cores; expected cycles are those of the instructions."""
    network, soc = grouped(channels, groups), make_soc(cores=cores, **array)
    program = compile(network, soc, mapping(flow))
    layer = program.layers[0]
    assert layer.tiling is not None
    assert layer.tiling.side_by_side or flow == "dIS"
    assert layer.estimate is not None
    assert layer.estimate.compute_cycles == cycles(program)
    assert sum(i.counts.macs for i in program.instructions if isinstance(i, Compute)) == layer.macs
    found = verify(network, soc, program, random_inputs(network, 2))
    assert found.matches, found.layers


def test_small_buffers_cut_groups_into_several_tiles() -> None:
    """And the last tile has fewer of them."""
    network, soc = grouped(50, 50, kernel=5, stride=2), make_soc(buffers="900 B")
    program = compile(network, soc, mapping("dWS"))
    assert program.layers[0].tiling is not None
    assert program.layers[0].tiling.side_by_side
    assert program.layers[0].tiling.groups < 50
    assert verify(network, soc, program, random_inputs(network, 2)).matches


def test_the_mapping_can_forbid_it_and_groups_of_many_rows_never_are() -> None:
    """More than half of the array's rows leave no room for a second group."""
    forbidden = compile(grouped(20, 20), make_soc(), mapping("dWS", side_by_side=False)).layers[0].tiling
    large = compile(grouped(30, 6), make_soc(rows=8), mapping("dWS")).layers[0].tiling
    assert forbidden is not None
    assert not forbidden.side_by_side
    assert large is not None
    assert not large.side_by_side


def test_nothing_is_read_for_what_lies_beside_the_groups() -> None:
    """Words off the diagonal enter the array without an access; weights stored without zeros count the same."""
    network, soc = grouped(20, 20), make_soc()
    program = compile(network, soc, mapping("dWS"))
    counts = [i.counts for i in program.instructions if isinstance(i, Compute)]
    passes = len(counts) // -(-20 // program.layers[0].tiling.groups)  # type: ignore[union-attr]
    assert sum(count.weight_bytes for count in counts) == passes * 20 * 9
    assert sum(count.zeros_injected for count in counts) > 0
    sparsity = Sparsity(pattern="unstructured", level=0.5, seed=1)
    sparse = compile(network, soc, mapping("dWS", format="two_stage_bitmap"), sparsity)
    assert verify(network, soc, sparse, random_inputs(network, 2), sparsity).matches


@pytest.mark.parametrize(("soc", "gain"), [("edge_16x16", 1.2), ("edge_32x32", 1.7)])
def test_depthwise_networks_gain(soc: str, gain: float) -> None:
    """MobileNetV2's array is busy for less than before, by about C / (⌈9 / C⌉ …) on the depthwise half."""
    hardware, network = soc_sim.load_soc(soc), soc_sim.load_network("mobilenet_v2")
    one_by_one, together = (
        cycles(compile(network, hardware, mapping("auto", side_by_side=together))) for together in (False, True)
    )
    assert one_by_one / together > gain
