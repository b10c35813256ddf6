"""The program: what a network becomes for one SoC. Pure records, no behaviour but reading.

Instructions stand in program order, and each depends on earlier ones only. Units execute their own instructions in
program order: three DMA queues (loads of weights, loads of inputs, stores) and the array of each core, and the host.
Buffer space is taken in program order, too, so a program whose live tiles fit in the buffers cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from soc_sim.config.array import Flow
from soc_sim.config.host import OperationKind
from soc_sim.config.soc import MemoryName
from soc_sim.config.sparsity import FormatName
from soc_sim.network.operators import GemmShape

BufferName = Literal["weights", "inputs", "outputs"]


@dataclass(frozen=True, slots=True)
class Region:
    """A piece of memory: ``lines`` lines of ``line_bytes``, ``pitch_bytes`` apart (one line: a 1-D transfer)."""

    memory: MemoryName
    address: int
    line_bytes: int
    lines: int = 1
    pitch_bytes: int = 0

    @property
    def size_bytes(self) -> int:
        """Bytes moved."""
        return self.line_bytes * self.lines


@dataclass(frozen=True, slots=True)
class TileCounts:
    """What one Compute does on the array: the counts of its GEMMs, in bytes at the buffers."""

    cycles: int
    folds: int
    macs: int
    weight_bytes: int
    """Read from the weights buffer."""
    input_bytes: int
    """Read from the inputs buffer (the second operand of a fused addition included)."""
    output_write_bytes: int
    """Written to the outputs buffer, partial sums included."""
    output_read_bytes: int
    """Partial sums read back."""
    metadata_bytes: int = 0
    """Of ``weight_bytes``: what says where the zeros are, read again with each pass over the weights."""
    zeros_injected: int = 0
    """Words of W that the decompression unit answered with zero, without a read."""
    decompression_stall_cycles: int = 0
    """Beyond ``cycles``: the array waits for the decompression unit."""
    macs_gated: int = 0
    """Of ``macs``: the weight is a zero that the decompression unit has injected."""


@dataclass(frozen=True, slots=True)
class Load:
    """Memory to buffer. Starts when ``depends`` are complete and ``buffer_bytes`` are free."""

    index: int
    layer: int
    core: int
    buffer: BufferName
    regions: tuple[Region, ...]
    buffer_bytes: int
    """Taken in the buffer; without ``regions``, space that a tensor will be kept in."""
    depends: tuple[int, ...] = ()
    once: bool = False
    """The first inference alone: what it brings stays."""
    expands: bool = False
    """What ``regions`` hold is compressed, and is expanded to ``buffer_bytes`` on the way; without any, to zeros."""

    @property
    def written_bytes(self) -> int:
        """What reaches the buffer."""
        return self.buffer_bytes if self.expands else sum(region.size_bytes for region in self.regions)


@dataclass(frozen=True, slots=True)
class Compute:
    """One tile on the array. Starts when its loads are complete and ``output_bytes`` are free in the outputs buffer."""

    index: int
    layer: int
    core: int
    weights: tuple[int, ...]
    """Loads of the weights buffer that must be complete."""
    inputs: tuple[int, ...]
    """Loads of the inputs buffer that must be complete."""
    output_bytes: int
    """Taken in the outputs buffer at the start; 0 where the tile accumulates on what is there."""
    frees_weights_bytes: int
    """Given back at the end."""
    frees_inputs_bytes: int
    """Given back at the end."""
    counts: TileCounts
    stores: tuple[int, ...] = ()
    """Stores into the inputs buffer that must be complete."""
    kept: tuple[Region, ...] = ()
    """Of the inputs buffer: what the tile reads there, beside what its loads have brought."""

    @property
    def depends(self) -> tuple[int, ...]:
        """All that must be complete."""
        return self.weights + self.inputs + self.stores


@dataclass(frozen=True, slots=True)
class Store:
    """Outputs buffer to memory, or to the inputs buffer (a region there).

    Starts when ``depends`` (its Compute among them) are complete; frees the buffer.
    """

    index: int
    layer: int
    core: int
    regions: tuple[Region, ...]
    buffer_bytes: int
    depends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VectorOp:
    """One operator on the host, or a band of its rows: streams ``reads`` in, ``writes`` out, computes in between."""

    index: int
    layer: int
    reads: tuple[Region, ...]
    writes: tuple[Region, ...]
    operations: int
    """Elementary operations of all kinds."""
    depends: tuple[int, ...] = ()
    cycles: int | None = None
    """What they take on this host; None: one cycle for as many as it has lanes."""
    goes_on: bool = False
    """Another band of the operator before: nothing has to be started."""
    kinds: tuple[tuple[OperationKind, int], ...] = ()
    """Of the operations: those whose kind is known."""
    core: int = 0
    """Whose controller hands it to the host."""
    once: bool = False
    """The first inference alone: a copy of weights that stays."""


Instruction = Load | Compute | Store | VectorOp


@dataclass(frozen=True, slots=True)
class Tiling:
    """Sizes of the tiles that are resident in the buffers, and which loop is outside."""

    groups: int
    m: int
    k: int
    images: int
    rows: int
    cols: int
    """Output rows and columns of a tile (a product without image has rows only)."""
    outer: Literal["m", "n"]
    """``m``: all pixels pass for one block of output channels before the next; ``n``: the reverse."""
    weights_held: bool = False
    """Whether all parts of K of a block of weights stay until the last pixels have passed, and are freed one by one."""
    inputs_held: bool = False
    """Whether all tiles of inputs stay until the last block of weights has met them."""
    side_by_side: bool = False
    """Whether the groups of a tile lie side by side on the array (``dataflow.packed``), or run one after another."""
    split: Literal["channels", "rows"] = "channels"
    """What is dealt out to cores: blocks of groups and output channels, or blocks of pixels."""
    cores: int = 1
    """How many cores work on the layer."""
    first_core: int = 0
    """The lowest of them."""


class Share(NamedTuple):
    """What an operand has of a buffer that it shares."""

    tile_bytes: int
    """Its largest tile."""
    tiles: int
    """Two where the next one has room beside it."""

    @property
    def size_bytes(self) -> int:
        """All of it."""
        return self.tile_bytes * self.tiles


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the compiler expected when it chose."""

    compute_cycles: int
    dram_read_bytes: int
    dram_write_bytes: int
    latency_ps: int
    energy_pj: float | None = None
    """None where the choice did not depend on it."""


@dataclass(frozen=True, slots=True)
class Residency:
    """Where the operands of a layer lie while it runs, and why its results lie where they do."""

    weights: MemoryName | None
    """None for layers without weights of their own."""
    inputs: tuple[MemoryName, ...]
    outputs: tuple[MemoryName, ...]
    reason: str
    weights_reason: str = ""
    """Why its weights lie where they do, where they might have lain in shared SRAM."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A fused group of operators that runs as one."""

    index: int
    name: str
    op: str
    """ONNX type of the operator that gives the layer its name."""
    operators: tuple[str, ...]
    """Names of all operators fused into it, in order."""
    unit: Literal["array", "host"]
    macs: int = 0
    gemm: GemmShape | None = None
    dataflow: Flow | None = None
    tiling: Tiling | None = None
    estimate: Estimate | None = None
    sparsity: float | None = None
    """Share of zeros among the weights, used or not; None where there are none or nothing is known of them."""
    weight_format: FormatName | None = None
    """How the weights are stored; None for layers without weights of their own."""
    weight_bytes: int = 0
    """Stored weights and what travels with them (bias), metadata included."""
    metadata_bytes: int = 0
    """Of these: what says where the zeros are."""
    input_bytes_skipped: int = 0
    """Inputs that are not loaded because they would meet zeros only."""
    row_order: tuple[tuple[int, ...], ...] | None = None
    """For each group, output channel of each row of the weights as they are stored; None: in order.

    Rows change places within a tile only: the outputs buffer takes each result at its own place.
    """
    k_order: tuple[tuple[int, ...], ...] | None = None
    """For each group, column of W (channel, then kernel) of each column as they are stored; None: in order.

    The load units fetch the rows of X in the same order.
    """
    reorder_gain: float | None = None
    """Least expected cost with all in order over that of the choice; None where reordering was not asked for."""
    buffer_shares: Mapping[BufferName, Share] | None = None
    """Operand → its part of the buffer that several share; None where there is none."""
    regret: Mapping[Flow, float | None] | None = None
    """Dataflow → the least that it is expected to take by the objective, over the choice; None where it cannot run."""
    residency: Residency | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a tensor lies."""

    tensor: str
    memory: MemoryName
    address: int
    size_bytes: int
    first_layer: int | None = None
    """The layer that writes it; None: it is there before the first one, as inputs and weights are."""
    last_layer: int | None = None
    """The last layer that uses it, from then on others may lie there; None: it stays, as weights do."""


@dataclass(frozen=True, slots=True)
class MemoryMap:
    """What lies where, and how full each memory gets."""

    placements: tuple[Placement, ...]
    weight_bytes: int
    """Packed weights and biases, all layers."""
    peak_activation_bytes: int
    """Highest sum of activations that are alive at once."""
    used_bytes: dict[MemoryName, int]
    """Highest address in use, per memory."""
    activations: Mapping[MemoryName, int] = field(default_factory=dict)
    """Memory → first address of the activations, which every inference writes anew; they reach to the end of what is
    used. A memory without any is not named."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Consecutive layers that one core works on, while others work on other requests."""

    core: int
    first_layer: int
    last_layer: int
    """Included."""
    latency_ps: int
    """Expected, of all its layers."""


@dataclass(frozen=True, slots=True)
class Pace:
    """At which requests are expected to leave a pipeline."""

    interval_ps: int
    bound: str
    """What has the most to do for a request: a core (``core0`` …), the host, or a memory."""


@dataclass(frozen=True)
class Program:
    """A network compiled for an SoC."""

    network: str
    layers: tuple[Layer, ...]
    instructions: tuple[Instruction, ...]
    memory_map: MemoryMap
    cores: int = 1
    warnings: tuple[str, ...] = field(default=())
    sparse: bool = False
    """Whether zeros of weights may be left out."""
    stages: tuple[Stage, ...] = ()
    """Of a layer pipeline, in order; empty where cores work together on one request."""
    pace: Pace | None = None
    """Of a layer pipeline."""
    buffer_parts: int = 1
    """It needs this part of each buffer at most: a half where two programs share a core, and each keeps something."""

    @cached_property
    def once(self) -> frozenset[int]:
        """Indices of the instructions that only the first inference runs."""
        return frozenset(i.index for i in self.instructions if isinstance(i, Load | VectorOp) and i.once)

    @property
    def requests_under_way(self) -> int:
        """Inferences that have to be under way at once for all cores to have work: while one ends, the next begins."""
        return len(self.stages) + 1 if self.stages else 2

    @property
    def macs(self) -> int:
        """Dense multiply-accumulates of the network."""
        return sum(layer.macs for layer in self.layers)

    @cached_property
    def _by_layer(self) -> dict[int, list[Instruction]]:
        found: dict[int, list[Instruction]] = {}
        for instruction in self.instructions:
            found.setdefault(instruction.layer, []).append(instruction)
        return found

    def of_layer(self, layer: int) -> Sequence[Instruction]:
        """The instructions of one layer, in program order."""
        return self._by_layer.get(layer, ())
