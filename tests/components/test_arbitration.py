"""Shares, starvation and blocking under the policies of the interconnect, and whose fault a wait is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from soc_sim.components.interconnect.fabric import Fabric
from soc_sim.components.memory.simple import Simple
from soc_sim.config.interconnect import Interconnect
from soc_sim.config.loader import load
from soc_sim.config.memory import SimpleMemory
from soc_sim.errors import ConfigurationError
from soc_sim.kernel import Simulation, Transfer
from soc_sim.testing.small import small_soc

INITIATORS = ("a", "b", "c")
SIZE_BYTES = 100
CHUNK_PS = 100_000
"""The memory moves a byte in a nanosecond."""


class Saturated:
    """A memory of 1 GB/s that holds two transfers, and initiators that always have ``window`` under way."""

    def __init__(self, window: int = 6, wanting: str = "abc", room: int = 2, **fields: Any) -> None:
        self.simulation = Simulation()
        parts = {"kind": "crossbar", "clock": "1 GHz", "width": "1 KiB", "latency_cycles": 0}
        self.fabric = Fabric(self.simulation, "fabric", load(parts | fields, Interconnect), INITIATORS, {"dram": room})
        memory = {"kind": "simple_memory", "name": "plain", "technology": "sram", "capacity": "1 MiB", "burst": "1 B"}
        rates = {"read_bandwidth": "1 GB/s", "write_bandwidth": "1 GB/s"}
        self.fabric.outputs["dram"].port.connect(Simple(self.simulation, "dram", load(memory | rates, SimpleMemory)))
        self.served: list[tuple[int, str]] = []
        for name in wanting:
            self.simulation.call_at(0, lambda name=name: [self.ask(name, self.again) for _ in range(window)])

    def ask(self, name: str, done: Callable[[Transfer], None]) -> Transfer:
        transfer = Transfer(name, "dram", False, 0, SIZE_BYTES, 1, 0, 1, 0, done)
        self.fabric.submit(transfer)
        return transfer

    def again(self, transfer: Transfer) -> None:
        self.served.append((self.simulation.now_ps, transfer.initiator))
        if self.simulation.now_ps < self.until_ps:
            self.ask(transfer.initiator, self.again)

    def run(self, chunks: int = 400) -> Counter[str]:
        """Transfers of each initiator served in the time of so many, the first tenth left out."""
        self.until_ps = chunks * CHUNK_PS
        self.simulation.run(lambda: True)
        return Counter(name for time_ps, name in self.served if self.until_ps // 10 < time_ps <= self.until_ps)


def test_round_robin_shares_evenly() -> None:
    assert Saturated().run(400) == {"a": 120, "b": 120, "c": 120}


@pytest.mark.parametrize("weights", [{"a": 3}, {"a": 4, "b": 2}, {"a": 5, "b": 3, "c": 2}])
def test_weights_share_bytes_in_proportion(weights: dict[str, int]) -> None:
    """Each initiator's share of 360 transfers, to a transfer at each end of the time looked at."""
    shares = Saturated(window=8, arbitration="weighted", weights=weights).run(400)
    whole = sum(weights.get(name, 1) for name in INITIATORS)
    for name in INITIATORS:
        assert shares[name] == pytest.approx(360 * weights.get(name, 1) / whole, abs=2)


def test_weights_leave_nothing_unused_where_somebody_wants_less() -> None:
    shares = Saturated(wanting="ab", arbitration="weighted", weights={"c": 98}).run(400)
    assert shares == {"a": 180, "b": 180}


def test_a_fixed_priority_starves_and_a_budget_saves_from_starving() -> None:
    """c alone could use all the bandwidth; with 2 of every 5 transfers' bytes, the others share the rest."""
    starving: dict[str, Any] = {"arbitration": "fixed_priority", "priorities": ["c"]}
    assert Saturated(**starving).run(400) == {"c": 360}
    limit = {"initiator": "c", "budget": f"{2 * SIZE_BYTES} B", "window": f"{5 * CHUNK_PS} ps"}
    shares = Saturated(**starving, regulation=[limit]).run(400)
    assert shares["c"] == pytest.approx(360 * 2 / 5, abs=2)
    assert shares["a"] == pytest.approx(360 * 3 / 10, abs=2)
    assert shares["b"] == pytest.approx(360 * 3 / 10, abs=2)


def test_priority_reverses_who_suffers() -> None:
    for first, second in ("ab", "ba"):
        shares = Saturated(wanting="ab", arbitration="fixed_priority", priorities=[first, second]).run(400)
        assert shares == {first: 360}


def test_an_urgent_request_waits_only_for_what_the_memory_holds_already() -> None:
    """Low traffic fills the memory and the queue before it: the urgent one comes third, wherever it stands in line."""
    bench = Saturated(window=50, wanting="ab", arbitration="fixed_priority", priorities=["c"])
    done_ps: list[int] = []
    bench.until_ps = 0
    bench.simulation.call_at(1, lambda: bench.ask("c", lambda _: done_ps.append(bench.simulation.now_ps)))
    bench.simulation.run(lambda: True)
    assert done_ps == [3 * CHUNK_PS]


def test_a_budget_is_an_upper_bound_even_where_nobody_else_wants() -> None:
    """3 transfers a window of 10; over 40 windows exactly so many, as a budget that is used up is not exceeded."""
    limit = {"initiator": "a", "budget": f"{3 * SIZE_BYTES} B", "window": f"{10 * CHUNK_PS} ps"}
    bench = Saturated(wanting="a", regulation=[limit])
    bench.run(400)
    windows = Counter((time_ps - 1) // (10 * CHUNK_PS) for time_ps, _ in bench.served)
    assert [windows[number] for number in range(40)] == [3] * 40


def test_what_exceeds_a_budget_is_missing_in_the_next_window() -> None:
    """A budget of half a transfer: one goes every second window."""
    limit = {"initiator": "a", "budget": f"{SIZE_BYTES // 2} B", "window": f"{CHUNK_PS} ps"}
    assert Saturated(wanting="a", regulation=[limit]).run(400)["a"] == pytest.approx(180, abs=1)


def test_a_wait_is_split_by_who_held_the_memory() -> None:
    """a's two fill the memory; b's first waits 100 ns for a, its second 100 for a, and so on; sums are the waits."""
    bench = Saturated(window=0, room=1)
    bench.until_ps = 0
    asked: list[Transfer] = []

    def ask_all() -> None:
        asked.extend(bench.ask(name, bench.again) for name in "aabb")

    bench.simulation.call_at(0, ask_all)
    bench.simulation.run(lambda: True)
    # Served in turn: a, then (the turn starts with a) a, b, b.
    assert [name for _, name in bench.served] == ["a", "a", "b", "b"]
    waits = {name: traffic.waited_ps for name, traffic in bench.fabric.traffic.items()}
    assert waits["a"] == {"transfer": CHUNK_PS}
    assert waits["b"] == {"arbitration:a": 4 * CHUNK_PS, "transfer": CHUNK_PS}
    assert [(transfer.others_ps, transfer.waited_for) for transfer in asked[2:]] == [(2 * CHUNK_PS, "a")] * 2
    assert list(bench.fabric.traffic["b"].latencies_ps) == [3 * CHUNK_PS, 4 * CHUNK_PS]


def test_a_wait_for_a_budget_is_nobodys_fault() -> None:
    limit = {"initiator": "a", "budget": f"{SIZE_BYTES} B", "window": f"{5 * CHUNK_PS} ps"}
    bench = Saturated(window=2, wanting="a", regulation=[limit])
    bench.until_ps = 0
    bench.simulation.run(lambda: True)
    assert bench.fabric.traffic["a"].waited_ps == {"transfer": CHUNK_PS, "regulation": 4 * CHUNK_PS}


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("interconnect.weights={host: 2}", "weights: has no effect with arbitration round_robin; allowed: weighted"),
        (
            "interconnect.regulation=[{initiator: hosts, budget: 1 KiB, window: 1 us}]",
            "interconnect.regulation[0].initiator: 'hosts' is no initiator; allowed: core0.dma.weights, "
            "core0.dma.inputs, core0.dma.outputs, host; did you mean 'host'?",
        ),
    ],
)
def test_limits_and_weights_name_initiators_that_exist(override: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        small_soc(override)
    assert fault in str(caught.value)
