"""What surrounds an array in one accelerator core: buffers, DMA and controller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Bytes, Description, Hertz, no_multiple

BufferName = Literal["weights", "inputs", "outputs"]
BUFFERS: tuple[BufferName, ...] = ("weights", "inputs", "outputs")
PadName = Literal["weights", "inputs", "outputs", "unified"]
"""A scratchpad: of one operand, or of several."""


class Scratchpad(Description):
    """An on-chip buffer. The accesses of array and DMA share `banks` × `ports` × `width` bytes a cycle."""

    capacity_bytes: Bytes
    """Space for tiles."""
    ports: Annotated[int, Field(ge=1, le=8)] = 2
    """Accesses a cycle of the array's clock, at each bank."""
    banks: Annotated[int, Field(ge=1, le=256)] = 1
    """Banks, interleaved by words. Accesses that meet at a bank with too few ports lose a cycle; one bank is a memory
    whose ports all reach every word."""
    width_bytes: Bytes | None = None
    """Bytes of one access; default: what the adjoining edge of the array moves in a cycle."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """An access wider than the buffer."""
        if self.width_bytes is not None and self.width_bytes > self.capacity_bytes:
            yield "width", "one access is wider than the whole buffer"


class Buffers(Description):
    """Scratchpads for weights, inputs and outputs: one for each, or `unified` for all that have none of their own."""

    weights: Scratchpad | None = None
    """Weight tiles and biases."""
    inputs: Scratchpad | None = None
    """Input tiles, and the second operand of a fused addition."""
    outputs: Scratchpad | None = None
    """Output tiles; partial sums are accumulated here in accumulator width."""
    unified: Scratchpad | None = None
    """Shared by the operands that are not named here, at least two: capacity, banks and ports. The compiler divides the
    capacity for each layer anew, with the tiles. Its default width is that of the widest of their edges."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Operands without a buffer, a shared one that nobody shares."""
        others = [name for name in BUFFERS if getattr(self, name) is None]
        if self.unified is None:
            for name in others:
                yield name, f"is missing; allowed: {name}, or unified for at least two operands without their own"
        elif len(others) < 2:
            held = f"{others[0]} alone" if others else "nothing"
            yield "unified", f"would hold {held}; allowed: at least two of {', '.join(BUFFERS)} left out beside it"

    def name_of(self, operand: BufferName) -> PadName:
        """The scratchpad that holds an operand."""
        return "unified" if getattr(self, operand) is None else operand

    def of(self, operand: BufferName) -> Scratchpad:
        """Its description."""
        found: Scratchpad = getattr(self, self.name_of(operand))
        return found

    @property
    def pads(self) -> dict[PadName, tuple[BufferName, ...]]:
        """Each scratchpad that there is → the operands in it."""
        found: dict[PadName, tuple[BufferName, ...]] = {}
        for operand in BUFFERS:
            name = self.name_of(operand)
            found[name] = (*found.get(name, ()), operand)
        return found


class LoadDecompression(Description):
    """A unit between interconnect and buffers that expands compressed weights while they are loaded.

    They lie in the buffer, and pass the array, with all their zeros, so that only sparse traffic is saved and the array
    runs dense dataflows.
    """

    bytes_per_cycle: PositiveInt
    """Expanded bytes that leave it in a cycle of the DMA's clock, for example 8."""
    latency_cycles: Annotated[int, Field(ge=0)] = 0
    """From the last byte of a chunk that it has taken to its last expanded byte in the buffer."""


class Dma(Description):
    """Moves tiles between memory and buffers: in-order channels that run side by side."""

    kind: Literal["dma"] = "dma"
    clock_hz: Hertz
    """Clock of the channels, for example 1 GHz."""
    channels: Annotated[int, Field(ge=1, le=3)] = 3
    """1: all transfers in one queue; 2: loads and stores; 3: weights, inputs and outputs each in their own."""
    burst_bytes: Bytes = 64
    """Largest request to the interconnect."""
    max_outstanding: PositiveInt = 16
    """Requests a channel may have under way."""
    descriptor_cycles: Annotated[int, Field(ge=0)] = 8
    """Set-up of one descriptor (1-D or 2-D)."""
    local_width_bytes: Bytes | None = None
    """Bytes that a channel moves from buffer to buffer in a cycle; default: the interconnect's width."""
    decompression: LoadDecompression | None = None
    """Weights with zeros are expanded here, on their way into the weights buffer; default: they lie there compressed,
    and the array's own unit (`array.decompression`) expands them."""
    chunk_bytes: Bytes = 2048
    """Unit of simulated service: bursts that travel as one event; at most half of what may be under way, and less where
    the interconnect has priorities or weights."""

    @property
    def channel_of(self) -> dict[BufferName, str]:
        """Buffer → name of the channel that serves it."""
        match self.channels:
            case 1:
                return dict.fromkeys(BUFFERS, "dma")
            case 2:
                return {"weights": "dma.loads", "inputs": "dma.loads", "outputs": "dma.stores"}
            case _:
                return {buffer: f"dma.{buffer}" for buffer in BUFFERS}

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Chunks that are not made of whole bursts."""
        yield from no_multiple("chunk", self.chunk_bytes, "burst", self.burst_bytes)


Policy = Literal["fifo", "fixed_priority", "edf"]
BufferUse = Literal["shared", "divided"]


class Scheduling(Description):
    """Whose layer is next when several inferences share cores."""

    policy: Policy = "fifo"
    """`fifo`: in order of arrival, each to its end. The others decide anew after each layer (edf: by deadline)."""
    layers_ahead: Annotated[int, Field(ge=0)] | None = None
    """Layers handed out beyond the one at work, which nobody can overtake; default: 1, and with `fifo` any number."""
    buffers: BufferUse = "shared"
    """What streams that share cores have of the buffers. `shared`: each layer all of them, and nothing stays for the
    next; `divided`: each stream an equal part, in which weights and results may stay."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """A limit that would have no effect."""
        if self.policy == "fifo" and self.layers_ahead is not None:
            yield "layers_ahead", "has no effect with policy fifo; allowed: fixed_priority, edf"

    @property
    def limit(self) -> int | None:
        """Layers handed out beyond the one at work; None: no limit."""
        return None if self.policy == "fifo" else 1 if self.layers_ahead is None else self.layers_ahead


class Controller(Description):
    """Hands the instructions of the program to the units, in order."""

    kind: Literal["controller"] = "controller"
    clock_hz: Hertz
    """Clock of the dispatch, for example 1 GHz."""
    dispatch_cycles: Annotated[int, Field(ge=0)] = 4
    """Time of the controller for one instruction."""
    queue_depth: PositiveInt = 16
    """Instructions that may wait before each unit."""
