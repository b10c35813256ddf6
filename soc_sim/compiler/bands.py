"""Cuts host operators into bands of rows, so that they begin while their producer still works, and feed their reader.

Each band is an instruction of its own, with the dependencies of the bytes it touches. Cut is along the outermost
dimension in memory for which an operator computes each index by itself: any one of elementwise operators; rows of the
image (or images) of pooling, whose bands then read their halo again; dimensions before the normalised ones of Softmax
and LayerNormalization. All others run whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from soc_sim.compiler.fusion import Group, family
from soc_sim.compiler.host import HostWork
from soc_sim.compiler.nest import Window
from soc_sim.compiler.views import View
from soc_sim.network.base import Operator

MOST_BANDS = 8
"""Events stay few; the first band begins after an eighth of the producer's time."""
LEAST_BLOCKS = 4
"""Blocks of the host's stream that a band is worth."""

Box = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a host layer."""

    reads: tuple[Box, ...]
    writes: tuple[Box, ...]
    start: int
    stop: int
    total: int
    """It does ``start`` to ``stop`` of ``total`` equal parts of the work."""

    def share(self, amount: int) -> int:
        """Its part of a whole amount; those of all bands sum to it."""
        return amount * self.stop // self.total - amount * self.start // self.total


def bands(group: Group, work: HostWork, block_bytes: int) -> list[Band]:
    """The bands of a host layer, in order; one where it runs whole."""
    whole = Band(tuple(map(_whole, work.reads)), tuple(map(_whole, work.writes)), 0, 1, 1)
    if len(work.writes) != 1 or not work.reads or group.dequantisers:
        return [whole]
    result = work.writes[0]
    axis = _axis(group, result)
    if axis is None:
        return [whole]
    size = result.shape[axis]
    moved = max(result.size_bytes, *(view.size_bytes for view in work.reads))
    count = min(MOST_BANDS, size, moved // (LEAST_BLOCKS * block_bytes))
    window = _window(group.head, work.reads[0], result, axis)
    if count < 2 or not _worth_it(work, result, window):
        return [whole]
    found = []
    for number in range(count):
        start, stop = number * size // count, (number + 1) * size // count
        reads = tuple(_cut(view, result, axis, start, stop, window) for view in work.reads)
        found.append(Band(reads, (_part(result, axis, start, stop),), start, stop, size))
    return found


def _axis(group: Group, result: View) -> int | None:
    """The outermost dimension in memory along which the layer may be cut; None where there is none."""
    allowed = _allowed(group, len(result.shape))
    order = sorted(range(len(result.shape)), key=lambda axis: (-result.strides[axis], axis))
    outermost = next((axis for axis in order if result.shape[axis] > 1), None)
    return outermost if outermost in allowed else None


def _allowed(group: Group, rank: int) -> range | tuple[int, ...]:
    head = group.head
    if all(family(operator) == "elementwise" for operator in group.operators):
        return range(rank)
    if len(group.operators) > 1:
        return ()
    if family(head) == "window" and isinstance(head.attributes.get("kernel_shape"), tuple) and rank == 5:
        return (0, 1, 3)
    if head.op_type in ("Softmax", "LogSoftmax", "LayerNormalization"):
        return range(1 + int(str(head.attributes.get("axis", -1))) % (rank - 1))
    return ()


def _window(head: Operator, source: View, result: View, axis: int) -> Window | None:
    """Which rows of its input a pooling reads; None for other operators, and where whole images are cut."""
    if family(head) != "window" or axis != 3:
        return None

    def first(name: str, default: int) -> int:
        value = head.attributes.get(name)
        return int(value[0]) if isinstance(value, tuple) and value else default

    return Window(
        result.shape[3], source.shape[3], first("kernel_shape", 1), first("strides", 1), first("dilations", 1),
        first("pads", 0),
    )  # fmt: skip


def _worth_it(work: HostWork, result: View, window: Window | None) -> bool:
    """Whether little is read again: an operand that is not cut with the result belongs to every band."""
    if window is not None:
        return len(work.reads) == 1 and window.kernel * 4 <= window.inputs
    if len(work.reads) == 1:
        return True
    again = sum(view.size_bytes for view in work.reads if view.shape != result.shape)
    return again * MOST_BANDS * 16 <= result.size_bytes


def _cut(view: View, result: View, axis: int, start: int, stop: int, window: Window | None) -> Box:
    if window is not None:
        return _part(view, axis, *window.reads(start, stop))
    return _part(view, axis, start, stop) if view.shape[: axis + 1] == result.shape[: axis + 1] else _whole(view)


def _part(view: View, axis: int, start: int, stop: int) -> Box:
    starts, stops = [0] * len(view.shape), list(view.shape)
    starts[axis], stops[axis] = start, stop
    return tuple(starts), tuple(stops)


def _whole(view: View) -> Box:
    return (0,) * len(view.shape), view.shape
