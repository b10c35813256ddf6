"""A program as text, one line per instruction, and as plain data for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from soc_sim.compiler.program import Compute, Instruction, Layer, Load, Program, Region, Store, VectorOp

SCHEMA = 1


def lines(program: Program) -> Iterator[str]:
    """The program for readers: memory, then each layer with its instructions.

    ``@n`` names instruction n; ``dram[0x40: 3 x 64 / 128]`` is 3 lines of 64 bytes, 128 apart.
    """
    memory = program.memory_map
    yield f"network {program.network}: {len(program.layers)} layers, {program.macs} MACs, {program.cores} core(s)"
    for placement in memory.placements:
        end = placement.address + placement.size_bytes
        yield f"{placement.memory} {placement.address:#010x}-{end:#010x} {placement.tensor}"
    for stage in program.stages:
        expected = f"expected {stage.latency_ps / 1e6:.1f} µs"
        yield f"stage on core{stage.core}: layers {stage.first_layer} to {stage.last_layer}, {expected}"
    layer = None
    for instruction in program.instructions:
        if instruction.layer != layer:
            layer = instruction.layer
            yield ""
            yield _heading(program.layers[layer])
        yield f"  @{instruction.index} {_text(instruction)}"


def to_dict(program: Program) -> dict[str, Any]:
    """The program as JSON has it: records as objects, each instruction with its ``kind``."""
    return {
        "schema": SCHEMA,
        "network": program.network,
        "cores": program.cores,
        "macs": program.macs,
        "stages": [asdict(stage) for stage in program.stages],
        "pace": None if program.pace is None else asdict(program.pace),
        "layers": [asdict(layer) for layer in program.layers],
        "memory": asdict(program.memory_map),
        "instructions": [{"kind": type(i).__name__.lower(), **asdict(i)} for i in program.instructions],
        "warnings": list(program.warnings),
    }


def _heading(layer: Layer) -> str:
    heading = f"layer {layer.index} {layer.name} ({' + '.join(layer.operators)}) on the {layer.unit}"
    if layer.residency is not None:
        heading += f", results in {', '.join(dict.fromkeys(layer.residency.outputs))} ({layer.residency.reason})"
        if layer.residency.weights_reason:
            heading += f", weights in {layer.residency.weights} ({layer.residency.weights_reason})"
    if layer.gemm is None or layer.tiling is None:
        return heading
    gemm, tiling = layer.gemm, layer.tiling
    together = " side by side" if tiling.side_by_side else ""
    held = ", weights held" * tiling.weights_held + ", inputs held" * tiling.inputs_held
    return (
        f"{heading}: {layer.dataflow}, M {gemm.m} K {gemm.k} N {gemm.n} x {gemm.groups}, "
        f"tiles M {tiling.m} K {tiling.k} "
        f"images {tiling.images} rows {tiling.rows} cols {tiling.cols} "
        f"groups {tiling.groups}{together}, {tiling.outer} outside{held}"
    )


def _text(instruction: Instruction) -> str:
    match instruction:
        case Load():
            place = f"core{instruction.core}.{instruction.buffer}"
            return f"load {place} <- {_regions(instruction.regions)}{_after(instruction.depends)}"
        case Store():
            place = f"core{instruction.core}.outputs"
            return f"store {place} -> {_regions(instruction.regions)}{_after(instruction.depends)}"
        case Compute():
            counts = instruction.counts
            frees = f"frees weights {instruction.frees_weights_bytes}, inputs {instruction.frees_inputs_bytes}"
            return (
                f"compute core{instruction.core}: {counts.cycles} cycles, {counts.folds} folds, {counts.macs} MACs, "
                f"takes outputs {instruction.output_bytes}, {frees}{_after(instruction.depends)}"
            )
        case VectorOp():
            moved = f"{_regions(instruction.reads)} -> {_regions(instruction.writes)}"
            return f"host {instruction.operations} operations: {moved}{_after(instruction.depends)}"


def _regions(regions: tuple[Region, ...]) -> str:
    return ", ".join(map(_region, regions))


def _region(region: Region) -> str:
    shape = f"{region.line_bytes}"
    if region.lines > 1:
        shape = f"{region.lines} x {region.line_bytes} / {region.pitch_bytes}"
    return f"{region.memory}[{region.address:#x}: {shape}]"


def _after(depends: tuple[int, ...]) -> str:
    return f" after {' '.join(f'@{index}' for index in depends)}" if depends else ""
