"""A run in the columns of SCALE-Sim's reports (version 3: simulator.py, single_layer_sim.py).

Cycles are those of the array's clock. ``LayerID`` is the layer's index in the document; layers of the host, which
SCALE-Sim does not know, are left out. Where its figure has no counterpart here, the nearest one is written:

- ``Total Cycles (incl. prefetch)``: from the layer's first load to its last store; layers overlap, so that these do not
  sum to the run. ``Total Cycles`` is the array's time that belongs to the layer, and these do.
- ``Overall Util %`` and ``Compute Util %``: MACs executed over those that all PEs can execute, in the total cycles and
  in those that the tiles take without stalls.
- ``Mapping Efficiency %``: PEs in use, the mean over the folds of a dense GEMM; empty for sparse dataflows, and where
  groups run side by side.
- ``SRAM … Cycle``: start of the layer's first tile, end of the last. ``DRAM … Cycle``: start of the operand's first
  transfer, end of the last. Empty where nothing was moved. Words are as wide as the array's operands, and as its
  accumulators in ``SRAM OFMAP`` of flows that leave partial sums in the buffer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from soc_sim.config.array import Array, dense_family
from soc_sim.observe.columns import Document
from soc_sim.observe.replacing import replacing
from soc_sim.observe.trace.columns import Samples, Slices, Tables
from soc_sim.observe.trace.selection import Selection
from soc_sim.units import PS_PER_S

COMPUTE: Final = (
    "LayerID",
    "Total Cycles (incl. prefetch)",
    "Total Cycles",
    "Stall Cycles",
    "Overall Util %",
    "Mapping Efficiency %",
    "Compute Util %",
)
BANDWIDTH: Final = (
    "LayerID",
    *(f"Avg {operand} {place} BW" for place in ("SRAM", "DRAM") for operand in ("IFMAP", "FILTER", "OFMAP")),
)
ACCESS: Final = (
    "LayerID",
    *(
        f"{place} {operand} {what}"
        for place in ("SRAM", "DRAM")
        for operand, kind in (("IFMAP", "Reads"), ("Filter", "Reads"), ("OFMAP", "Writes"))
        for what in ("Start Cycle", "Stop Cycle", kind)
    ),
)
_OPERANDS: Final = ("inputs", "weights", "outputs")
_SLICES: Final = {"load inputs": "inputs", "load weights": "weights", "store": "outputs", "compute": "array"}


TILES: Final = Selection(frozenset(("tiles",)))
"""What :class:`OperandTimes` needs of a trace."""


class OperandTimes:
    """A sink: when each layer's first and last transfer of an operand was, and its tiles."""

    def __init__(self) -> None:
        self.spans_ps: dict[tuple[int, str], tuple[int, int]] = {}
        """(layer, operand or "array") → first start, last end."""

    def open(self, tables: Tables) -> None:
        """Note the names."""
        self._tables = tables

    def slices(self, block: Slices) -> None:
        """Widen the spans."""
        columns = (block.names, block.layers, block.starts_ps, block.ends_ps)
        for name, layer, start_ps, end_ps in zip(*(column.tolist() for column in columns), strict=True):
            operand = _SLICES.get(self._tables.names[name])
            if operand is not None:
                first, last = self.spans_ps.get((layer, operand), (start_ps, end_ps))
                self.spans_ps[layer, operand] = (min(first, start_ps), max(last, end_ps))

    def samples(self, block: Samples) -> None:
        """Counters say nothing about operands."""

    def close(self, end_ps: int) -> None:
        """All has been told."""


def write_reports(folder: Path, document: Document, array: Array, times: OperandTimes) -> None:
    """Write COMPUTE_REPORT.csv, BANDWIDTH_REPORT.csv and DETAILED_ACCESS_REPORT.csv.

    Raises:
        InputError: they cannot be written.
    """
    layers = [
        _Layer(index, layer, array, len(document["cores"]), times)
        for index, layer in enumerate(document["layers"])
        if layer["dataflow"] is not None
    ]
    for name, header, rows in (
        ("COMPUTE_REPORT", COMPUTE, [layer.compute() for layer in layers]),
        ("BANDWIDTH_REPORT", BANDWIDTH, [layer.bandwidth() for layer in layers]),
        ("DETAILED_ACCESS_REPORT", ACCESS, [layer.access() for layer in layers]),
    ):
        with replacing(folder / f"{name}.csv") as file:
            file.writelines(_line(cells) for cells in (header, *rows))


def _line(cells: Sequence[object]) -> str:
    """As SCALE-Sim separates values: a comma and a blank, and a comma at the end."""
    return ", ".join("" if cell is None else str(cell) for cell in cells) + ",\n"


class _Layer:
    """One layer's rows."""

    def __init__(self, index: int, layer: Mapping[str, Any], array: Array, cores: int, times: OperandTimes) -> None:
        self._index = index
        self._layer = layer
        self._array = array
        self._cores = cores
        self._spans_ps = times.spans_ps

    def compute(self) -> list[object]:
        layer, array = self._layer, self._array
        spans_ps = layer["array_time_ps"]
        total = self._cycles(sum(spans_ps.values())) / self._cores
        busy = self._cycles(spans_ps["busy"]) / self._cores
        first_ps, last_ps = self._moved()
        pes = array.rows * array.cols * self._cores
        macs = layer["macs_executed"]
        return [
            self._index,
            _whole(self._cycles(last_ps - first_ps)),
            _whole(total),
            _whole(total - busy),
            100 * macs / (total * pes) if total else None,
            self._mapping_efficiency(),
            100 * macs * self._cores / (layer["compute_cycles"] * pes) if layer["compute_cycles"] else None,
        ]

    def bandwidth(self) -> list[object]:
        """Words a cycle."""
        total = self._cycles(sum(self._layer["array_time_ps"].values())) / self._cores
        sram = [self._words("buffer", operand) / total if total else None for operand in _OPERANDS]
        return [self._index, *sram, *(self._memory_bandwidth(operand) for operand in _OPERANDS)]

    def access(self) -> list[object]:
        row: list[object] = [self._index]
        for operand in _OPERANDS:
            row += [*self._span("array"), self._words("buffer", operand)]
        for operand in _OPERANDS:
            row += [*self._span(operand), self._words("memory", operand)]
        return row

    def _cycles(self, span_ps: int) -> float:
        return span_ps * self._array.clock_hz / PS_PER_S

    def _moved(self) -> tuple[int, int]:
        """From the first load to the last store, or of the tiles where nothing was moved."""
        spans = [span for operand in (*_OPERANDS, "array") if (span := self._spans_ps.get((self._index, operand)))]
        return min(start for start, _ in spans), max(end for _, end in spans)

    def _span(self, operand: str) -> tuple[int | None, int | None]:
        span = self._spans_ps.get((self._index, operand))
        return (None, None) if span is None else (_whole(self._cycles(span[0])), _whole(self._cycles(span[1])))

    def _words(self, place: str, operand: str) -> int:
        size: int = self._layer[f"{place}_traffic_bytes"][operand]
        sums = place == "buffer" and operand == "outputs" and dense_family(self._layer["dataflow"]) != "dOS"
        return size // (self._array.accumulator_bytes if sums else self._array.operand_bytes)

    def _memory_bandwidth(self, operand: str) -> float | None:
        span = self._spans_ps.get((self._index, operand))
        return None if span is None else self._words("memory", operand) / self._cycles(span[1] - span[0])

    def _mapping_efficiency(self) -> float | None:
        """Of the extents that folds cut into pieces of the grid's size, the mean share that is filled."""
        layer, array = self._layer, self._array
        if layer["dataflow"] not in _FOLDED or layer["side_by_side"]:
            return None
        share = 100.0
        for extent, size in zip(_FOLDED[layer["dataflow"]], (array.rows, array.cols), strict=True):
            share *= layer[extent] / (-(-layer[extent] // size) * size)
        return share


_FOLDED: Final[dict[str, tuple[str, str]]] = {"dOS": ("m", "n"), "dWS": ("m", "k"), "dIS": ("k", "n")}
"""Dense dataflow → what lies along the rows and the columns of the grid (dataflow/README.md)."""


def _whole(cycles: float) -> int:
    return round(cycles)
