"""What bounds a run and what would help, where the answer is known beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from soc_sim.config.loader import load
from soc_sim.config.run import Run
from soc_sim.config.soc import Soc
from soc_sim.explore import bottlenecks
from soc_sim.explore.remedies import remedy
from soc_sim.facade import load_soc, simulate_run

IDEAL = ("soc.dram={kind: ideal_memory}", "soc.weight_memory={kind: ideal_memory}", "soc.interconnect.latency_cycles=0")


def run_of(*overrides: str) -> Run:
    return load({"kind": "run", "soc": "mcu_8x8", "workload": {"network": "resnet8"}}, Run, overrides)


def document_of(run: Run) -> dict[str, Any]:
    return simulate_run(run).document


def test_a_faster_array_saves_a_sixth_of_its_time_where_nothing_else_binds() -> None:
    run = run_of(*IDEAL)
    document = document_of(run)
    first = bottlenecks(run, document, document_of, most=1)[0]
    assert (first["component"], first["reason"], first["change"]) == ("array", "busy", "array clock +20 %")
    assert first["latency_change"] == pytest.approx(-first["share"] / 6, abs=0.01)


def test_the_named_setting_brings_what_was_said() -> None:
    """A user who types the settings gets the latency of the report."""
    run = run_of("soc.dram.read_bandwidth=100 MB/s", "soc.dram.write_bandwidth=100 MB/s")
    document = document_of(run)
    found = bottlenecks(run, document, document_of, most=2)
    assert ("dram", "transfer") in [(entry["component"], entry["reason"]) for entry in found[:2]]
    for entry in found[:2]:
        again = document_of(load(run.model_dump(mode="json", exclude_none=True), Run, entry["set"]))
        assert again["latency_s"] == entry["latency_s"]
        assert entry["latency_change"] == pytest.approx(again["latency_s"] / document["latency_s"] - 1)
    assert [entry["share"] for entry in found] == sorted((entry["share"] for entry in found), reverse=True)


@pytest.mark.parametrize(
    ("component", "reason", "setting"),
    [
        ("array", "busy", "soc.array.clock=1.2 GHz"),
        ("host", "busy", "soc.host.clock=1.2 GHz"),
        ("dram", "refresh", "soc.dram.timing.nRFC=373"),
        ("dram", "arbitration:core0.dma.weights", "soc.dram.timing.tck=521 ps"),
        ("weights", "credit", "soc.buffers.weights.capacity=256 KiB"),
        ("inputs", "transfer", "soc.buffers.inputs.ports=4"),
        ("dma.inputs", "credit", "soc.dma.max_outstanding=128"),
        ("core1.dma.inputs", "credit", "soc.dma.max_outstanding=128"),
        ("core0.weights", "credit", "soc.buffers.weights.capacity=256 KiB"),
    ],
)
def test_remedies_are_settings_that_the_soc_takes(component: str, reason: str, setting: str) -> None:
    soc = load_soc("edge_16x16")
    proposal = remedy(soc, component, reason)
    assert proposal is not None
    assert setting in proposal.settings
    load(soc.model_dump(mode="json", exclude_none=True), Soc, [text.removeprefix("soc.") for text in proposal.settings])


@pytest.mark.parametrize(
    ("soc", "component", "reason", "setting"),
    [
        ("gemmini_16x16_unified_like", "unified", "credit", "soc.buffers.unified.capacity=512 KiB"),
        ("gemmini_16x16_unified_like", "unified", "transfer", "soc.buffers.unified.ports=8"),
        ("edge_16x16", "dma.weights.decompression", "busy", "soc.dma.decompression.bytes_per_cycle=32"),
    ],
)
def test_remedies_for_parts_that_not_every_soc_has(soc: str, component: str, reason: str, setting: str) -> None:
    described = load_soc(soc, ["dma.decompression={bytes_per_cycle: 16}"])
    proposal = remedy(described, component, reason)
    assert proposal is not None
    assert proposal.settings == (setting,)


def test_no_single_setting_helps_an_ideal_memory() -> None:
    soc = load_soc("edge_16x16", ["dram={kind: ideal_memory}"])
    assert remedy(soc, "dram", "transfer") is None
    assert remedy(soc, "nobody", "transfer") is None


def test_clocks_of_a_domain_are_raised_together() -> None:
    """A domain has one frequency: a fifth more for all its clocks, the next of its points, nothing at the last."""
    clocks = "array", "dma", "controller", "interconnect", "host"
    members = f"clocks: [{', '.join(clocks)}]"
    faster = load_soc("mcu_8x8", [f"domains=[{{name: core, {members}}}]"])
    points = "points: [{clock: 200 MHz, voltage: 0.65 V}, {clock: 300 MHz, voltage: 0.8 V}]"
    slow = load_soc("mcu_8x8", ["energy=22nm", f"domains=[{{name: core, {members}, {points}}}]"])
    for soc, change, clock in ((faster, "core clock +20 %", "240 MHz"), (slow, "core clock +50 %", "300 MHz")):
        proposal = remedy(soc, "array", "busy")
        assert proposal is not None
        assert proposal.change == change
        assert proposal.settings == tuple(f"soc.{name}.clock={clock}" for name in clocks)
        raised = load(
            soc.model_dump(mode="json", exclude_none=True), Soc, [s.removeprefix("soc.") for s in proposal.settings]
        )
        assert remedy(raised, "host", "busy") is None or soc is faster
