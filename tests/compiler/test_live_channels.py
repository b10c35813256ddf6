"""Inputs that only zeros of the weights would meet are not loaded, and nothing that is needed is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004  the field's word
from soc_sim.compiler.functional import verify
from soc_sim.compiler.program import Load
from soc_sim.config.run import Mapping
from soc_sim.config.sparsity import Sparsity
from soc_sim.network.base import Network
from soc_sim.network.seeded import random_inputs, with_values
from soc_sim.network.zoo.builder import NetworkBuilder

pytest.importorskip("onnx")
CHANNELS, PIXELS = 512, 12 * 12


def network(kernel: int = 1) -> Network:
    """A convolution that keeps the size of its image."""
    net = NetworkBuilder("one", source="")
    return with_values(net.build(net.conv("conv", net.input("x", 1, CHANNELS, 12, 12), 24, kernel, padding="same")), 1)


def compiled(path: Path, kept: list[int], flow: str, kernel: int = 1, **soc: str) -> Program:
    """Only the channels ``kept`` have weights; the program computes the right numbers."""
    mask = np.zeros((24, CHANNELS, kernel, kernel), bool)
    mask[:, kept] = np.random.default_rng(0).random((24, len(kept), kernel, kernel)) < 0.6
    mask[0, kept] = True
    np.savez(path / "masks.npz", conv=mask)
    net, hardware, sparsity = network(kernel), make_soc(**soc), Sparsity(weights=str(path / "masks.npz"))
    program = compile(net, hardware, Mapping.model_validate({"dataflow": flow, "residency": "off"}), sparsity)
    assert verify(net, hardware, program, random_inputs(net, 2), sparsity).matches
    return program


def input_bytes(program: Program) -> int:
    loads = [i for i in program.instructions if isinstance(i, Load) and i.buffer == "inputs"]
    return sum(region.size_bytes for load in loads for region in load.regions)


@pytest.mark.parametrize("flow", ["sOS", "sWS", "sIS", "csOS"])
def test_runs_of_dead_channels_are_left_out(tmp_path: Path, flow: str) -> None:
    """Two long gaps are, short ones between live channels or at the end are not (a burst of the DMA is 64 bytes)."""
    kept = [*range(200, 210), *range(300, 310), *range(440, 450)]
    program = compiled(tmp_path, kept, flow, buffers="128 KiB")
    passes = (input_bytes(program) + program.layers[0].input_bytes_skipped) // (CHANNELS * PIXELS)
    assert input_bytes(program) == passes * PIXELS * (310 - 200 + 512 - 440)
    assert program.layers[0].input_bytes_skipped == passes * PIXELS * (200 + 130)


def test_every_element_of_the_kernel_counts(tmp_path: Path) -> None:
    """A 3 × 3 convolution loads a channel if any of its nine elements meets a weight."""
    program = compiled(tmp_path, [*range(256, 268)], "sOS", kernel=3, buffers="128 KiB")
    assert program.layers[0].input_bytes_skipped >= (CHANNELS - 12) * PIXELS


def test_dense_flows_load_everything(tmp_path: Path) -> None:
    """Their zeros enter the array, and what they meet does, too."""
    assert compiled(tmp_path, [*range(256, 268)], "dOS", buffers="128 KiB").layers[0].input_bytes_skipped == 0


def test_a_tile_without_any_weight_loads_nothing(tmp_path: Path) -> None:
    """Where channels are cut into tiles that are empty, no input is fetched for them."""
    program = compiled(tmp_path, [511], "sWS", buffers="2 KiB")
    assert input_bytes(program) <= PIXELS * CHANNELS // 8
