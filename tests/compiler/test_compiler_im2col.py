"""Input tiles of convolutions hold exactly what their outputs need, whatever the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim.compiler import compile  # noqa: A004
from soc_sim.compiler.nest import Nest, Window
from soc_sim.compiler.program import Compute, Load, Program
from soc_sim.compiler.tiles import Step, Tiles
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.network.base import Network, Operator, Tensor

SYSTEMS = {
    "small": make_soc(rows=4, cols=4, buffers=("512 B", "384 B", "512 B")),
    "two_cores": make_soc(rows=2, cols=8, buffers="1 KiB", cores=2),
    "large": make_soc(),
}


@dataclass(frozen=True)
class Convolution:
    images: int
    groups: int
    channels: int
    """Input channels of a group."""
    m: int
    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[int, int, int, int]

    def outputs(self, axis: int) -> int:
        extent = (self.kernel[axis] - 1) * self.dilation[axis] + 1
        return (self.size[axis] + self.pads[axis] + self.pads[axis + 2] - extent) // self.stride[axis] + 1

    def network(self) -> Network:
        channels = self.groups * self.channels
        x = Tensor("x", (self.images, channels, *self.size))
        w = Tensor("w", (self.groups * self.m, self.channels, *self.kernel), constant=True)
        y = Tensor("y", (self.images, self.groups * self.m, self.outputs(0), self.outputs(1)))
        attributes = {
            "group": self.groups,
            "strides": self.stride,
            "dilations": self.dilation,
            "pads": self.pads,
            "kernel_shape": self.kernel,
        }
        conv = Operator("conv", "Conv", ("x", "w"), ("y",), attributes)
        return Network("net", (conv,), {t.name: t for t in (x, w, y)}, ("x",), ("y",))

    def needed(self, tiles: Tiles, step: Step) -> set[int]:
        """Offsets of the input elements of a tile, channels last, by brute force over the window."""
        pixels, groups, channels = tiles.pixels[step.n], tiles.groups[step.group], tiles.channels[step.k]
        found = set()
        for image in range(*pixels.images):
            for row in _taps(self, 0, pixels.rows):
                for col in _taps(self, 1, pixels.cols):
                    pixel = (image * self.size[0] + row) * self.size[1] + col
                    for group in range(*groups):
                        start = (pixel * self.groups + group) * self.channels
                        found.update(range(start + channels.start, start + channels.stop))
        return found

    def windows(self) -> list[Window]:
        return [
            Window(self.outputs(i), self.size[i], self.kernel[i], self.stride[i], self.dilation[i], self.pads[i])
            for i in (0, 1)
        ]

    @property
    def without_holes(self) -> bool:
        """Whether every input between the first and the last that a tile needs is needed."""
        return all(
            (dilation == 1 and stride <= kernel) or (kernel == 1 and pad == 0)
            for kernel, stride, dilation, pad in zip(self.kernel, self.stride, self.dilation, self.pads, strict=False)
        )


def _taps(conv: Convolution, axis: int, outputs: tuple[int, int]) -> set[int]:
    found = set()
    for output in range(*outputs):
        for tap in range(conv.kernel[axis]):
            position = output * conv.stride[axis] - conv.pads[axis] + tap * conv.dilation[axis]
            if 0 <= position < conv.size[axis]:
                found.add(position)
    return found


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
convolutions = st.builds(
    Convolution,
    images=st.integers(1, 2),
    groups=st.sampled_from([1, 1, 2, 5]),
    channels=st.integers(1, 7),
    m=st.integers(1, 9),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=pairs,
    dilation=pairs,
    pads=st.tuples(*[st.integers(0, 3)] * 4),
).filter(lambda conv: conv.outputs(0) > 0 and conv.outputs(1) > 0)


def computes(program: Program, soc: Soc, tiles: Tiles) -> list[tuple[Step, Compute]]:
    """Every Compute with the step it belongs to, from the order that the tiles are documented to have."""
    steps = [step for core in range(soc.cores) for step in tiles.of_core(core)]
    found = [i for i in program.instructions if isinstance(i, Compute)]
    return list(zip(steps, found, strict=True))


@pytest.mark.parametrize("system", SYSTEMS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(conv=convolutions)
def test_loaded_inputs_are_those_that_brute_force_finds(system: str, conv: Convolution) -> None:
    soc, network = SYSTEMS[system], conv.network()
    program = compile(network, soc)
    check_order(program)
    check_occupancy(program, soc)
    check_work(program, soc)
    check_memory(program)
    tiling = program.layers[0].tiling
    assert tiling is not None
    nest = Nest(conv.groups, conv.m, conv.channels, conv.images, *conv.windows(), True, 0)
    tiles = Tiles(nest, tiling)
    base = next(p.address for p in program.memory_map.placements if p.tensor == "x")
    for step, compute in computes(program, soc, tiles):
        loaded: set[int] = set()
        for index in compute.inputs:
            load = program.instructions[index]
            assert isinstance(load, Load)
            for region in load.regions:
                lines = region.address - base + np.arange(region.lines) * region.pitch_bytes
                loaded.update((lines[:, None] + np.arange(region.line_bytes)).ravel().tolist())
        needed = conv.needed(tiles, step)
        assert needed <= loaded
        if conv.without_holes:
            assert loaded == needed
        assert compute.counts.macs == (
            tiles.groups[step.group].size
            * tiles.m[step.m].size
            * tiles.channels[step.k].size
            * nest.kernel
            * tiles.pixels[step.n].size
        )


def test_input_traffic_does_not_grow_with_the_kernel() -> None:
    conv = Convolution(1, 1, 8, 8, (12, 12), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1))
    program = compile(conv.network(), make_soc(), Mapping(residency="off"))
    inputs = [i for i in program.instructions if isinstance(i, Load) and i.buffer == "inputs"]
    # All of it fits into the buffers, so whatever is loaded twice is the halo of row bands at most.
    assert sum(load.buffer_bytes for load in inputs) < 2 * 8 * 12 * 12
