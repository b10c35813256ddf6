"""A document written by hand: 4 PEs at 1 GHz for 10 µs, so that 40 000 MACs were possible and 12 000 were executed."""

from __future__ import annotations

from typing import Any

import pytest

_CAUSES = ("wait_weights", "wait_inputs", "wait_metadata", "wait_outputs", "wait_buffer", "wait_controller")


@pytest.fixture
def document() -> dict[str, Any]:
    """Two layers: a convolution that owns 4 µs of the array, and a softmax on the host that owns 6 µs."""
    none = dict.fromkeys(_CAUSES, 0.0)
    convolution = {
        "name": "conv1",
        "op": "Conv",
        "operators": ["conv1", 'relu, "one"'],
        "unit": "array",
        "m": 4,
        "k": 30,
        "n": 50,
        "groups": 2,
        "dataflow": "dWS",
        "sparsity": 0.0,
        "start_s": 0.0,
        "end_s": 4.5e-6,
        "compute_cycles": 3000,
        "macs": 12000,
        "macs_executed": 12000,
        "dram_read_bytes": 2_000_000,
        "dram_write_bytes": 500_000,
        "busy_s": 3e-6,
        "stall_s": {**none, "wait_weights": 1e-6, "wait_host": 0.0, "idle": 0.0},
        "stall_reasons_s": {"wait_weights": {"dram": {"row": 1e-6}}},
        "bound_by": {"component": "array", "reason": "busy", "share": 0.75},
        "energy_j": 0.1 + 0.2,
    }
    softmax = {
        **convolution,
        **dict.fromkeys(("m", "k", "n", "groups", "dataflow", "sparsity", "energy_j")),
        **dict.fromkeys(("compute_cycles", "macs", "macs_executed", "dram_read_bytes", "dram_write_bytes"), 0),
        "name": "softmax",
        "op": "Softmax",
        "operators": ["softmax"],
        "unit": "host",
        "busy_s": 0.0,
        "stall_s": {**none, "wait_host": 5e-6, "idle": 1e-6},
        "stall_reasons_s": {"wait_host": {"host": {"busy": 5e-6}}},
        "bound_by": {"component": "dram", "reason": "row", "share": 5 / 6},
    }
    return {
        "schema": 1,
        "version": "0.0",
        "config": {"kind": "run"},
        "seed": 0,
        "network": "tiny",
        "latency_s": 1e-5,
        "latency_ps": 10_000_000,
        "energy_j": 0.003,
        "energy": {"array": 0.001, "dram": 0.002, "host": 0.0},
        "area_mm2": None,
        "macs": 12000,
        "macs_executed": 12000,
        "utilisation": 0.3,
        "array_time_s": {"busy": 3e-6, **none, "wait_weights": 1e-6, "wait_host": 5e-6, "idle": 1e-6},
        "dram": {
            "read_bytes": 2_000_000,
            "write_bytes": 500_000,
            "bandwidth_bytes_per_s": 2.5e11,
            "peak_bytes_per_s": 1e12,
            "row_hits": None,
            "row_misses": None,
            "row_conflicts": None,
        },
        "weight_memory": None,
        "memory": {
            "fits": True,
            "weight_bytes": 240,
            "peak_activation_bytes": 400,
            "used_bytes": {"dram": 640},
            "capacity_bytes": {"dram": 1000},
            "buffer_peak_bytes": {"weights": 240},
        },
        "layers": [convolution, softmax],
        "simulation": {"events": 7, "wall_s": 0.5},
        "warnings": ["softmax runs on the host"],
    }
