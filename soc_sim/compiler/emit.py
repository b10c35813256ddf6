"""Writes the instructions of a layer, in an order that lets loads run ahead.

Tiles follow one another in program order, each as its loads, its Compute and its Store. Units are decoupled, so loads
of the next tiles start as soon as there is room. A tile that equals the one loaded last is not loaded again; the last
Compute that uses it gives its space back. Where operands share a buffer, space is taken in program order: a tile that
several Computes use is followed by the load of the next one behind the first of these, not the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from soc_sim.compiler.bands import Band
from soc_sim.compiler.hazards import HOST, Hazards
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.live_channels import LiveChannels
from soc_sim.compiler.loaded import LoadedTiles
from soc_sim.compiler.nest import Nest, Operands
from soc_sim.compiler.program import (
    BufferName,
    Compute,
    Instruction,
    Load,
    Region,
    Store,
    VectorOp,
)
from soc_sim.compiler.tile_counts import TileCounter
from soc_sim.compiler.tiles import Extent, Step, Tiles
from soc_sim.compiler.views import View
from soc_sim.config.array import Array
from soc_sim.config.host import Host, OperationKind
from soc_sim.config.soc import MemoryName

LAYERS_AHEAD = 2
"""With several cores, weights are fetched when the array layer so many before begins, and not earlier."""

Box = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Home:
    """Memory and address of a storage."""

    memory: MemoryName
    address: int


@dataclass(frozen=True, slots=True)
class Copied:
    """Packed weights that the host copies before they are used for the first time."""

    source: Home
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ArrayWork:
    """An array layer, ready to be written down."""

    nest: Nest
    operands: Operands
    tiles: Tiles
    counter: TileCounter
    weights: Home | None
    """Where its packed weights start; None for a product of two activations."""
    offsets: dict[tuple[int, int, int], int]
    """Of the packed tiles by (group, m, k)."""
    live: LiveChannels | None = None
    """Input channels that have to be loaded; None: all."""
    resident: bool = False
    """Whether its weights are loaded once and stay."""
    early: frozenset[BufferName] = frozenset()
    """Of operands that share a buffer: those whose next tile has room beside the one in use."""
    copied: Copied | None = None
    """Where its weights come from before the first inference uses them; None: they are where they are."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A storage in the inputs buffer: its bytes, the layer before which they are taken, and the last that reads it."""

    size_bytes: int
    first: int
    last: int
    core: int = 0


class Emitter:
    """Collects the instructions of a program, layer by layer."""

    def __init__(
        self,
        array: Array,
        cores: int,
        homes: Mapping[str, Home],
        hazards: Hazards,
        kept: Mapping[str, Kept],
        *,
        alone: bool,
    ) -> None:
        """``alone``: whether one core does it all, however many there are."""
        self.array, self.cores, self.homes, self.hazards, self.kept = array, cores, homes, hazards, kept
        self.alone = alone
        self.instructions: list[Instruction] = []
        self.begun: list[int] = []
        """Of each array layer so far, the first Compute of the first core that has any."""
        self.copy: tuple[int, ...] = ()
        """The instruction that copies the weights of the layer at hand."""
        self.taken: dict[str, int] = {}
        """Kept storage → the instruction that takes its space."""

    def host(self, layer: int, work: HostWork, parts: Sequence[Band], host: Host, core: int = 0) -> None:
        """A VectorOp for each band, which ``core`` hands to the host."""
        cycles, unit = work.cycles(host), (core, HOST)
        for number, band in enumerate(parts):
            index = len(self.instructions)
            depends: set[int] = set()
            for view, box in zip(work.reads, band.reads, strict=True):
                depends |= self.hazards.read(view.root, view.span(*box), index, unit)
            for view, box in zip(work.writes, band.writes, strict=True):
                depends |= self.hazards.write(view.root, view.span(*box), index, unit)
            reads, writes = (
                tuple(region for view, box in zip(views, boxes, strict=True) for region in self.regions(view, box))
                for views, boxes in ((work.reads, band.reads), (work.writes, band.writes))
            )
            kinds = tuple((kind, band.share(count)) for kind, count in work.operations)
            operations = sum(count for _, count in kinds)
            self.instructions.append(
                VectorOp(
                    index,
                    layer,
                    reads,
                    writes,
                    operations,
                    tuple(sorted(depends)),
                    band.share(cycles),
                    number > 0,
                    kinds,
                    core,
                )
            )

    def array_layer(self, layer: int, work: ArrayWork, host: Host) -> int:
        """Loads, Computes and Stores of all tiles, one core after the other; the space of what is kept around them.

        Returns:
            Bytes of inputs that are not loaded.
        """
        self.copy = self._copy(layer, work, host)
        for root, kept in self.kept.items():
            if kept.first == layer:
                self.taken[root] = len(self.instructions)
                self.instructions.append(Load(self.taken[root], layer, kept.core, "inputs", (), kept.size_bytes))
        shares = [_CoreShare(self, layer, core, work) for core in range(self.cores)]
        for share in shares:
            share.emit()
        self.begun.append(next(share.first_compute for share in shares if share.first_compute is not None))
        given_bytes = sum(kept.size_bytes for kept in self.kept.values() if kept.last == layer)
        if given_bytes:
            self._give(given_bytes)
        return sum(share.skipped_bytes for share in shares)

    def _copy(self, layer: int, work: ArrayWork, host: Host) -> tuple[int, ...]:
        """The instruction that brings a layer's weights to where they stay, if there is one."""
        if work.copied is None or work.weights is None:
            return ()
        source, target, size = work.copied.source, work.weights, work.copied.size_bytes
        words = size // self.array.operand_bytes
        kinds: tuple[tuple[OperationKind, int], ...] = (("move", words),)
        index = len(self.instructions)
        self.instructions.append(
            VectorOp(
                index,
                layer,
                (Region(source.memory, source.address, size),),
                (Region(target.memory, target.address, size),),
                words,
                cycles=host.operation_cycles(kinds, 2 * words),
                kinds=kinds,
                core=work.tiles.tiling.first_core,
                once=True,
            )
        )
        return (index,)

    @property
    def weights_gate(self) -> tuple[int, ...]:
        """What loads of weights wait for, so that idle cores do not take the memory from those at work."""
        return () if self.alone or len(self.begun) < LAYERS_AHEAD else (self.begun[-LAYERS_AHEAD],)

    def _give(self, size_bytes: int) -> None:
        """Let the last Compute so far give back what it was the last to read."""
        for position in reversed(range(len(self.instructions))):
            compute = self.instructions[position]
            if isinstance(compute, Compute):
                frees_bytes = compute.frees_inputs_bytes + size_bytes
                self.instructions[position] = replace(compute, frees_inputs_bytes=frees_bytes)
                return

    def regions(self, view: View, box: Box) -> tuple[Region, ...]:
        """The memory that a box of a view occupies."""
        home = self.homes[view.root]
        return tuple(
            Region(home.memory, home.address + piece.offset, piece.line_bytes, piece.lines, piece.pitch_bytes)
            for piece in view.pieces(*box)
        )


class _CoreShare:
    """The part of an array layer that one core computes."""

    def __init__(self, emitter: Emitter, layer: int, core: int, work: ArrayWork) -> None:
        self.emitter, self.layer, self.core, self.work = emitter, layer, core, work
        self.nest, self.operands, self.tiles = work.nest, work.operands, work.tiles
        self.operand_bytes = emitter.array.operand_bytes
        self.counter = work.counter
        self.skipped_bytes = 0
        self.first_compute: int | None = None

    def emit(self) -> None:
        instructions, resident, tiling = self.emitter.instructions, self.work.resident, self.tiles.tiling
        steps = list(self.tiles.of_core(self.core))
        last_k = len(self.tiles.channels) - 1
        early = self.work.early
        weights_of = LoadedTiles(
            [(step.group, step.m, step.k) for step in steps],
            held=resident or tiling.weights_held,
            early="weights" in early and not resident,
        )
        inputs_of = LoadedTiles(
            [(step.group, step.n, step.k) for step in steps], held=tiling.inputs_held, early="inputs" in early
        )
        for position, step in enumerate(steps):
            weights = weights_of.loads(position, step, self._load_weights)
            inputs = inputs_of.loads(position, step, self._load_inputs)
            addends = self._load_addends(step) if step.k == last_k else []
            elements = self._output_elements(step)
            output_bytes = elements * self.counter.word_bytes
            addend_bytes = elements * self.operand_bytes * len(self.operands.residuals) if step.k == last_k else 0
            compute = Compute(
                len(instructions),
                self.layer,
                self.core,
                tuple(load.index for load in weights),
                tuple(load.index for load in (*inputs, *addends)),
                output_bytes if step.k == 0 else 0,
                sum(load.buffer_bytes for load in weights) * (not resident and weights_of.ends(position)),
                sum(load.buffer_bytes for load in inputs) * inputs_of.ends(position)
                + sum(load.buffer_bytes for load in addends),
                self.counter.counts(step, addend_bytes),
                *self._read_in_place(step, last_k),
            )
            instructions.append(compute)
            if self.first_compute is None:
                self.first_compute = compute.index
            if step.k == last_k:
                self._store(step, compute.index, output_bytes)
            weights_of.load_ahead(position, steps, self._load_weights)
            inputs_of.load_ahead(position, steps, self._load_inputs)

    def _read_in_place(self, step: Step, last_k: int) -> tuple[tuple[int, ...], tuple[Region, ...]]:
        """Stores that must have put into the inputs buffer what the tile reads there, and where it lies."""
        index, x = len(self.emitter.instructions), self.operands.x
        stores, regions = set[int](), tuple[Region, ...]()
        boxes: list[tuple[View, Box | None]] = [(x, self._input(step))] if self._is_kept(x) else []
        if step.k == last_k:
            boxes += [(view, self._output(step)) for view in self.operands.residuals if self._is_kept(view)]
        for view, box in boxes:
            if box is not None:
                stores |= self.emitter.hazards.read(view.root, view.span(*box), index, (self.core, "array"))
                regions += self.emitter.regions(view, box)
        return tuple(sorted(stores)), regions

    def _is_kept(self, view: View) -> bool:
        return view.root in self.emitter.kept

    def _load_weights(self, step: Step) -> list[Load]:
        """A weight tile; nothing, where it has neither values nor metadata."""
        if self.work.weights is not None:
            size = self.tiles.weight_bytes(step, self.operand_bytes, self.emitter.array.accumulator_bytes)
            if not size and not self.tiles.expands:
                return []
            address = self.work.weights.address + self.work.offsets[step.group, step.m, step.k]
            regions = (Region(self.work.weights.memory, address, size),)
            load = Load(
                len(self.emitter.instructions),
                self.layer,
                self.core,
                "weights",
                regions if size else (),
                self.tiles.buffer_bytes(step, self.operand_bytes, self.emitter.array.accumulator_bytes),
                (*self.emitter.weights_gate, *self.emitter.copy),
                once=self.work.resident,
                expands=self.tiles.expands,
            )
            self.emitter.instructions.append(load)
            return [load]
        if self.operands.w is None:
            raise ValueError("a product of two activations has a view of its first operand")
        extents = (self.tiles.groups[step.group], self.tiles.m[step.m], self.tiles.channels[step.k])
        kernel = (self.nest.rows.kernel, self.nest.cols.kernel)
        box = (*(extent.start for extent in extents), 0, 0), (*(extent.stop for extent in extents), *kernel)
        return self._load_view("weights", self.operands.w, box)

    def _input(self, step: Step) -> Box | None:
        """The raw input of a tile with its halo; None where all of it is padding."""
        pixels = self.tiles.pixels[step.n]
        rows, cols = self.nest.rows.reads(*pixels.rows), self.nest.cols.reads(*pixels.cols)
        if rows[0] == rows[1] or cols[0] == cols[1]:
            return None
        return _box((pixels.images, rows, cols, self.tiles.groups[step.group], self.tiles.channels[step.k]))

    def _load_inputs(self, step: Step) -> list[Load]:
        box = self._input(step)
        if box is None or self._is_kept(self.operands.x):
            return []
        channels, live = self.tiles.channels[step.k], self.work.live
        if live is None or live.of(step) == (channels,):
            return self._load_view("inputs", self.operands.x, box)
        return self._load_live(box, live.of(step))

    def _load_live(self, box: Box, runs: tuple[Extent, ...]) -> list[Load]:
        """The parts of a box of inputs that some weight meets; nothing, where there are none."""
        view, index = self.operands.x, len(self.emitter.instructions)
        boxes = [((*box[0][:-1], run.start), (*box[1][:-1], run.stop)) for run in runs]
        regions = tuple(region for part in boxes for region in self.emitter.regions(view, part))
        size = sum(region.size_bytes for region in regions)
        self.skipped_bytes += sum(region.size_bytes for region in self.emitter.regions(view, box)) - size
        if not boxes:
            return []
        low, high = (view.span(*part) for part in (boxes[0], boxes[-1]))
        depends = self.emitter.hazards.read(view.root, (low[0], high[1]), index, (self.core, "inputs"))
        return self._load("inputs", regions, tuple(sorted(depends)))

    def _load_addends(self, step: Step) -> list[Load]:
        return [
            load
            for view in self.operands.residuals
            if not self._is_kept(view)
            for load in self._load_view("inputs", view, self._output(step))
        ]

    def _load_view(self, buffer: BufferName, view: View, box: Box) -> list[Load]:
        index = len(self.emitter.instructions)
        depends = self.emitter.hazards.read(view.root, view.span(*box), index, (self.core, buffer))
        return self._load(buffer, self.emitter.regions(view, box), tuple(sorted(depends)))

    def _load(self, buffer: BufferName, regions: tuple[Region, ...], depends: tuple[int, ...]) -> list[Load]:
        size = sum(region.size_bytes for region in regions)
        load = Load(len(self.emitter.instructions), self.layer, self.core, buffer, regions, size, depends)
        self.emitter.instructions.append(load)
        return [load]

    def _store(self, step: Step, compute: int, buffer_bytes: int) -> None:
        view, box, index = self.operands.o, self._output(step), len(self.emitter.instructions)
        earlier = self.emitter.hazards.write(view.root, view.span(*box), index, (self.core, "outputs"))
        taken = self.emitter.taken.get(view.root)
        depends = tuple(sorted({compute, *earlier, *(() if taken is None else (taken,))}))
        regions = self.emitter.regions(view, box)
        self.emitter.instructions.append(Store(index, self.layer, self.core, regions, buffer_bytes, depends))

    def _output(self, step: Step) -> Box:
        pixels = self.tiles.pixels[step.n]
        return _box((pixels.images, pixels.rows, pixels.cols, self.tiles.groups[step.group], self.tiles.m[step.m]))

    def _output_elements(self, step: Step) -> int:
        return self.tiles.groups[step.group].size * self.tiles.m[step.m].size * self.tiles.pixels[step.n].size


def _box(extents: Sequence[tuple[int, int]]) -> Box:
    return tuple(extent[0] for extent in extents), tuple(extent[1] for extent in extents)
