"""What the table of layers shows, for a terminal and for a notebook alike: cells of text derived from the document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soc_sim.observe.wording import percent, printable, si

Document = Mapping[str, Any]
"""What ``run --json`` prints."""

_CORE = re.compile(r"^core\d+\.")
_OTHER = ("wait_metadata", "wait_buffer", "wait_controller", "wait_power", "idle")


@dataclass(frozen=True)
class Row:
    """One layer, or all of them."""

    name: str
    op: str
    flow: str
    shape: str
    macs: int
    macs_executed: int
    array_time_s: Mapping[str, float]
    """Cause → time, ``busy`` included."""
    dram_read_bytes: int
    dram_write_bytes: int
    bound_by: Mapping[str, Any] | None
    """Component, reason and share of what takes most of the array's time; stored results of old may lack it."""

    @property
    def time_s(self) -> float:
        """The array's time that belongs to the layer."""
        return sum(self.array_time_s.values())


@dataclass(frozen=True)
class Column:
    """One column; ``cell`` gets the row and the total."""

    title: str
    cell: Callable[[Row, Row], str]
    rank: int
    """Where space is short, columns of low rank come first; those of one rank stand together or not at all."""
    text: bool = False
    bar: bool = False
    """Whether it stands for a bar of the row's time by cause, for whoever can draw one; the cell is empty."""


def rows(document: Document) -> list[Row]:
    """A row for each layer, and the total as the last one."""
    layers = [_layer(layer) for layer in document["layers"]]
    total = Row(
        name="total",
        op="",
        flow="",
        shape="",
        macs=sum(layer.macs for layer in layers),
        macs_executed=document["macs_executed"],
        array_time_s=document["array_time_s"],
        dram_read_bytes=sum(layer.dram_read_bytes for layer in layers),
        dram_write_bytes=sum(layer.dram_write_bytes for layer in layers),
        bound_by=document.get("bound_by"),
    )
    return [*layers, total]


def columns(document: Document, *, bars: bool = False) -> list[Column]:
    """All columns, in order; one of bars where somebody can draw them."""

    def utilisation(row: Row, total: Row) -> str:
        # In the whole time all PEs could do macs_executed / utilisation; in a layer's time, its part of that.
        possible = total.macs_executed * row.time_s / (document["utilisation"] * total.time_s) if row.macs else 0.0
        return percent(row.macs_executed, possible)

    found = [
        Column("layer", lambda row, _: printable(row.name), 0, text=True),
        Column("op", lambda row, _: row.op, 9, text=True),
        Column("flow", lambda row, _: row.flow, 4, text=True),
        Column("M×K×N", lambda row, _: row.shape, 10, text=True),
        Column("MACs", lambda row, _: si(row.macs, "") if row.macs else "", 8),
        Column("time", lambda row, _: si(row.time_s, "s"), 0),
        Column("time %", lambda row, total: percent(row.time_s, total.time_s), 2),
        Column("util %", utilisation, 1),
        Column("where it went", lambda _row, _total: "", 3, text=True, bar=True),
        _cause("busy %", ("busy",), 6),
        _cause("weights %", ("wait_weights",), 6),
        _cause("inputs %", ("wait_inputs",), 6),
        _cause("outputs %", ("wait_outputs",), 6),
        _cause("host %", ("wait_host",), 6),
        _cause("other %", _OTHER, 6),
        Column("bound by", _bound_by, 5, text=True),
        Column("DRAM read MB", lambda row, _: _megabytes(row.dram_read_bytes), 7),
        Column("DRAM write MB", lambda row, _: _megabytes(row.dram_write_bytes), 7),
    ]
    return [column for column in found if bars or not column.bar]


def _cause(title: str, causes: Sequence[str], rank: int) -> Column:
    return Column(
        title, lambda row, _: percent(sum(row.array_time_s.get(cause, 0) for cause in causes), row.time_s), rank
    )


def _layer(layer: Mapping[str, Any]) -> Row:
    return Row(
        name=layer["name"],
        op=layer["op"],
        flow=layer["dataflow"] or "host",
        shape=_shape(layer),
        macs=layer["macs"],
        macs_executed=layer["macs_executed"],
        array_time_s={"busy": layer["busy_s"], **layer["stall_s"]},
        dram_read_bytes=layer["dram_read_bytes"],
        dram_write_bytes=layer["dram_write_bytes"],
        bound_by=layer.get("bound_by"),
    )


def _shape(layer: Mapping[str, Any]) -> str:
    if layer["m"] is None:
        return ""
    groups = f" (×{layer['groups']})" if layer["groups"] > 1 else ""
    return f"{layer['m']}×{layer['k']}×{layer['n']}{groups}"


def _bound_by(row: Row, _: Row) -> str:
    bound = row.bound_by
    if bound is None:
        return ""
    reason, _, other = bound["reason"].partition(":")
    # An arrow points from the initiator that was served first; its core stands in the document.
    what = "" if reason == "busy" else f" ← {_CORE.sub('', other)}" if other else f" {reason}"
    return f"{bound['component']}{what} {percent(bound['share'], 1)} %"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.3f}"
