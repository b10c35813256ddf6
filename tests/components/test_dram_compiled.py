"""Compiled channels do what plain ones do: the same times, commands and looks."""

from __future__ import annotations

import sys

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from soc_sim import compile as compile_network
from soc_sim import load_network
from soc_sim.components.memory.dram import model
from soc_sim.components.memory.dram.channel import Channel, PlainChannel
from soc_sim.components.memory.dram.mapping import AddressMapping
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.config.soc import Soc
from soc_sim.kernel import Transfer
from soc_sim.system import run

compiled_channel = pytest.importorskip(
    "soc_sim.components.memory.dram.compiled_channel", reason="needs numba (extra 'fast')"
)

TRANSFER = st.tuples(
    st.booleans(),
    st.integers(0, 2**18),
    st.integers(1, 700),
    st.integers(1, 5),
    st.integers(0, 400),
    st.sampled_from([0, 0, 0, 1, 2]),
)
CONTROLLERS = (
    (),
    ("controller.row_hit_cap=4", "controller.bank_queue=8"),
    ("ranks=2",),
    ("channels=2", "channel_interleave=256 B"),
    ("controller.read_queue=8", "controller.write_queue=4"),
    ("timing.nREFI=700",),
    ("mapping=robacobg",),
    ("timing.nPPD=9",),
    ("timing.nPPD=7", "ranks=2", "timing.nREFI=700"),
    ("controller.priority_cycles=30",),
    ("controller.bank_queue=1", "controller.read_queue=2", "controller.priority_cycles=30"),
    ("banks=1", "bank_groups=1", "timing.nREFI=700"),
    ("controller.drain_below=0", "controller.write_queue=4"),
)


def foretell_nothing(memory: model.DramModel, transfers: int) -> None:
    """In place of ``expect``."""


def outcome(channels: list[Channel], wanted: list[tuple[bool, int, int, int, int, int]], looks: int) -> list[object]:
    """Everything that can be seen from outside."""
    cycle, seen = 0, []
    names: dict[Transfer, int] = {}

    def look(cycle: int) -> None:
        for channel in channels:
            seen.append([(names[served.transfer], *served[1:]) for served in channel.look(cycle)])
            seen.append(channel.next_look())

    for write, address, line_bytes, lines, gap, priority in wanted:
        for step in range(looks):
            look(cycle + gap * step // looks)
        cycle += gap
        transfer = Transfer("x", "dram", write, address, line_bytes, lines, 3000, 1, 0, lambda _: None)
        transfer.priority = priority
        names[transfer] = len(names)
        seen += [channel.arrive(cycle, transfer) for channel in channels]
        look(cycle)
    look(cycle + 30_000)
    for channel in channels:
        seen += [channel.open_cycles(cycle + 30_000), channel.counts(cycle + 30_000)[:5]]
    return seen


@settings(max_examples=100, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    st.sampled_from(["ddr4_2400_x64", "lpddr4_3200_x32", "hbm2_2000_x128"]),
    st.sampled_from(CONTROLLERS),
    st.lists(TRANSFER, min_size=1, max_size=25),
    st.integers(0, 2),
)
def test_compiled_channels_equal_plain_ones(
    preset: str, overrides: tuple[str, ...], wanted: list[tuple[bool, int, int, int, int, int]], looks: int
) -> None:
    description = load(preset, Dram, ("controller.scheduling=fr_fcfs", *overrides))
    plain, compiled = (
        outcome([make(description, AddressMapping(description), n) for n in range(description.channels)], wanted, looks)
        for make in (PlainChannel, compiled_channel.CompiledChannel)
    )
    assert plain == compiled


@pytest.mark.parametrize("overrides", [(), ("dram.channels=2", "dram.ranks=2"), ("dram.controller.row_hit_cap=4",)])
def test_compiled_code_takes_over_in_the_middle_of_a_run(
    overrides: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as a channel has nothing to do; times, commands and events stay the same."""
    soc = load("edge_16x16", Soc, overrides)
    program = compile_network(soc, load_network("resnet8"))
    outcomes = []
    monkeypatch.setattr(model.DramModel, "expect", foretell_nothing)
    for transfers in (10**9, 50):
        monkeypatch.setattr(model, "WORTH_COMPILING", transfers)
        record = run(soc, program)
        ways = ("closed_form_bursts", "compiled_bursts")
        assert (record.memories["dram"]["compiled_bursts"] > 0) == (transfers == 50)
        counters = {key: value for key, value in record.memories["dram"].items() if key not in ways}
        outcomes.append((record.makespan_ps, record.events, counters))
    assert outcomes[0] == outcomes[1]


def test_compiled_code_is_loaded_at_once_where_enough_transfers_are_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    soc = load("edge_16x16", Soc)
    program = compile_network(soc, load_network("autoencoder"))
    plain = run(soc, program)
    monkeypatch.setattr(model, "PAYS_FOR_LOADING", 0)
    record = run(soc, program)
    counters = record.memories["dram"]
    assert counters["compiled_bursts"] == counters["read_bursts"] + counters["write_bursts"]
    assert plain.memories["dram"]["compiled_bursts"] == 0
    assert (record.makespan_ps, record.events) == (plain.makespan_ps, plain.events)


def test_compiled_code_is_not_loaded_for_the_last_of_few_transfers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been foretold is nearly over when as many have come as would pay where nothing is known."""
    soc = load("edge_16x16", Soc)
    program = compile_network(soc, load_network("autoencoder"))
    monkeypatch.setattr(model, "WORTH_COMPILING", 0)
    assert run(soc, program).memories["dram"]["compiled_bursts"] == 0
    monkeypatch.setattr(model.DramModel, "expect", foretell_nothing)
    assert run(soc, program).memories["dram"]["compiled_bursts"] > 0


def test_a_numba_that_cannot_be_used_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    soc = load("edge_16x16", Soc)
    program = compile_network(soc, load_network("autoencoder"))
    expected = run(soc, program)
    monkeypatch.setattr(model, "WORTH_COMPILING", 0)
    monkeypatch.setattr(model.DramModel, "expect", foretell_nothing)
    monkeypatch.setitem(sys.modules, "soc_sim.components.memory.dram.compiled_channel", None)
    record = run(soc, program)
    assert (record.makespan_ps, record.events) == (expected.makespan_ps, expected.events)
    assert record.memories["dram"]["compiled_bursts"] == 0
