"""Energy and area of whole SoCs against hand calculation from the tables named in the descriptions."""

from __future__ import annotations

import pytest

from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.energy.counts import Counts, MemoryCounts, Traffic
from soc_sim.energy.model import area_mm2, estimate
from soc_sim.errors import ConfigurationError

PJ = 1e-12
MS = 10**9
"""Picoseconds of a millisecond."""


def edge(*overrides: str) -> Soc:
    return load("edge_16x16", Soc, overrides)


def test_array_energy_is_that_of_macs_and_registers() -> None:
    # Aladdin at 28 nm: 0.592 pJ an int8 MAC, 2 × 0.0425 pJ a byte written to a register and read.
    found = estimate(edge(), Counts(elapsed_ps=0, macs=1000, register_bytes=6000)).by_component["array"]
    assert found == pytest.approx((1000 * 0.592 + 6000 * 0.085) * PJ)


def test_a_buffer_costs_an_access_for_each_width_of_its_port() -> None:
    # 16 rows of int8 make the weight port 128 bits; CACTI at 28 nm, 128 KiB: 20.600 pJ a read, 19.099 pJ a write.
    traffic = Traffic(read_bytes=16_000, written_bytes=1_600)
    found = estimate(edge(), Counts(elapsed_ps=0, weights_buffer=traffic)).by_component["weights_buffer"]
    assert found == pytest.approx((1000 * 20.600 + 100 * 19.099) * PJ, rel=1e-4)


def test_the_output_buffer_is_as_wide_as_the_longer_edge_in_sums() -> None:
    # 16 sums of 32 bits: two banks of 64 KiB and 256 bits, 23.183 pJ a read each.
    found = estimate(edge(), Counts(elapsed_ps=0, outputs_buffer=Traffic(read_bytes=64))).by_component["outputs_buffer"]
    assert found == pytest.approx(2 * 23.183 * PJ, rel=1e-4)


def test_a_given_port_width_replaces_that_of_the_edge() -> None:
    # CACTI at 28 nm, 128 KiB, 64 bits: 13.854 pJ.
    soc = edge("buffers.inputs.width=8 B")
    found = estimate(soc, Counts(elapsed_ps=0, inputs_buffer=Traffic(read_bytes=8))).by_component["inputs_buffer"]
    assert found == pytest.approx(13.854 * PJ, rel=1e-4)


def test_interconnect_and_host_cost_what_the_table_says() -> None:
    found = estimate(edge(), Counts(elapsed_ps=0, interconnect_bytes=10, host_operations=10)).by_component
    # 8 bits · ½ · 200 fF · (0.92 V)²; multiply + add + 3/8 of the accesses to 32 KiB.
    assert found["interconnect"] == pytest.approx(10 * 8 * 0.5 * 200e-15 * 0.92**2, rel=1e-4)
    assert found["host"] == pytest.approx(10 * (0.468 + 0.124 + (2 * 6.4688 + 5.718) / 8) * PJ, rel=1e-3)


def test_the_hosts_own_energy_goes_before_the_tables() -> None:
    soc = edge("host.pj_per_operation=70")
    assert estimate(soc, Counts(elapsed_ps=0, host_operations=2)).by_component["host"] == pytest.approx(140 * PJ)


def test_an_idle_dram_costs_standby_and_refresh() -> None:
    # LPDDR4: 2 devices · 1.1 V; 20 refreshes of 448 cycles of 0.625 ns; all rows closed for 1 ms.
    counts = Counts(elapsed_ps=MS, dram=MemoryCounts(refreshes=20))
    standby_nj = 2 * 1.1 * 30.273 * 1000
    refresh_nj = 20 * 2 * 1.1 * (106.364 - 33.682) * 448 * 0.625 / 1000
    assert estimate(edge(), counts).by_component["dram"] == pytest.approx((standby_nj + refresh_nj) * 1e-9)


def test_an_open_row_draws_active_standby() -> None:
    counts = Counts(elapsed_ps=MS, dram=MemoryCounts(active_ps=MS))
    assert estimate(edge(), counts).by_component["dram"] == pytest.approx(2 * 1.1 * 33.682e-3 * 1e-3)


def test_the_interface_costs_each_bit_moved() -> None:
    counts = Counts(elapsed_ps=0, dram=MemoryCounts(read_bytes=100, written_bytes=25))
    assert estimate(edge(), counts).by_component["dram"] == pytest.approx(1000 * 3.22 * PJ)


def test_leakage_grows_with_cores_and_time() -> None:
    # 256 PEs · 4.4 µW; three buffers of 128 KiB at 28 nm: 10.938 µW twice, and 2 × 5.5306 µW for the wide one.
    expected_w = (256 * 4.4 + 2 * 10.938 + 2 * 5.5306) * 1e-6
    assert estimate(edge(), Counts(elapsed_ps=MS)).by_component["leakage"] == pytest.approx(expected_w * 1e-3, rel=1e-4)
    twice = estimate(edge("cores=2"), Counts(elapsed_ps=MS)).by_component["leakage"]
    assert twice == pytest.approx(2 * expected_w * 1e-3, rel=1e-4)


def test_an_unknown_memory_energy_is_none_said_and_leaves_the_total_open() -> None:
    soc = load("mcu_8x8", Soc)
    result = estimate(soc, Counts(elapsed_ps=MS, weight_memory=MemoryCounts(read_bytes=1)))
    assert result.by_component["weight_memory"] is None
    assert result.total_j is None
    assert result.warnings == ("energy of memory 'flash_100mb_s' is unknown: its description has no read_pj_per_byte",)


def test_dram_without_currents_or_interface_energy_is_said() -> None:
    lpddr5 = estimate(edge("dram=lpddr5_6400"), Counts(elapsed_ps=MS))
    assert lpddr5.by_component["dram"] is None
    assert lpddr5.warnings == ("energy of memory 'lpddr5_6400' is unknown: its description has no currents",)
    ddr4 = estimate(edge("dram=ddr4_2400"), Counts(elapsed_ps=MS))
    assert ddr4.warnings == (
        "energy of memory 'ddr4_2400' is without its interface: its description has no io_pj_per_bit",
    )


def test_a_memory_on_chip_costs_its_bytes() -> None:
    soc = load("mcu_8x8", Soc)
    result = estimate(soc, Counts(elapsed_ps=0, dram=MemoryCounts(read_bytes=100, written_bytes=10)))
    assert result.by_component["dram"] == pytest.approx((100 * 11.69 + 10 * 9.52) * PJ)
    assert result.warnings == ()


def test_an_ideal_memory_costs_nothing() -> None:
    soc = edge("dram=ideal")
    result = estimate(soc, Counts(elapsed_ps=MS, dram=MemoryCounts(read_bytes=100)))
    assert result.by_component["dram"] == 0


def test_the_total_is_the_sum_of_the_components() -> None:
    counts = Counts(elapsed_ps=MS, macs=10**6, interconnect_bytes=10**6, dram=MemoryCounts(read_bytes=10**6))
    result = estimate(edge(), counts)
    assert result.total_j == pytest.approx(sum(j for j in result.by_component.values() if j is not None))
    assert "weight_memory" not in result.by_component


def test_area_counts_pes_and_buffers_of_all_cores() -> None:
    # A PE: MAC of 369 µm² at 28 nm, and 48 register bits of 5.98 µm² at 40 nm, where the MAC has 6350/16 + 278 µm².
    pe_um2 = 369 * (1 + 48 * 5.98 / (6350 / 16 + 278))
    area = area_mm2(edge("cores=2"))
    assert area["array"] == pytest.approx(2 * 256 * pe_um2 * 1e-6, rel=1e-3)
    assert area["weights_buffer"] == pytest.approx(2 * 0.19004, rel=1e-4)
    assert area["outputs_buffer"] == pytest.approx(2 * 2 * 0.086393, rel=1e-4)


def test_a_missing_operand_width_names_what_the_table_has() -> None:
    soc = edge("array.operand_bits=16")
    only_int8 = soc.energy.model_copy(update={"macs": soc.energy.macs[:1]})
    with pytest.raises(ConfigurationError) as error:
        estimate(soc.model_copy(update={"energy": only_int8}), Counts(elapsed_ps=0))
    assert str(error.value) == (
        "soc.energy.macs: '28nm' has no MAC of 16 bits, which soc.array.operand_bits asks for; it has: 8"
    )


def test_wider_operands_cost_the_square_of_their_width() -> None:
    found = estimate(edge("array.operand_bits=16"), Counts(elapsed_ps=0, macs=1)).by_component["array"]
    assert found == pytest.approx((4 * 0.468 + 0.124) * PJ)
