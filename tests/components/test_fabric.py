"""Arbitration, data paths and latency of the interconnect."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.components.interconnect.arbiter import Turns
from soc_sim.components.interconnect.fabric import Fabric
from soc_sim.components.memory.ideal import Ideal
from soc_sim.components.memory.simple import Simple
from soc_sim.config.interconnect import Interconnect
from soc_sim.config.loader import load
from soc_sim.config.memory import IdealMemory, SimpleMemory
from soc_sim.config.soc import Soc
from soc_sim.kernel import Simulation, Target, Transfer
from soc_sim.testing.fakes import Completions, FixedLatency
from soc_sim.testing.small import small_soc

INITIATORS = ("a", "b", "c")


def description(*overrides: str) -> Interconnect:
    """A crossbar of 16 bytes at 1 GHz without latency."""
    soc: Soc = small_soc("interconnect.width=16 B", "interconnect.latency_cycles=0")
    # Priorities name the initiators of this test, which no SoC has; so they are set on the part alone.
    return Interconnect.model_validate(
        soc.interconnect.model_dump(mode="json") | dict(override.split("=") for override in overrides)
    )


class Bench:
    """A fabric before targets that ``make`` makes."""

    def __init__(
        self,
        make: Callable[[Simulation, str], Target],
        interconnect: Interconnect,
        max_outstanding: int = 1000,
        targets: tuple[str, ...] = ("dram",),
    ) -> None:
        self.simulation = Simulation()
        self.seen = Completions(self.simulation)
        self.fabric = Fabric(
            self.simulation, "fabric", interconnect, INITIATORS, dict.fromkeys(targets, max_outstanding)
        )
        self.targets = {name: make(self.simulation, name) for name in targets}
        for name, target in self.targets.items():
            self.fabric.outputs[name].port.connect(target)

    def read(self, size_bytes: int, initiator: str = "a", **fields: int | str) -> None:
        self.fabric.submit(self.seen.read(0, size_bytes, **fields | {"initiator": initiator}))

    def write(self, size_bytes: int, initiator: str = "a", **fields: int | str) -> None:
        self.fabric.submit(self.seen.write(0, size_bytes, **fields | {"initiator": initiator}))

    def run(self) -> list[int]:
        self.simulation.run(lambda: True)
        return self.seen.times_ps


def ideal(simulation: Simulation, name: str) -> Ideal:
    return Ideal(simulation, name, load({"kind": "ideal_memory"}, IdealMemory))


def simple(bandwidth: str) -> Callable[[Simulation, str], Simple]:
    fields = {"kind": "simple_memory", "name": "plain", "technology": "sram", "capacity": "1 MiB", "burst": "1 B"}
    bandwidths = {"read_bandwidth": bandwidth, "write_bandwidth": bandwidth}
    model = load(fields | bandwidths, SimpleMemory)
    return lambda simulation, name: Simple(simulation, name, model)


def fixed(latency_ps: int) -> Callable[[Simulation, str], FixedLatency]:
    return lambda simulation, name: FixedLatency(simulation, latency_ps, name)


@pytest.mark.parametrize("write", [False, True])
def test_the_latency_is_added_once_to_beats_and_memory(write: bool) -> None:
    """64 bytes are 4 beats; memory 100 ns; latency 5 cycles. Of a write, the memory's time hides the beats."""
    bench = Bench(fixed(100_000), description().model_copy(update={"latency_cycles": 5}))
    (bench.write if write else bench.read)(64)
    assert bench.run() == [105_000 if write else 109_000]


def test_data_flow_on_while_a_slow_memory_delivers() -> None:
    """64 bytes at 1 GB/s: the path, sixteen times as fast, adds nothing."""
    bench = Bench(simple("1 GB/s"), description())
    bench.read(64)
    assert bench.run() == [64_000]


def test_a_slow_path_bounds_a_fast_memory() -> None:
    """512 bytes at 16 bytes a cycle."""
    bench = Bench(simple("64 GB/s"), description())
    bench.read(512)
    assert bench.run() == [32_000]


def test_consecutive_transfers_fill_the_path() -> None:
    bench = Bench(ideal, description())
    for _ in range(10):
        bench.read(160)
    assert bench.run() == [10_000 * number for number in range(1, 11)]
    assert bench.fabric.busy_ps() == {"fabric.dram.read": 100_000, "fabric.dram.write": 0}
    assert {name: traffic.moved_bytes for name, traffic in bench.fabric.traffic.items()} == {"a": 1600, "b": 0, "c": 0}


def test_short_lines_waste_width() -> None:
    """8 lines of 4 bytes take a beat each."""
    bench = Bench(ideal, description())
    bench.read(4, lines=8, pitch_bytes=64)
    assert bench.run() == [8_000]


@pytest.mark.parametrize(("kind", "ends_ps"), [("crossbar", [4_000, 4_000, 4_000]), ("bus", [4_000, 8_000, 12_000])])
def test_a_crossbar_has_a_path_for_each_memory_and_direction_a_bus_only_one(kind: str, ends_ps: list[int]) -> None:
    bench = Bench(ideal, description(f"kind={kind}"), targets=("dram", "weight_memory"))
    bench.read(64)
    bench.write(64)
    bench.read(64, memory="weight_memory")
    assert sorted(bench.run()) == ends_ps
    assert sum(bench.fabric.busy_ps().values()) == 12_000


def test_a_read_passes_writes_that_wait_for_their_path() -> None:
    """Ten writes of 160 bytes keep the write path for 100 ns; the memory is free nearly all of that time."""
    bench = Bench(simple("160 GB/s"), description())
    for _ in range(10):
        bench.write(160)
    bench.read(160, initiator="b")
    bench.run()
    read_ps = next(
        time for time, transfer in zip(bench.seen.times_ps, bench.seen.transfers, strict=True) if not transfer.write
    )
    # Behind the first write, 1 ns at the memory; then its own 10 beats.
    assert read_ps == 1_000 + 10_000


def served(bench: Bench) -> list[str]:
    """Initiators in the order in which the target saw them."""
    target = bench.targets["dram"]
    assert isinstance(target, FixedLatency)
    return [transfer.initiator for _, transfer in target.arrivals]


def test_round_robin_serves_all_in_turn() -> None:
    bench = Bench(fixed(1000), description(), max_outstanding=1)
    for initiator in INITIATORS:
        for _ in range(5):
            bench.read(16, initiator)
    bench.run()
    # The first finds the target free and takes no turn.
    assert served(bench) == ["a", *"abc" * 4, "b", "c"]


def test_the_turn_goes_on_behind_the_last_one_served() -> None:
    """After b it is c's turn, although a has not been served either."""
    arbiter = Turns(INITIATORS, ())
    seen = Completions(Simulation())
    order = []
    for initiator in "bac":
        arbiter.push(seen.read(0, 1, initiator=initiator))
        if initiator == "b":
            order.append(arbiter.pick(lambda _: True))
    assert len(arbiter) == 2
    order += [arbiter.pick(lambda _: True), arbiter.pick(lambda _: True)]
    assert [transfer.initiator for transfer in order if transfer] == ["b", "c", "a"]
    assert not arbiter


def test_a_fixed_priority_starves_the_lower_ones() -> None:
    """c, the highest, always has a request waiting; a and b share what remains, in turn."""
    priorities = description().model_copy(update={"arbitration": "fixed_priority", "priorities": ("c",)})
    bench = Bench(fixed(1000), priorities, max_outstanding=1)
    for initiator in INITIATORS:
        for _ in range(3):
            bench.read(16, initiator)
    bench.run()
    assert served(bench) == [*"a", *"ccc", *"abab", "b"]


def test_a_target_holds_no_more_than_it_can_unless_one_request_is_larger() -> None:
    bench = Bench(fixed(1000), description(), max_outstanding=8)
    for requests in (3, 3, 3, 20, 4, 4):
        bench.read(64, requests=requests)
    bench.run()
    target = bench.targets["dram"]
    assert isinstance(target, FixedLatency)
    # Two of 3 fit; then the third; the one of 20 goes alone; then both of 4.
    assert [time_ps for time_ps, _ in target.arrivals] == [0, 0, 1000, 2000, 3000, 3000]


class Watched:
    """Writes down what reaches a target: (initiator, whether it writes) → addresses."""

    def __init__(self, target: Target, reached: dict[tuple[str, bool], list[int]]) -> None:
        self.name = target.name
        self._target, self._reached = target, reached

    def submit(self, transfer: Transfer) -> None:
        self._reached.setdefault((transfer.initiator, transfer.write), []).append(transfer.address)
        self._target.submit(transfer)


transfers = st.tuples(
    st.sampled_from(INITIATORS),
    st.booleans(),
    st.integers(1, 600),
    st.integers(1, 3),
    st.integers(1, 8),
    st.integers(0, 50_000),
)


@settings(max_examples=100)
@given(
    st.sampled_from(["crossbar", "bus"]),
    st.sampled_from(["1 GB/s", "16 GB/s", "50 GB/s"]),
    st.integers(1, 20),
    st.lists(transfers, min_size=1, max_size=40),
)
def test_nothing_is_lost_early_or_overtaken(
    kind: str, bandwidth: str, max_outstanding: int, wanted: list[tuple[str, bool, int, int, int, int]]
) -> None:
    """No data before the memory has them, no path busier than time passes, and first come first served."""
    reached: dict[tuple[str, bool], list[int]] = {}
    bench = Bench(
        lambda simulation, name: Watched(simple(bandwidth)(simulation, name), reached),
        description(f"kind={kind}"),
        max_outstanding,
    )
    wanted = sorted(wanted, key=lambda one: one[-1])
    for number, (initiator, write, line_bytes, lines, requests, time_ps) in enumerate(wanted):
        make = bench.seen.write if write else bench.seen.read
        transfer = make(
            number, line_bytes, initiator=initiator, lines=lines, pitch_bytes=line_bytes + 8, requests=requests
        )
        bench.simulation.call_at(time_ps, lambda transfer=transfer: bench.fabric.submit(transfer))
    elapsed_ps = max(bench.run())
    assert sum(map(len, reached.values())) == len(wanted)
    for (initiator, write), numbers in reached.items():
        assert numbers == [number for number, one in enumerate(wanted) if one[:2] == (initiator, write)]
    assert sum(traffic.moved_bytes for traffic in bench.fabric.traffic.values()) == sum(
        size * lines for _, _, size, lines, _, _ in wanted
    )
    beats = sum(-(-size // 16) * lines for _, _, size, lines, _, _ in wanted)
    busy_ps = bench.fabric.busy_ps().values()
    assert sum(busy_ps) == beats * 1000
    assert max(busy_ps) <= elapsed_ps
    for done_ps, transfer in zip(bench.seen.times_ps, bench.seen.transfers, strict=True):
        own_beats = -(-transfer.line_bytes // 16) * transfer.lines
        assert done_ps >= transfer.data_end_ps
        assert done_ps >= wanted[transfer.address][-1] + own_beats * 1000
