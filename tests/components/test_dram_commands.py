"""Commands that a DRAM tells: as many as it counts, at JEDEC's distances, and no different for being told."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.components.memory.dram.model import DramModel
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.kernel import Simulation
from soc_sim.testing.fakes import Completions, Slices

REQUESTS = st.lists(
    st.tuples(st.integers(0, 20_000_000), st.booleans(), st.integers(0, 2**22), st.integers(1, 4096)),
    min_size=1,
    max_size=40,
)
PAGE_POLICIES = ("open", "closed", "adaptive")
Command = tuple[str, int]
"""Name, and the cycle in which it goes out."""


def served(description: Dram, requests: list[Any], recorder: Slices | None) -> tuple[list[int], dict[str, Any]]:
    """When each request was complete, and the memory's counters."""
    simulation = Simulation(recorder)
    memory, seen = DramModel(simulation, "dram", description), Completions(simulation)
    for time_ps, write, address, size in requests:
        make = seen.write if write else seen.read

        def submit(make: Any = make, address: int = address, size: int = size) -> None:
            memory.submit(make(address, size))

        simulation.call_at(time_ps, submit)
    simulation.run(lambda: True)
    memory.finish()
    return seen.times_ps, memory.counters()


def told(description: Dram, slices: Slices) -> dict[str, list[Command]]:
    """Track → its commands in order of time."""
    found: dict[str, list[Command]] = defaultdict(list)
    for track, name, start_ps, _, _ in slices.taken:
        if track.startswith("dram."):
            assert start_ps % description.timing.tck_ps == 0
            found[track].append((name, start_ps // description.timing.tck_ps))
    return {track: sorted(commands, key=lambda command: command[1]) for track, commands in found.items()}


TURNS = ("controller.scheduling=round_robin", "controller.bank_queue=8", "controller.row_hit_cap=4")
ORDERS = {
    **{policy: ("controller.scheduling=fr_fcfs", f"controller.page_policy={policy}") for policy in PAGE_POLICIES},
    "turns": TURNS,
    "two at once": (*TURNS, "controller.dual_command=true"),
}


@pytest.mark.parametrize("preset", ["ddr4_2400", "lpddr4_3200", "hbm2"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("refresh", ["all_bank", "per_bank"])
@given(requests=REQUESTS)
@settings(max_examples=15)
def test_commands_are_legal_and_all_that_are_counted(
    preset: str, order: str, refresh: str, requests: list[Any]
) -> None:
    overrides = (*ORDERS[order], f"controller.refresh={refresh}", "timing.nRFC_PB=90", "ranks=2")
    description = load(preset, Dram, overrides)
    slices = Slices()
    times_ps, counters = served(description, requests, slices)
    assert (times_ps, counters) == served(description, requests, None)
    commands = told(description, slices)
    counted = Counter(name for of_track in commands.values() for name, _ in of_track)
    assert counted["ACT"] == counters["activates"]
    assert counted["REF" if refresh == "all_bank" else "REFpb"] == counters["refreshes"]
    assert not counted["REFpb" if refresh == "all_bank" else "REF"]
    assert (counted["RD"], counted["WR"]) == (counters["read_bursts"], counters["write_bursts"])
    for track, of_track in commands.items():
        if ".bank" in track:
            rank = commands.get(track.rpartition(".")[0], [])
            check_bank(description, [*of_track, *((name, cycle) for name, cycle in rank)])
    check_activates_of_ranks(description, commands)


def check_bank(description: Dram, commands: list[Command]) -> None:
    """Distances within a bank, refreshes of its rank included (JESD79-4, chapter 4)."""
    timing, nbl = description.timing, description.burst_cycles
    ordered = sorted(commands, key=lambda command: (command[1], not command[0].startswith("PRE")))
    opened, closed, last = None, -timing.nRP, {"RD": -(10**9), "WR": -(10**9)}
    busy_until = 0
    for name, cycle in ordered:
        match name:
            case "ACT":
                assert opened is None
                assert cycle >= max(closed + timing.nRP, busy_until)
                opened = cycle
            case "RD" | "WR":
                assert opened is not None
                assert cycle >= opened + timing.nRCD
                assert cycle >= last[name] + max(nbl, timing.nCCD_L)
                last[name] = cycle
            case "PRE" | "PREA":
                if opened is not None:
                    assert cycle >= opened + timing.nRAS
                    assert cycle >= last["RD"] + timing.nRTP
                    assert cycle >= last["WR"] + timing.nCWL + nbl + timing.nWR
                    opened, closed = None, cycle
            case "REF" | "REFpb":
                assert opened is None
                assert cycle >= max(closed + timing.nRP, busy_until)
                busy_until = cycle + (timing.nRFC if name == "REF" else timing.nRFC_PB or 0)


def check_activates_of_ranks(description: Dram, commands: dict[str, list[Command]]) -> None:
    """Two activates of a rank are tRRD_S apart, and any five span tFAW; two precharges are tPPD apart."""
    activates, precharges = defaultdict(list), defaultdict(list)
    for track, of_track in commands.items():
        rank = track.partition(".bank")[0]
        activates[rank] += [cycle for name, cycle in of_track if name == "ACT"]
        precharges[rank] += [cycle for name, cycle in of_track if name in ("PRE", "PREA")]
    # A row that an access closes needs no command.
    for cycles in precharges.values() if description.controller.page_policy == "open" else ():
        cycles.sort()
        assert all(later - earlier >= description.timing.nPPD for earlier, later in pairwise(cycles))
    for cycles in activates.values():
        cycles.sort()
        assert all(later - earlier >= description.timing.nRRD_S for earlier, later in pairwise(cycles))
        fifths = zip(cycles, cycles[4:], strict=False)
        assert all(fifth - first >= description.timing.nFAW for first, fifth in fifths)


def test_commands_name_the_layer_they_are_for() -> None:
    slices = Slices()
    simulation = Simulation(slices)
    memory = DramModel(simulation, "dram", load("lpddr4_3200", Dram))
    memory.submit(Completions(simulation).read(0, 256, layer=7))
    simulation.run(lambda: True)
    found = [(name, layer) for track, name, _, _, layer in slices.taken if track == "dram.channel0.rank0.bank0"]
    assert found == [("ACT", 7), *[("RD", 7)] * (256 // load("lpddr4_3200", Dram).burst_bytes)]
