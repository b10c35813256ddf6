"""Broken configurations: each gives exactly these lines and exit code 2, never a traceback."""

# ruff: noqa: E501 — what is expected is one line, however long

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from descriptions import write

from soc_sim.cli import main

SOC_KEYS = (
    "kind, name, cores, array, buffers, dma, controller, interconnect, dram, weight_memory, system_sram, host, energy, "
    "energy_parts, background, domains"
)
MEMORIES = "dram, simple_memory, ideal_memory"
PART = "allowed: a mapping of kind {}, or the name of its file"
VOLTAGE: dict[str, str | bytes] = {"energy.yaml:3": "technology_nm: 28\nvoltage: 1 V"}
BANDWIDTHS = "B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, TiB/s"
SRAM = "kind: simple_memory, name: x, technology: sram, capacity: 64 KiB, read_bandwidth: 1 GB/s"


@dataclass(frozen=True)
class Broken:
    name: str
    changes: dict[str, str | bytes]
    lines: tuple[str, ...]
    arguments: tuple[str, ...] = field(default=())
    config: str = "run.yaml"


def broken(
    name: str, changes: dict[str, str | bytes], *lines: str, arguments: str = "", config: str = "run.yaml"
) -> Broken:
    settings = tuple(part for text in arguments.split("|") if text for part in ("--set", text))
    return Broken(name, changes, lines, settings, config)


CASES = (
    # Files that are no YAML, or no file at all.
    broken("missing file", {}, "no such file: 'rum.yaml'; did you mean 'run.yaml'?", config="rum.yaml"),
    broken("directory", {"parts/x.yaml": ""}, "'parts' is a directory; allowed: a file", config="parts"),
    broken("empty", {"run.yaml": ""}, "run.yaml:1: the file is empty; allowed: a mapping, as in 'kind: run'"),
    broken("comments only", {"run.yaml": "# nothing\n"}, "run.yaml:1: the file is empty; allowed: a mapping, as in 'kind: run'"),
    broken("list", {"run.yaml": "- 1\n"}, "run.yaml:1: the file holds no keys; allowed: a mapping, as in 'kind: run'"),
    broken("scalar", {"run.yaml": "\nresnet50\n"}, "run.yaml:2: the file holds no keys; allowed: a mapping, as in 'kind: run'"),
    broken("Latin-1", {"run.yaml": b"kind: run\nsoc: \xe4\n"}, "run.yaml:2: is not UTF-8 text; allowed: a YAML file in UTF-8"),
    broken("control character", {"run.yaml": "kind: run\nsoc: \x00\n"}, "run.yaml:2: not valid YAML: the character U+0000 is not allowed"),
    broken("tab", {"run.yaml:4": "\tnetwork: resnet8"}, "run.yaml:4: not valid YAML: a tab; indent with spaces"),
    broken(
        "open bracket", {"run.yaml:7": "  dataflow: [auto"},
        "run.yaml:8: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
    ),
    broken("bad indentation", {"run.yaml:4": "  network: a: b"}, "run.yaml:4: not valid YAML: mapping values are not allowed here"),
    broken("undefined alias", {"run.yaml:2": "soc: *x"}, "run.yaml:2: not valid YAML: found undefined alias 'x'"),
    broken("anchor in itself", {"run.yaml:3": "workload: &w", "run.yaml:4": "  network: *w"}, "run.yaml:3: an anchor contains itself"),
    broken("two documents", {"run.yaml:6": "---\nmapping:"}, "run.yaml:6: not valid YAML: more than one document ('---')"),
    broken("Python tag", {"run.yaml:5": "  batch: !!python/name:os.system"}, "run.yaml:5: the tag '!!python/name:os.system' is not allowed here; leave it out"),
    broken("own tag", {"run.yaml:5": "  batch: !many 3"}, "run.yaml:5: the tag '!many' is not allowed here; leave it out"),
    broken("key is a list", {"run.yaml:5": "  [batch]: 1"}, "run.yaml:5: a list or mapping cannot be a key"),
    broken("deep nesting", {"run.yaml:5": "  batch: " + "[" * 2000}, "run.yaml:1: nested too deeply"),
    broken(
        "aliases blown up",
        {"run.yaml": "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in ("ab", "bc", "cd", "de", "ef")
        )},
        "run.yaml:1: more than 100000 values, anchors included",
    ),
    # Keys.
    broken("duplicate key", {"soc.yaml:6": "  rows: 4\n  cols: 8"}, "soc.yaml:6: soc.array.rows: the key is given twice (first on line 5)"),
    broken(
        "unknown key", {"soc.yaml:5": "  rws: 8"},
        "soc.yaml:4: soc.array.rows: is missing; allowed: a whole number, 1 to 4096",
        "soc.yaml:5: soc.array.rws: unknown key; allowed: kind, rows, cols, clock, operand_bits, accumulator_bits, "
        "operand_type, clock_gating, dataflows, edge_tiles, os_drain, tile_overlap, decompression; did you mean 'rows'?",
    ),
    broken("unknown key at the top", {"run.yaml:7": "  dataflow: auto\nsead: 1"}, "run.yaml:8: sead: unknown key; allowed: kind, soc, workload, mapping, trace, seed, power, frequency_changes; did you mean 'seed'?"),
    broken("missing key", {"run.yaml:4": ""}, "run.yaml:3: workload.network: is missing; allowed: a mapping of kind network, or the name of its file, or a name, or the path of an .onnx or .csv file"),
    broken("missing part", {"soc.yaml:13": ""}, f"soc.yaml:1: soc.controller: is missing; {PART.format('controller')}"),
    broken("missing in flow style", {"soc.yaml:12": "dma: {}"}, "soc.yaml:12: soc.dma.clock: is missing; allowed: a quantity, as in '800 MHz'"),
    broken("missing in a referenced file", {"dram.yaml:12": ""}, "dram.yaml:8: soc.dram.timing.nRCD: is missing; allowed: a whole number, 0 or more"),
    # Types and ranges.
    broken("text for a number", {"soc.yaml:5": "  rows: many"}, "soc.yaml:5: soc.array.rows: 'many' is text; allowed: a whole number, 1 to 4096"),
    broken("quoted number", {"soc.yaml:5": "  rows: '8'"}, "soc.yaml:5: soc.array.rows: '8' is text; allowed: a whole number, 1 to 4096"),
    broken("octal look-alike", {"soc.yaml:5": "  rows: 010"}, "soc.yaml:5: soc.array.rows: '010' is text; allowed: a whole number, 1 to 4096"),
    broken("sexagesimal look-alike", {"soc.yaml:5": "  rows: 1:30"}, "soc.yaml:5: soc.array.rows: '1:30' is text; allowed: a whole number, 1 to 4096"),
    broken("fraction", {"soc.yaml:5": "  rows: 8.5"}, "soc.yaml:5: soc.array.rows: 8.5 is not a whole number; allowed: a whole number, 1 to 4096"),
    broken("infinity", {"soc.yaml:5": "  rows: .inf"}, "soc.yaml:5: soc.array.rows: inf is not a whole number; allowed: a whole number, 1 to 4096"),
    broken("not a number", {"energy.yaml:5": "register_pj_per_byte: .nan"}, "energy.yaml:5: soc.energy.register_pj_per_byte: nan is out of range; allowed: a number, 0 or more"),
    broken("zero", {"soc.yaml:5": "  rows: 0"}, "soc.yaml:5: soc.array.rows: 0 is out of range; allowed: a whole number, 1 to 4096"),
    broken("negative", {"run.yaml:5": "  batch: -1"}, "run.yaml:5: workload.batch: -1 is out of range; allowed: a whole number, 1 or more"),
    broken("too large", {"soc.yaml:3": "cores: 1e9"}, "soc.yaml:3: soc.cores: 1000000000 is out of range; allowed: a whole number, 1 to 64"),
    broken("huge number", {"soc.yaml:3": "cores: " + "9" * 99}, f"soc.yaml:3: soc.cores: {'9' * 99} is out of range; allowed: a whole number, 1 to 64"),
    broken("truth value for a number", {"soc.yaml:3": "cores: true"}, "soc.yaml:3: soc.cores: true is a truth value; allowed: a whole number, 1 to 64"),
    broken("nothing for a number", {"soc.yaml:3": "cores:"}, "soc.yaml:3: soc.cores: nothing is given; allowed: a whole number, 1 to 64"),
    broken("list for a number", {"soc.yaml:3": "cores: [1]"}, "soc.yaml:3: soc.cores: a list is given; allowed: a whole number, 1 to 64"),
    broken("number for text", {"soc.yaml:2": "name: 8"}, "soc.yaml:2: soc.name: 8 is a number; allowed: text"),
    broken("text for a mapping", {"run.yaml:3": "workload: resnet50", "run.yaml:4": "", "run.yaml:5": ""}, "run.yaml:3: workload: 'resnet50' is text; allowed: a mapping"),
    broken("nothing for a part", {"soc.yaml:12": "dma:"}, f"soc.yaml:12: soc.dma: nothing is given; {PART.format('dma')}"),
    broken("empty list", {"energy.yaml:4": "macs: []"}, "energy.yaml:4: soc.energy.macs: the list is empty; allowed: a list"),
    broken("fault inside a list", {"energy.yaml:4": "macs: [{operand_bits: 8, mac: 0.2, leakage: 0 mW, area: 0.001 mm2}]"}, "energy.yaml:4: soc.energy.macs[0].mac: 0.2 has no unit; write it as in '0.6 pJ'"),
    # Choices.
    broken("unknown dataflow", {"run.yaml:7": "  dataflow: dos"}, "run.yaml:7: mapping.dataflow: 'dos' is unknown; allowed: auto, dOS, dWS, dIS, sOS, sWS, sIS, csOS; did you mean 'dOS'?"),
    broken("unknown dataflow of a layer", {"run.yaml:7": "  dataflow: {conv1.0: dOS, fc: wS}"}, "run.yaml:7: mapping.dataflow.fc: 'wS' is unknown; allowed: auto, dOS, dWS, dIS, sOS, sWS, sIS, csOS; did you mean 'sWS'?"),
    broken("number among choices", {"dram.yaml:6": "bus_bits: 12"}, "dram.yaml:6: soc.dram.bus_bits: 12 is not among the choices; allowed: 8, 16, 32, 64, 128"),
    broken("text for a number among choices", {"dram.yaml:6": "bus_bits: '16'"}, "dram.yaml:6: soc.dram.bus_bits: '16' is text; allowed: 8, 16, 32, 64, 128"),
    broken("YAML 1.1's no", {"run.yaml:7": "  sparse: no"}, "run.yaml:7: mapping.sparse: 'no' is text; allowed: true or false"),
    # Sparsity.
    broken("unknown pattern", {"run.yaml:5": "  sparsity: {pattern: tile_column, level: 0.5}"}, "run.yaml:5: workload.sparsity.pattern: 'tile_column' is unknown; allowed: unstructured, tile_columns, tile_rows, n_of_m, channels, blocks; did you mean 'tile_columns'?"),
    broken("level beyond one", {"run.yaml:5": "  sparsity: {pattern: blocks, level: 70}"}, "run.yaml:5: workload.sparsity.level: 70 is out of range; allowed: a number, 0 to 1"),
    broken("pattern without level", {"run.yaml:5": "  sparsity: {pattern: blocks}"}, "run.yaml:5: workload.sparsity.level: is missing; a pattern needs a number, 0 to 1"),
    broken("no source of zeros", {"run.yaml:5": "  sparsity: {from_weights: false}"}, "run.yaml:5: workload.sparsity: no source of zeros is given; allowed: one of pattern (with level), from_weights: true, weights: FILE.npz"),
    broken("two sources of zeros", {"run.yaml:5": "  sparsity: {pattern: blocks, level: 0.5, from_weights: true}"}, "run.yaml:5: workload.sparsity.from_weights: the zeros are those of pattern already; allowed: one of pattern (with level), from_weights: true, weights: FILE.npz"),
    broken("missing file of weights", {"run.yaml:5": "  sparsity: {weights: w.npz}"}, "run.yaml:5: workload.sparsity.weights: no such file: 'w.npz'"),
    broken("sparse in words", {"run.yaml:5": "  sparsity: sparse"}, "run.yaml:5: workload.sparsity: 'sparse' is unknown; allowed: dense"),
    broken("unknown format", {"run.yaml:7": "  format: bitmap"}, "run.yaml:7: mapping.format: 'bitmap' is unknown; allowed: dense, two_stage_bitmap, csb, csr"),
    # Quantities.
    broken("no unit", {"soc.yaml:7": "  clock: 200"}, "soc.yaml:7: soc.array.clock: 200 has no unit; write it as in '800 MHz'"),
    broken("wrong unit", {"soc.yaml:7": "  clock: 200 ns"}, "soc.yaml:7: soc.array.clock: 'ns' is not a unit here; allowed: Hz, kHz, MHz, GHz, THz"),
    broken("bits", {"soc.yaml:9": "  weights: {capacity: 16 Kib}"}, "soc.yaml:9: soc.buffers.weights.capacity: 'Kib' is not a unit here; bits are not accepted, write bytes (B)"),
    broken("negative size", {"soc.yaml:9": "  weights: {capacity: -16 KiB}"}, "soc.yaml:9: soc.buffers.weights.capacity: '-16 KiB' is out of range; allowed: more than zero"),
    broken("zero clock", {"soc.yaml:7": "  clock: 0 Hz"}, "soc.yaml:7: soc.array.clock: '0 Hz' is out of range; allowed: more than zero"),
    broken("less than a byte", {"soc.yaml:9": "  weights: {capacity: 0.5 B}"}, "soc.yaml:9: soc.buffers.weights.capacity: '0.5 B' is less than the smallest step, 1 bytes"),
    broken("absurd clock", {"soc.yaml:7": "  clock: 1e300 GHz"}, "soc.yaml:7: soc.array.clock: '1e300 GHz' is out of range; allowed: up to 1 THz"),
    broken("no quantity", {"soc.yaml:7": "  clock: fast"}, "soc.yaml:7: soc.array.clock: 'fast' is not a quantity; write a number with a unit, as in '800 MHz'"),
    broken("mapping for a quantity", {"soc.yaml:7": "  clock: {hz: 1}"}, "soc.yaml:7: soc.array.clock: a mapping is given; allowed: a quantity, as in '800 MHz'"),
    # Kinds and references.
    broken("unknown kind", {"run.yaml:1": "kind: rnu"}, "run.yaml:1: kind: 'rnu' is unknown; allowed: run, scenario, prune, study, soc, array, dma, controller, crossbar, bus, ideal, dram, simple_memory, ideal_memory, system_sram, vector_unit, cpu, energy, network; did you mean 'run'?"),
    broken("unknown kind of a part", {"soc.yaml:15": "dram: {kind: drm, name: x}"}, f"soc.yaml:15: soc.dram.kind: 'drm' is unknown; allowed: {MEMORIES}; did you mean 'dram'?"),
    broken("no kind", {"soc.yaml:15": "dram: {name: x}"}, f"soc.yaml:15: soc.dram.kind: is missing; allowed: {MEMORIES}"),
    broken("unknown kind in a referenced file", {"dram.yaml:1": "kind: dramm"}, f"dram.yaml:1: soc.dram.kind: 'dramm' is unknown; allowed: {MEMORIES}; did you mean 'dram'?"),
    broken("wrong kind of file", {"soc.yaml:15": "dram: energy.yaml"}, f"soc.yaml:15: soc.dram: 'energy.yaml' is of kind 'energy'; allowed: {MEMORIES}"),
    broken("file without kind for a part", {"dram.yaml:1": ""}, f"soc.yaml:15: soc.dram: 'dram.yaml' has no kind and counts as a run; allowed: {MEMORIES}"),
    broken("missing reference", {"soc.yaml:15": "dram: drm.yaml"}, "soc.yaml:15: soc.dram: no such file: 'drm.yaml'; did you mean 'dram.yaml'?"),
    broken("reference to a directory", {"run.yaml:2": "soc: ./"}, "run.yaml:2: soc: './' is a directory; allowed: a file"),
    broken("malformed referenced file", {"dram.yaml:3": "banks: ]"}, "dram.yaml:3: soc.dram: not valid YAML: while parsing a block node, expected the node content, but found ']'"),
    broken("empty referenced file", {"dram.yaml": ""}, "dram.yaml:1: soc.dram: the file is empty; allowed: a mapping, as in 'kind: run'"),
    broken("file refers to itself", {"soc.yaml:15": "dram: soc.yaml"}, "soc.yaml:15: soc.dram: files refer to each other in a circle: soc.yaml → soc.yaml"),
    broken("circle of two", {"soc.yaml:15": "dram: run.yaml"}, "soc.yaml:15: soc.dram: files refer to each other in a circle: run.yaml → soc.yaml → run.yaml"),
    broken("package that is not installed", {"run.yaml:2": "soc: package://no_such_package/soc.yaml"}, "run.yaml:2: soc: the package 'no_such_package' is not installed; allowed: an installed package, 'pip install soc_sim[examples]' brings those of the shipped descriptions"),
    broken("package without a path", {"run.yaml:2": "soc: package://numpy"}, "run.yaml:2: soc: 'package://numpy' names no file of a package; write it as package://NAME/inner/path"),
    broken("part that ships no files", {"soc.yaml:16": "host: fast"}, "soc.yaml:16: soc.host: 'fast' is not known; allowed: the path of a file"),
    # Networks.
    broken("missing model", {"run.yaml:4": "  network: models/x.onnx"}, "run.yaml:4: workload.network: no such file: 'models/x.onnx'"),
    broken("model without its file", {"run.yaml:4": "  network: {kind: network, model: x.onnx}"}, "run.yaml:4: workload.network.model: no such file: 'x.onnx'"),
    broken("network without model", {"run.yaml:4": "  network: {kind: network}"}, "run.yaml:4: workload.network.model: is missing; allowed: a name, or the path of an .onnx or .csv file"),
    broken("input of no size", {"run.yaml:4": "  network: {kind: network, model: a/., input_shapes: [{name: x, shape: [1, 0]}]}"},
        "run.yaml:4: workload.network.model: no such file: 'a/.'",
        "run.yaml:4: workload.network.input_shapes[0].shape[1]: 0 is out of range; allowed: a whole number, 1 or more"),
    # Between fields.
    broken("burst across rows", {"dram.yaml:5": "row: 100 B"}, "dram.yaml:5: soc.dram.row: 100 B is not a multiple of a burst, 16 B"),
    broken("interleaving cuts bursts", {"dram.yaml:5": "row: 2 KiB\nchannel_interleave: 24 B"}, "dram.yaml:6: soc.dram.channel_interleave: 24 B is not a multiple of a burst, 16 B"),
    broken("row closes too early", {"dram.yaml:14": "  nRAS: 3"}, "dram.yaml:14: soc.dram.timing.nRAS: 3 is less than nRCD, 11: a row would close before it can be accessed"),
    broken("refresh all the time", {"dram.yaml:19": "  nREFI: 208"}, "dram.yaml:19: soc.dram.timing.nREFI: 208 is not more than nRFC, 208: refreshing would leave no time"),
    broken("chunk cuts bursts", {"soc.yaml:12": "dma: {clock: 200 MHz, burst: 48 B}"}, "soc.yaml:12: soc.dma.chunk: 2 KiB is not a multiple of burst, 48 B"),
    broken("block cuts bursts", {"soc.yaml:16": "host: {kind: cpu, clock: 200 MHz, lanes: 1, block: 65 B}"}, "soc.yaml:16: soc.host.block: 65 B is not a multiple of burst, 64 B"),
    broken("access wider than the buffer", {"soc.yaml:9": "  weights: {capacity: 8 B, width: 16 B}"}, "soc.yaml:9: soc.buffers.weights.width: one access is wider than the whole buffer"),
    broken("operand without a buffer", {"soc.yaml:10": "  # none"}, "soc.yaml:8: soc.buffers.inputs: is missing; allowed: inputs, or unified for at least two operands without their own"),
    broken("nothing to share", {"soc.yaml:11": "  outputs: {capacity: 16 KiB}\n  unified: {capacity: 16 KiB}"}, "soc.yaml:12: soc.buffers.unified: would hold nothing; allowed: at least two of weights, inputs, outputs left out beside it"),
    broken("nobody to share with", {"soc.yaml:10": "  unified: {capacity: 16 KiB}"}, "soc.yaml:10: soc.buffers.unified: would hold inputs alone; allowed: at least two of weights, inputs, outputs left out beside it"),
    broken("weights expanded twice", {"soc.yaml:6": "  cols: 8\n  decompression: {words_per_cycle: 4}", "soc.yaml:12": "dma: {clock: 200 MHz, decompression: {bytes_per_cycle: 4}}"}, "soc.yaml:7: soc.array.decompression: has nothing to do where dma.decompression expands weights; allowed: one of both"),
    broken("decompressor that does nothing", {"soc.yaml:12": "dma: {clock: 200 MHz, decompression: {bytes_per_cycle: 0}}"}, "soc.yaml:12: soc.dma.decompression.bytes_per_cycle: 0 is out of range; allowed: a whole number, 1 or more"),
    broken("weights in no SRAM", {"run.yaml:7": "  sram_weights: resident"}, "run.yaml:7: mapping.sram_weights: 'resident' needs soc.system_sram; allowed: off"),
    broken("weights on chip, and nothing on chip", {"run.yaml:7": "  residency: off\n  sram_weights: copied"}, "run.yaml:8: mapping.sram_weights: 'copied' has no effect with residency off; allowed: off"),
    broken("narrow accumulators", {"soc.yaml:6": "  cols: 8\n  operand_bits: 32\n  accumulator_bits: 16"}, "soc.yaml:8: soc.array.accumulator_bits: 16 is less than operand_bits, 32"),
    broken("dataflow twice", {"soc.yaml:6": "  cols: 8\n  dataflows: [dOS, dOS]"}, "soc.yaml:7: soc.array.dataflows[1]: 'dOS' is given twice"),
    broken("read-only main memory", {"soc.yaml:15": f"dram: {{{SRAM}}}"}, "soc.yaml:15: soc.dram.write_bandwidth: is missing; main memory holds the activations and must be writable"),
    broken("access larger than memory", {"soc.yaml:15": f"dram: {{{SRAM}, write_bandwidth: 1 GB/s, burst: 1 MiB}}"}, "soc.yaml:15: soc.dram.burst: one access is larger than the whole memory"),
    broken("priorities without effect", {"soc.yaml:14": "interconnect: {kind: bus, clock: 200 MHz, width: 8 B, priorities: [host]}"}, "soc.yaml:14: soc.interconnect.priorities: has no effect with arbitration round_robin; allowed: fixed_priority"),
    broken("priority of nobody", {"soc.yaml:14": "interconnect: {kind: bus, clock: 200 MHz, width: 8 B, arbitration: fixed_priority, priorities: [hots]}"}, "soc.yaml:14: soc.interconnect.priorities[0]: 'hots' is no initiator; allowed: core0.dma.weights, core0.dma.inputs, core0.dma.outputs, host; did you mean 'host'?"),
    broken("two energies of one width", {"energy.yaml:4": "macs:\n- &m {operand_bits: 8, mac: 0.2 pJ, leakage: 0 mW, area: 0.001 mm2}\n- *m"}, "energy.yaml:5: soc.energy.macs[1]: '8 bits' is given twice"),
    broken("MAC that the table lacks", {"soc.yaml:6": "  cols: 8\n  operand_bits: 16"}, "soc.yaml:7: soc.array.operand_bits: the energy table 'made up' has no MAC of 16 bits (int); allowed: 8 (int)"),
    broken("cells that the table lacks", {"energy.yaml:3": "technology_nm: 28\ncell: hp"}, "energy.yaml:4: soc.energy.cell: the table has no factors for 'hp'; allowed: lstp"),
    broken("temperature that the table lacks", {"energy.yaml:3": "technology_nm: 28\ntemperature_k: 350"}, "energy.yaml:4: soc.energy.temperature_k: the table has no factors for 350; allowed: 300"),
    broken("domain of nothing", {"soc.yaml:3": "cores: 1\ndomains: [{name: npu}]"}, "soc.yaml:4: soc.domains[0].clocks: is missing, and 'npu' is no clock; allowed: array, dma, controller, interconnect, host, dram"),
    broken("domain with another's name", {"soc.yaml:3": "cores: 1\ndomains: [{name: host, clocks: [dma]}]"}, "soc.yaml:4: soc.domains[0].name: 'host' is a clock that is not part of the domain; choose another name"),
    broken("clock in two domains", {"soc.yaml:3": "cores: 1\ndomains: [{name: array}, {name: npu, clocks: [dma, array]}]"}, "soc.yaml:4: soc.domains[1].clocks: 'array' is in domain 'array' already"),
    broken("clocks that differ", {"soc.yaml:3": "cores: 1\ndomains: [{name: npu, clocks: [dma, array]}]", "soc.yaml:12": "dma: {clock: 100 MHz}"}, "soc.yaml:4: soc.domains[0].clocks: have different frequencies: dma 100 MHz, array 200 MHz; allowed: one in common"),
    broken("no point to begin at", {"soc.yaml:3": "cores: 1\ndomains: [{name: array, points: [{clock: 1 GHz, voltage: 1 V}]}]", **VOLTAGE}, "soc.yaml:4: soc.domains[0].points: have none for array.clock, 200 MHz, at which a run begins"),
    broken("voltage that falls", {"soc.yaml:3": "cores: 1\ndomains: [{name: array, points: [{clock: 200 MHz, voltage: 1 V}, {clock: 1 GHz, voltage: 0.9 V}]}]", **VOLTAGE}, "soc.yaml:4: soc.domains[0].points: 1 GHz needs less voltage than 200 MHz"),
    broken("points without the table's voltage", {"soc.yaml:3": "cores: 1\ndomains: [{name: array, points: [{clock: 200 MHz, voltage: 1 V}]}]"}, "soc.yaml:4: soc.domains[0].points: have voltages, but energy table 'made up' names no voltage"),
    broken("a DRAM in another's domain", {"soc.yaml:3": "cores: 1\ndomains: [{name: all, clocks: [array, dram]}]"}, "soc.yaml:4: soc.domains[0].clocks: 'dram' changes after all others have waited for it; give it a domain of its own"),
    broken("idle states of others", {"soc.yaml:3": "cores: 1\ndomains: [{name: host, idle_states: [{name: power_gated, after: 1 us}]}]"}, "soc.yaml:4: soc.domains[0].idle_states: are those of the array, which is not in this domain"),
    broken("change of no domain", {"run.yaml:1": "kind: run\nfrequency_changes: [{at: 1 ms, domain: aray, clock: 1 GHz}]"}, "run.yaml:2: frequency_changes[0].domain: 'aray' is no clock domain; allowed: array, dma, controller, interconnect, host; did you mean 'array'?"),
    broken(
        "change to no point",
        {"run.yaml:1": "kind: run\nfrequency_changes: [{at: 1 ms, domain: array, clock: 1 GHz}]", "soc.yaml:3": "cores: 1\ndomains: [{name: array, points: [{clock: 200 MHz, voltage: 1 V}]}]", **VOLTAGE},
        "run.yaml:2: frequency_changes[0].clock: is no point of domain 'array'; allowed: 200 MHz",
    ),
    # --set.
    broken("set: no equals sign", {}, "--set soc.cores: write it as PATH=VALUE, as in 'soc.array.rows=32'", arguments="soc.cores"),
    broken("set: wrong value", {}, "--set soc.array.rows=abc: soc.array.rows: 'abc' is text; allowed: a whole number, 1 to 4096", arguments="soc.array.rows=abc"),
    broken("set: unknown path", {}, f"--set soc.aray.rows=3: soc.aray: unknown key; allowed: {SOC_KEYS}; did you mean 'array'?", arguments="soc.aray.rows=3"),
    broken("set: below a scalar", {}, "--set soc.cores.count=3: soc.cores: '1' has no parts; set it as a whole", arguments="soc.cores.count=3"),
    broken("set: item that does not exist", {}, "--set soc.energy.macs[1].mac=1 pJ: soc.energy.macs[1]: no such item; allowed: 0 to 0", arguments="soc.energy.macs[1].mac=1 pJ"),
    broken("set: malformed value", {}, "--set soc.cores=[1: soc.cores: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'", arguments="soc.cores=[1"),
    broken("set: missing file", {}, "--set soc=soc.yml: soc: no such file: 'soc.yml'; did you mean 'soc.yaml'?", arguments="soc=soc.yml"),
    # Many at once, in order of file and line.
    broken(
        "several files", {"run.yaml:7": "  dataflow: DOS", "soc.yaml:3": "cores: 0", "dram.yaml:3": "banks: x", "run.yaml:4": "  network: resnet9"},
        "--set soc.array.cols=0: soc.array.cols: 0 is out of range; allowed: a whole number, 1 to 4096",
        "dram.yaml:3: soc.dram.banks: 'x' is text; allowed: a whole number, 1 or more",
        "run.yaml:4: workload.network: 'resnet9' is not a network of the zoo; allowed: alexnet, vgg16, resnet18, resnet50, mobilenet_v2, vit_s16, bert_tiny, bert_base, resnet8, ds_cnn, mobilenet_v1_025, autoencoder, the path of an .onnx or .csv file; did you mean 'resnet8'?",
        "run.yaml:7: mapping.dataflow: 'DOS' is unknown; allowed: auto, dOS, dWS, dIS, sOS, sWS, sIS, csOS; did you mean 'dOS'?",
        "soc.yaml:3: soc.cores: 0 is out of range; allowed: a whole number, 1 to 64",
        arguments="soc.array.cols=0",
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_fault_is_one_line_with_its_place(
    case: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, case.changes)
    monkeypatch.chdir(tmp_path)
    assert main(["check", case.config, *case.arguments]) == 2
    output = capsys.readouterr()
    assert output.out.splitlines() == list(case.lines)
    assert output.err == ""


def test_the_unbroken_configuration_is_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise the cases above would say nothing."""
    config = write(tmp_path)
    assert main(["check", str(config)]) == 0
    assert capsys.readouterr().out == f"{config}: ok\n"
