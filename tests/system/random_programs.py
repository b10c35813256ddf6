"""Random legal programs: in program order every live tile fits in its buffer."""

from __future__ import annotations

from hypothesis import strategies as st

from soc_sim.compiler.program import BufferName, Compute, Instruction, Load, Program, Region, Store, VectorOp
from soc_sim.testing.small import program_of, tile

CAPACITY_BYTES = 1024


def regions(size_bytes: int, lines: int, address: int) -> tuple[Region, ...]:
    """``size_bytes`` as up to ``lines`` lines with gaps between them, and the rest as one line."""
    line_bytes = size_bytes // lines
    if lines == 1 or not line_bytes:
        return (Region("dram", address, size_bytes),)
    split = Region("dram", address, line_bytes, lines, line_bytes + 32)
    rest = size_bytes - line_bytes * lines
    return (split, Region("dram", address + 65536, rest)) if rest else (split,)


@st.composite
def programs(draw: st.DrawFn, cores: int = 1, most_tiles: int = 6) -> Program:
    """Tiles with loads that may depend on any store or host operation before, on any core; some host operations."""
    instructions: list[Instruction] = []
    finished: list[int] = []
    tiles = draw(st.integers(1, most_tiles))
    for layer in range(tiles):
        if draw(st.integers(0, 4)) == 0:
            sizes = [draw(st.integers(0, 1500)) for _ in range(3)]
            reads, writes = ((Region("dram", 4096, size),) if size else () for size in sizes[:2])
            depends = tuple(draw(st.lists(st.sampled_from(finished), max_size=2))) if finished else ()
            finished.append(len(instructions))
            instructions.append(VectorOp(len(instructions), layer, reads, writes, sizes[2], depends))
        core = draw(st.integers(0, cores - 1))
        taken: dict[BufferName, int] = {"weights": 0, "inputs": 0}
        loads: dict[BufferName, list[int]] = {"weights": [], "inputs": []}
        for buffer in taken:
            for _ in range(draw(st.integers(0, 2))):
                size = draw(st.integers(1, CAPACITY_BYTES // 2))
                depends = tuple(draw(st.lists(st.sampled_from(finished), max_size=2))) if finished else ()
                parts = regions(size, draw(st.integers(1, 5)), draw(st.integers(0, 4096)))
                loads[buffer].append(len(instructions))
                instructions.append(Load(len(instructions), layer, core, buffer, parts, size, depends))
                taken[buffer] += size
        output_bytes = draw(st.integers(1, CAPACITY_BYTES))
        cycles = draw(st.integers(1, 1000))
        counts = tile(
            cycles,
            # The small SoC has 16 PEs.
            macs=draw(st.integers(0, min(1000, 16 * cycles))),
            weight_bytes=draw(st.integers(0, 2000)),
            input_bytes=draw(st.integers(0, 2000)),
            output_write_bytes=draw(st.integers(0, 2000)),
        )
        instructions.append(
            Compute(
                len(instructions),
                layer,
                core,
                tuple(loads["weights"]),
                tuple(loads["inputs"]),
                output_bytes,
                taken["weights"],
                taken["inputs"],
                counts,
            )
        )
        parts = regions(output_bytes, draw(st.integers(1, 5)), 131072)
        finished.append(len(instructions))
        instructions.append(Store(len(instructions), layer, core, parts, output_bytes, (len(instructions) - 1,)))
    return program_of(instructions, cores)
