"""Small SoCs for the tests of the compiler."""

from __future__ import annotations

from soc_sim.config.soc import Soc

ENERGY = {
    "kind": "energy",
    "name": "none",
    "technology_nm": 28,
    "macs": [{"operand_bits": bits, "mac": "0.1 pJ", "leakage": "0 mW", "area": "0.001 mm2"} for bits in (8, 16, 32)],
    "register_pj_per_byte": 0.0,
    "sram": [
        {"capacity": "1 KiB", "width_bits": 64, "read": "1 pJ", "write": "1 pJ", "leakage": "0 mW", "area": "0.1 mm2"}
    ],
    "interconnect_pj_per_byte": 0.0,
    "host_pj_per_operation": 0.0,
}


def make_soc(
    rows: int = 8,
    cols: int = 8,
    buffers: str | tuple[str, str, str] = "16 KiB",
    cores: int = 1,
    channels: int = 3,
    weight_memory: bool = False,
    capacity: str = "256 MiB",
    **array: object,
) -> Soc:
    """An SoC with a simple memory of 3.2 GB/s."""
    weights, inputs, outputs = (buffers,) * 3 if isinstance(buffers, str) else buffers
    memory = {
        "kind": "simple_memory",
        "name": "memory",
        "technology": "sram",
        "capacity": capacity,
        "read_bandwidth": "3.2 GB/s",
        "write_bandwidth": "3.2 GB/s",
        "read_latency": "50 ns",
        "burst": "32 B",
    }
    return Soc.model_validate(
        {
            "kind": "soc",
            "name": "test",
            "cores": cores,
            "array": {"rows": rows, "cols": cols, "clock": "500 MHz", **array},
            "buffers": {
                "weights": {"capacity": weights},
                "inputs": {"capacity": inputs},
                "outputs": {"capacity": outputs},
            },
            "dma": {"clock": "500 MHz", "channels": channels},
            "controller": {"clock": "500 MHz"},
            "interconnect": {"kind": "crossbar", "clock": "500 MHz", "width": "16 B"},
            "dram": memory,
            "weight_memory": memory if weight_memory else None,
            "host": {"kind": "cpu", "clock": "500 MHz", "lanes": 4},
            "energy": ENERGY,
        }
    )
