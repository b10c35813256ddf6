"""A small valid configuration in four files, which tests break in one place at a time."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "run.yaml": """\
kind: run
soc: soc.yaml
workload:
  network: resnet8
  batch: 1
mapping:
  dataflow: auto
""",
    "soc.yaml": """\
kind: soc
name: tiny
cores: 1
array:
  rows: 8
  cols: 8
  clock: 200 MHz
buffers:
  weights: {capacity: 16 KiB}
  inputs: {capacity: 16 KiB}
  outputs: {capacity: 16 KiB}
dma: {clock: 200 MHz}
controller: {clock: 200 MHz}
interconnect: {kind: bus, clock: 200 MHz, width: 8 B}
dram: dram.yaml
host: {kind: cpu, clock: 200 MHz, lanes: 1}
energy: energy.yaml
""",
    "dram.yaml": """\
kind: dram
name: made up
banks: 8
rows: 1024
row: 2 KiB
bus_bits: 16
burst_length: 8
timing:
  tck: 1.25 ns
  nCL: 11
  nCWL: 8
  nRCD: 11
  nRP: 11
  nRAS: 28
  nWR: 12
  nRTP: 6
  nWTR_S: 6
  nRFC: 208
  nREFI: 6240
  nWTR_L: 6
  nCCD_S: 4
  nCCD_L: 4
  nRRD_S: 5
  nRRD_L: 5
  nFAW: 32
""",
    "energy.yaml": """\
kind: energy
name: made up
technology_nm: 28
macs: [{operand_bits: 8, mac: 0.2 pJ, leakage: 0 mW, area: 0.001 mm2}]
register_pj_per_byte: 0.05
sram: [{capacity: 16 KiB, width_bits: 64, read: 5 pJ, write: 6 pJ, leakage: 0.1 mW, area: 0.05 mm2}]
interconnect_pj_per_byte: 1
host_pj_per_operation: 1
""",
}


def write(folder: Path, changes: dict[str, str | bytes] | None = None) -> Path:
    """Write the files to ``folder`` and return the run's.

    Args:
        folder: Where to.
        changes: ``FILE`` → its whole content, or ``FILE:LINE`` → what this line says instead (nothing: it is dropped).
    """
    lines = {name: text.splitlines() for name, text in FILES.items()}
    for place, content in (changes or {}).items():
        name, _, line = place.partition(":")
        if line and isinstance(content, str):
            lines[name][int(line) - 1] = content
    for name, text in lines.items():
        (folder / name).write_text("".join(f"{line}\n" for line in text if line))
    for name, content in (changes or {}).items():
        if ":" not in name:
            data = content.encode() if isinstance(content, str) else content
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    return folder / "run.yaml"
