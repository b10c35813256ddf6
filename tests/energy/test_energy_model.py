"""Energy and area of whole SoCs against hand calculation from the tables named in the descriptions."""

from __future__ import annotations

from math import sqrt

import pytest

from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.energy.area import area
from soc_sim.energy.counts import Counts, MemoryCounts, Traffic
from soc_sim.energy.model import EnergyEstimate, estimate
from soc_sim.errors import ConfigurationError

PJ = 1e-12
MS = 10**9
"""Picoseconds of a millisecond."""
ALL = Counts(
    elapsed_ps=MS,
    macs=10**6,
    macs_gated=10**5,
    idle_pe_cycles=12345,
    register_read_bytes=7 * 10**6,
    register_write_bytes=6 * 10**6,
    pe_to_pe_bytes=10**6,
    decompressed_bytes=999,
    weights_buffer=Traffic(10**5, 10**4, 300),
    outputs_buffer=Traffic(10**5, 10**5),
    interconnect_bytes=10**5,
    host_operations={"add": 17, "exp": 5},
    dram=MemoryCounts(10**5, 10**4, 30, 3125, 313, 20, MS // 2),
)
"""Something of everything."""


def edge(*overrides: str) -> Soc:
    return load("edge_16x16", Soc, overrides)


def component(counts: Counts, name: str, *overrides: str) -> float:
    found = estimate(edge(*overrides), counts).by_component[name]
    assert found is not None
    return found


def test_array_energy_is_that_of_macs_and_registers() -> None:
    # Aladdin at 28 nm: 0.592 pJ an int8 MAC, 0.0425 pJ for a byte latched, and as much for a byte read.
    counts = Counts(elapsed_ps=0, macs=1000, register_read_bytes=6000, register_write_bytes=4000)
    assert component(counts, "array") == pytest.approx((1000 * 0.592 + 10_000 * 0.0425) * PJ)


def test_a_gated_mac_costs_its_share_of_one_that_computes() -> None:
    # Sparseloop's Eyeriss v2 PE: 0.018 pJ gated, 0.561 pJ otherwise; so does a cycle of an idle PE.
    share = 0.018 / 0.561
    counts = Counts(elapsed_ps=0, macs=1000, macs_gated=400, idle_pe_cycles=50)
    assert component(counts, "array") == pytest.approx((600 + 450 * share) * 0.592 * PJ, rel=1e-3)


def test_a_byte_between_pes_pays_for_a_wire_as_long_as_a_pe() -> None:
    # A PE of 525.9 µm² at 28 nm has a side of 22.9 µm; 8 bits · ½ · 200 fF/mm · (0.92 V)².
    expected_j = 100 * 8 * 0.5 * 200e-15 * 0.92**2 * sqrt(525.9e-6)
    assert component(Counts(elapsed_ps=0, pe_to_pe_bytes=100), "array") == pytest.approx(expected_j, rel=1e-3)


def test_a_word_through_the_decompression_unit_passes_two_registers() -> None:
    # 0.072 + 0.036 pJ at 45 nm, by Aladdin's register 0.0425 / 0.0829 at 28 nm.
    counts = Counts(elapsed_ps=0, decompressed_bytes=1000)
    assert component(counts, "decompression") == pytest.approx(1000 * 0.108 * 0.0425 / 0.0829 * PJ, rel=1e-3)


def test_floating_point_has_figures_of_its_own() -> None:
    # Horowitz at 45 nm: fp32 multiply 3.7 and add 0.9 pJ.
    wide = ("array.operand_bits=32", "array.operand_type=float", "energy=45nm")
    assert component(Counts(elapsed_ps=0, macs=1), "array", *wide) == pytest.approx(4.6 * PJ)
    line = next(line for line in estimate(edge(*wide), Counts(elapsed_ps=0, macs=1)).lines if line.count)
    assert (line.action, line.count, line.unit) == ("mac_fp32", 1, "MAC")


def test_a_component_is_the_sum_of_its_lines_to_the_last_bit() -> None:
    found = estimate(edge(), ALL)
    for name, joules in found.by_component.items():
        lines = [line for line in found.lines if line.component == name]
        assert joules == 1e-12 * sum(line.count * line.pj for line in lines), name
    assert {line.component for line in found.lines} <= set(found.by_component)


def test_the_range_is_what_other_sources_give() -> None:
    found = estimate(edge("energy=45nm"), Counts(elapsed_ps=0, macs=1000))
    # Horowitz: 0.2 + 0.1 pJ an int8 MAC at 45 nm; nobody gives more than Aladdin's 1.154 pJ.
    assert found.range_j["array"] == pytest.approx((1000 * 0.3 * PJ, 1000 * 1.154 * PJ), rel=1e-3)
    buffer = estimate(edge("energy=45nm"), Counts(elapsed_ps=0, inputs_buffer=Traffic(read_bytes=800)))
    low, high = range_of(buffer, "inputs_buffer")
    # Horowitz: 10 pJ for 64 bits of 8 KiB at 45 nm, CACTI 6.137.
    assert (low, high / low) == (buffer.by_component["inputs_buffer"], pytest.approx(10 / 6.137, rel=1e-3))
    total = estimate(edge(), ALL).total_range_j
    assert total is not None
    assert total[0] < (estimate(edge(), ALL).total_j or 0) < total[1]


def test_a_memorys_range_is_that_of_published_energies_a_bit() -> None:
    published = "dram.published=[{pj_per_bit: 8, source: a tool}, {pj_per_bit: 100, source: another}]"
    counts = Counts(elapsed_ps=0, dram=MemoryCounts(read_bytes=1000))
    found = estimate(edge(published), counts)
    assert range_of(found, "dram") == pytest.approx((8000 * 3.22 * PJ, 8000 * 100 * PJ))


def test_energy_goes_with_the_square_of_the_voltage_and_leakage_with_the_voltage() -> None:
    point = "domains=[{name: array, points: [{clock: 1 GHz, voltage: 0.69 V}]}]"
    counts = Counts(elapsed_ps=MS, macs=1000, inputs_buffer=Traffic(read_bytes=100), interconnect_bytes=100)
    nominal, low = estimate(edge(), counts), estimate(edge(point), counts)
    for name, power in (("array", 2), ("inputs_buffer", 2), ("leakage", 1), ("interconnect", 0)):
        assert low.by_component[name] == pytest.approx((nominal.by_component[name] or 0) * (0.69 / 0.92) ** power), name


def test_parts_may_have_tables_of_their_own() -> None:
    counts = Counts(elapsed_ps=MS, macs=1000, inputs_buffer=Traffic(read_bytes=100), host_operations={"add": 10})
    mixed = estimate(edge("energy_parts.buffers=65nm", "energy_parts.host=45nm"), counts).by_component
    for name, table in (("array", "28nm"), ("inputs_buffer", "65nm"), ("host", "45nm")):
        assert mixed[name] == estimate(edge(f"energy={table}"), counts).by_component[name]


def test_cells_and_temperature_change_leakage_by_orders_of_magnitude() -> None:
    """CACTI, 64 KiB of 128 bits at 22 nm: 0.0094 mW with LSTP cells, 5.43 with HP, 9.58 at 350 K; 256 KiB alike."""

    def leaked(*overrides: str) -> float:
        soc = edge("energy=22nm", "energy.macs=[{operand_bits: 8, mac: 0 pJ, leakage: 0 mW, area: 1 um2}]", *overrides)
        found = estimate(soc, Counts(elapsed_ps=MS)).by_component["leakage"]
        assert found is not None
        return found

    hp, hot = leaked("energy.cell=hp"), leaked("energy.cell=hp", "energy.temperature_k=350")
    assert hp / leaked() == pytest.approx(sqrt(5.4303 / 0.0094327 * 19.8738 / 0.0357413), rel=1e-3)
    assert hot / hp == pytest.approx(sqrt(9.58034 / 5.4303 * 35.0689 / 19.8738), rel=1e-3)
    assert leaked("energy.cell=hp", "energy.temperature_k=325") == pytest.approx(sqrt(hp * hot))


def test_cells_that_the_table_does_not_have_are_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"energy\.temperature_k: the table has no factors for 400; allowed: 300"
    ):
        edge("energy.cell=lop", "energy.temperature_k=400")
    with pytest.raises(ConfigurationError, match=r"energy\.cell: the table has no factors for 'hp'; allowed: lstp"):
        edge("energy.sram_cells=[]", "energy.cell=hp")


def test_a_buffer_beyond_the_table_is_said() -> None:
    warnings = estimate(edge("buffers.inputs.capacity=4 MiB"), Counts(elapsed_ps=0)).warnings
    assert warnings == (
        "energy of the inputs buffer is extrapolated: a bank has 4096 KiB, the memories of '28nm' 8 to 1024 KiB",
    )


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
    found = estimate(
        edge(), Counts(elapsed_ps=0, interconnect_bytes=10, host_operations={"other": 4, "add": 6})
    ).by_component
    # 8 bits · ½ · 200 fF · (0.92 V)²; multiply + add + 3/8 of the accesses to 32 KiB.
    assert found["interconnect"] == pytest.approx(10 * 8 * 0.5 * 200e-15 * 0.92**2, rel=1e-4)
    memory_pj = (2 * 6.4688 + 5.718) / 8
    assert found["host"] == pytest.approx((4 * (0.468 + 0.124 + memory_pj) + 6 * (0.124 + memory_pj)) * PJ, rel=1e-3)


def test_the_hosts_own_energy_goes_before_the_tables() -> None:
    soc = edge("host.pj_per_operation=70")
    assert estimate(soc, Counts(elapsed_ps=0, host_operations={"add": 2})).by_component["host"] == pytest.approx(
        140 * PJ
    )


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
    soc = load("mcu_8x8", Soc, ["weight_memory.read_pj_per_byte=null"])
    result = estimate(soc, Counts(elapsed_ps=MS, weight_memory=MemoryCounts(read_bytes=1)))
    assert result.by_component["weight_memory"] is None
    assert result.total_j is None
    assert result.warnings == ("energy of memory 'flash_100mb_s' is unknown: its description has no read_pj_per_byte",)


@pytest.mark.parametrize("flash", ["flash_100mb_s", "flash_500mb_s", "octal_flash"])
def test_flash_costs_supply_times_current_per_byte(flash: str) -> None:
    # IS25WP512M: 13 mA at 1.8 V while 532 Mb/s are read, 21 uA otherwise; S25FS512S: 70 mA at 1.8 V for 80 MB/s.
    counts = Counts(elapsed_ps=MS, weight_memory=MemoryCounts(read_bytes=10**6))
    result = estimate(load("mcu_8x8", Soc, [f"weight_memory={flash}"]), counts)
    expected_j = 13e-3 * 1.8 * 1e6 / (532e6 / 8) + 21e-6 * 1.8 * 1e-3
    assert result.by_component["weight_memory"] == pytest.approx(expected_j, rel=1e-3)
    span = result.range_j["weight_memory"]
    assert span is not None
    low, high = span
    assert low == pytest.approx(7e-3 * 3.0 * 1e6 / (166e6 / 2), rel=2e-3)
    assert high == pytest.approx(70e-3 * 1.8 * 1e6 / 80e6, rel=2e-3)


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


def test_a_memory_on_chip_leaks() -> None:
    # CACTI at 45 nm: four blocks of 1 MiB, 24.963 µW each.
    result = estimate(load("mcu_8x8", Soc), Counts(elapsed_ps=MS))
    assert result.by_component["dram"] == pytest.approx(4 * 24.963e-6 * 1e-3, rel=1e-3)


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
    bit_um2 = 5.98 * 369 / (6350 / 16 + 278)
    pe_um2 = 369 + 48 * bit_um2
    found, warnings = area(edge("cores=2"))
    assert found["array"] == pytest.approx(2 * 256 * pe_um2 * 1e-6, rel=1e-3)
    assert found["weights_buffer"] == pytest.approx(2 * 0.19004, rel=1e-4)
    assert found["outputs_buffer"] == pytest.approx(2 * 2 * 0.086393, rel=1e-4)
    assert found["decompression"] == pytest.approx(2 * 32 * 8 * bit_um2 * 1e-6, rel=1e-3)
    assert found["host"] == pytest.approx(16 * pe_um2 * 1e-6, rel=1e-3)
    assert warnings == ("area_mm2 is without interconnect, DMA, controller and PHYs: no figure is at hand",)


def test_area_says_which_host_and_memory_it_lacks() -> None:
    soc = load("mcu_8x8", Soc, ["weight_memory=mram"])
    found, warnings = area(soc)
    assert found["dram"] == pytest.approx(4 * 3.2628, rel=1e-3)
    assert warnings[0].startswith(
        "area_mm2 is without interconnect, DMA, controller and PHYs, the host, memory 'mram':"
    )


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


def range_of(found: EnergyEstimate, name: str) -> tuple[float, float]:
    span = found.range_j[name]
    assert span is not None
    return span
