"""Functional execution: compiled programs compute what their networks define, and faults in them show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import Verification, verify
from soc_sim.compiler.program import Compute, Load, Store
from soc_sim.config.array import FLOWS
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import Sparsity
from soc_sim.errors import VerificationError
from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder

pytest.importorskip("onnx")

PRUNED = Sparsity(pattern="unstructured", level=0.7, seed=1)


def check(network: Network, soc: Soc, mapping: Mapping | None = None, sparsity: Any = "dense") -> Verification:
    """Everything matches; returns the comparisons."""
    network = with_values(network, seed=3)
    program = compile(network, soc, mapping, sparsity)
    found = verify(network, soc, program, random_inputs(network, seed=4), sparsity)
    assert [c for c in (*found.layers, *found.outputs) if not c.matches] == []
    assert found.macs_executed == sum(i.counts.macs for i in program.instructions if isinstance(i, Compute))
    return found


def small(batch: int = 1) -> Network:
    """Strided, padded, depthwise and pointwise convolutions, a shortcut, and a Gemm behind a flattened image."""
    net = NetworkBuilder("small", source="")
    x = net.relu("first.relu", net.batch_norm("first.bn", net.conv("first", net.input("x", 1, 3, 13, 11), 12, 3, 2, 1)))
    y = net.relu6("depthwise.relu", net.conv("depthwise", x, 12, 3, padding="same", groups=12))
    y = net.add("sum", net.batch_norm("point.bn", net.conv("point", y, 12, 1, bias=False)), x)
    y = net.max_pool("pool", y, 3, 2, 1)
    return net.build(net.linear("classes", net.flatten("flat", y), 10)).with_batch(batch)


@pytest.mark.parametrize("flow", FLOWS)
def test_every_dataflow_computes_the_same(flow: Any) -> None:
    found = check(small(), make_soc(4, 4, buffers="1 KiB"), Mapping(dataflow=flow), PRUNED)
    assert {layer.dataflow for layer in found.layers} == {flow, None}


@pytest.mark.parametrize("flow", ["dOS", "sOS", "csOS"])
def test_output_stationary_sums_stay_over_the_parts_of_k(flow: Any) -> None:
    net = NetworkBuilder("long", source="")
    network = net.build(net.linear("y", net.input("x", 3, 500), 6))
    soc = make_soc(4, 4, buffers="1 KiB")
    program = compile(with_values(network, 0), soc, Mapping(dataflow=flow), PRUNED)
    assert program.layers[0].tiling is not None
    assert program.layers[0].tiling.k < 500
    check(network, soc, Mapping(dataflow=flow), PRUNED)


@pytest.mark.parametrize("cores", [1, 3])
def test_batches_and_cores_share_the_work(cores: int) -> None:
    check(small(batch=3), make_soc(4, 4, buffers="1 KiB", cores=cores))


def test_dense_programs_execute_every_mac() -> None:
    network = small()
    program = compile(network, make_soc())
    assert check(network, make_soc()).macs_executed == program.macs


@pytest.mark.parametrize("pattern", ["unstructured", "tile_columns"])
@pytest.mark.parametrize("name", ["resnet8", "ds_cnn", "mobilenet_v1_025", "autoencoder", "bert_tiny"])
def test_small_networks_of_the_zoo_match(name: str, pattern: Any) -> None:
    check(zoo.load(name), load("edge_16x16", Soc), None, Sparsity(pattern=pattern, level=0.7, seed=1))


def test_zeros_that_are_kept_are_multiplied() -> None:
    network, soc = small(), make_soc()
    found = check(network, soc, Mapping(sparse=False), PRUNED)
    assert found.macs_executed == compile(network, soc).macs


def matrices(dtype: Any) -> Network:
    """A product of integers from −128 to 127, sums of 700 of them."""
    rng = np.random.default_rng(5)
    net = NetworkBuilder("integers", source="")
    network = net.build(net.matmul("y", net.input("x", 9, 700), net.weight("w", 700, 21)))
    weights = rng.integers(-128, 128, (700, 21)).astype(dtype)
    return replace(network, tensors={**network.tensors, "w": replace(network.tensors["w"], values=lambda: weights)})


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32])
def test_integers_must_be_exact(dtype: Any) -> None:
    network, soc = matrices(dtype), make_soc(4, 4, buffers="1 KiB")
    x = np.random.default_rng(6).integers(-128, 128, (1, 9, 700)).astype(dtype)
    found = verify(network, soc, compile(network, soc), {"x": x})
    assert (found.layers[0].max_error, found.layers[0].tolerance) == (0, 0)


def altered(program: Program, kind: type, **changes: Any) -> Program:
    """The program with its first instruction of a kind changed."""
    index = next(i for i, instruction in enumerate(program.instructions) if isinstance(instruction, kind))
    instructions = list(program.instructions)
    instructions[index] = replace(instructions[index], **changes)
    return replace(program, instructions=tuple(instructions))


@pytest.fixture
def compiled() -> tuple[Network, Soc, Program]:
    network, soc = with_values(small(), seed=3), make_soc(4, 4, buffers="1 KiB")
    return network, soc, compile(network, soc, Mapping(residency="off"))


def wrong(network: Network, soc: Soc, program: Program, sparsity: Any = "dense") -> Verification:
    found = verify(network, soc, program, random_inputs(network, seed=4), sparsity)
    assert not found.matches
    return found


def test_a_load_from_a_wrong_address_shows(compiled: tuple[Network, Soc, Program]) -> None:
    network, soc, program = compiled
    load = next(i for i in program.instructions if isinstance(i, Load) and i.buffer == "inputs")
    index, (region, *more) = load.index, load.regions
    shifted = replace(load, regions=(replace(region, address=region.address + 1), *more))
    instructions = (*program.instructions[:index], shifted, *program.instructions[index + 1 :])
    found = wrong(network, soc, replace(program, instructions=instructions))
    assert not found.layers[0].matches


def test_a_transfer_beyond_the_memory_is_refused(compiled: tuple[Network, Soc, Program]) -> None:
    network, soc, program = compiled
    store = next(i for i in program.instructions if isinstance(i, Store))
    far = replace(store.regions[0], address=program.memory_map.used_bytes["dram"])
    with pytest.raises(VerificationError, match="leaves the"):
        wrong(network, soc, altered(program, Store, regions=(far,)))


def test_a_store_that_loses_words_shows(compiled: tuple[Network, Soc, Program]) -> None:
    network, soc, program = compiled
    assert np.isnan(wrong(network, soc, altered(program, Store, regions=())).layers[0].max_error)


def test_a_tile_that_is_never_computed_shows(compiled: tuple[Network, Soc, Program]) -> None:
    network, soc, program = compiled
    last = max(i.index for i in program.of_layer(0) if isinstance(i, Compute))
    kept = tuple(i for i in program.instructions if i.index != last)
    assert wrong(network, soc, replace(program, instructions=kept)).layers[0].faults == ("1 tiles are never computed",)


def test_a_wrong_count_of_macs_shows(compiled: tuple[Network, Soc, Program]) -> None:
    network, soc, program = compiled
    compute = next(i for i in program.instructions if isinstance(i, Compute))
    counts = replace(compute.counts, macs=compute.counts.macs + 1)
    found = wrong(network, soc, altered(program, Compute, counts=counts))
    assert [len(layer.faults) for layer in found.layers if not layer.matches] == [1]


def test_other_zeros_than_those_compiled_for_show() -> None:
    network, soc = with_values(small(), seed=3), make_soc()
    program = compile(network, soc, None, PRUNED)
    found = wrong(network, soc, program, PRUNED.model_copy(update={"seed": 2}))
    assert found.layers[0].faults


def test_two_tensors_in_one_place_show(compiled: tuple[Network, Soc, Program]) -> None:
    network, soc, program = compiled
    found = {place.tensor: place for place in program.memory_map.placements if place.memory == "dram"}
    moved = replace(found["depthwise.relu"], address=found["first.relu"].address)
    places = tuple(moved if place is found["depthwise.relu"] else place for place in program.memory_map.placements)
    wrong(network, soc, replace(program, memory_map=replace(program.memory_map, placements=places)))
