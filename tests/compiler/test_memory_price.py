"""Tiles that leave more of a memory to others: what a price of its time does to traffic, and what it is good for."""

from __future__ import annotations

import pytest

from soc_sim import system
from soc_sim.compiler import compile  # noqa: A004  the field's word
from soc_sim.compiler.program import Program
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping, Run
from soc_sim.config.soc import Soc
from soc_sim.errors import ConfigurationError
from soc_sim.network import zoo
from soc_sim.testing.checks import check_record

PRICES = (0.0, 1.0)
DISPLAY = "background=[{name: display, bandwidth: 6 GB/s}]"


def programs(name: str, *overrides: str) -> tuple[Soc, list[Program]]:
    soc, network = load("edge_16x16", Soc, overrides), zoo.load(name)
    return soc, [compile(network, soc, Mapping(memory_price=price)) for price in PRICES]


def traffic(program: Program) -> int:
    return sum(one.dram_read_bytes + one.dram_write_bytes for layer in program.layers if (one := layer.estimate))


def latency(program: Program) -> int:
    return sum(layer.estimate.latency_ps for layer in program.layers if layer.estimate)


@pytest.mark.parametrize("name", ["bert_tiny", "resnet8"])
def test_traffic_is_exchanged_for_time(name: str) -> None:
    """At 12.8 GB/s a byte takes 78 ps: what is saved in bytes costs less in time, up to the 5 % that are equal."""
    _, (free, priced) = programs(name)
    assert traffic(priced) <= traffic(free)
    assert latency(priced) - latency(free) <= 78.125 * (traffic(free) - traffic(priced)) + 0.05 * latency(free)


def test_beside_a_display_a_network_that_moves_less_is_faster() -> None:
    soc, (free, priced) = programs("bert_tiny", DISPLAY)
    assert traffic(priced) < 0.7 * traffic(free)
    records = [system.run(soc, program) for program in (free, priced)]
    check_record(records[1])
    assert records[1].makespan_ps < 0.9 * records[0].makespan_ps


def test_no_price_is_the_default() -> None:
    soc, (free, _) = programs("ds_cnn")
    assert free == compile(zoo.load("ds_cnn"), soc)


def test_energy_has_prices_of_its_own() -> None:
    mapping = {"objective": "energy", "memory_price": 1.0}
    run = {"kind": "run", "soc": "edge_16x16", "workload": {"network": "resnet8"}, "mapping": mapping}
    with pytest.raises(ConfigurationError, match=r"mapping\.memory_price: has no effect with objective energy"):
        load(run, Run)
