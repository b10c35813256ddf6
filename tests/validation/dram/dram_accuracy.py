"""How close the DRAM model comes to two simulators that architects trust.

    python tests/validation/dram/dram_accuracy.py [TEXT ...]

prints the table for the rows of ``dram_reference.csv`` whose memory, mapping, pattern or class contain every TEXT.
``dram_reference.csv`` holds total cycles, mean read latency and activates of DRAMsim3 (umd-memsys/DRAMsim3, commit
29817593b338; also refreshes and core energy) and of Ramulator 2.1 (CMU-SAFARI/ramulator2, commit c5b1c3a478b6) with its
schedulers FRFCFS-RowHit ("rowhit") and FRFCFS ("frfcfs") on the requests of ``dram_patterns.py``: open page, all-bank
refresh, one channel, one rank, queues of 32 bursts to read and 32 to write. HBM2 is DRAMsim3's alone.

A row is accepted if the time lies between the fastest and the slowest simulator, widened by 3 % (5 % in classes e, f
and i, where the order of service decides; 10 % on HBM2); latency (where outstanding reads are limited) and activates
likewise by 5 %; energy within 2 % of DRAMsim3's where the commands are equal in number. The rows of all memories but
HBM2 are run once more with DRAMsim3's order of commands, which HBM2's preset has anyhow, and compared with it alone.
"""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median

from dram_patterns import PATTERNS

from soc_sim.components.memory.dram.replay import replay
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.energy.counts import MemoryCounts
from soc_sim.energy.dram import parts_pj

ROWS: list[dict[str, str]] = list(
    csv.DictReader(Path(__file__).with_name("dram_reference.csv").read_text().splitlines())
)
SIMULATORS = ("dramsim3", "rowhit", "frfcfs")
DRAMSIM3 = (
    "controller.scheduling=round_robin",
    "controller.bank_queue=8",
    "controller.row_hit_cap=4",
    "controller.drain_idle_above=8",
)
"""Its order of commands, with the depths with which it ran (HBM2's presets have it anyhow)."""
TPPD = ("timing.nPPD=4",)
"""Of its LPDDR4; Ramulator's has none."""


@dataclass(frozen=True)
class Outcome:
    """One row: what was measured, and how far it lies from the simulators (shares; negative: less)."""

    name: str
    memory: str
    pattern_class: str
    hbm: bool
    turns: bool
    limited: bool
    cycles: int
    activates: int
    latency_ns: float
    """Mean over the reads."""
    deviation: float
    """Of the time, from the nearest simulator."""
    outside: float
    """Of the time, from the band that the simulators span; 0 within."""
    accepted: bool
    latency_accepted: bool
    activates_accepted: bool
    energy_deviation: float | None
    """None where DRAMsim3 issued other commands, or the energy is unknown."""
    requests_per_s: float


def evaluate(row: dict[str, str], *, turns: bool = False) -> Outcome:
    """Replay one row; ``turns``: with DRAMsim3's order of commands, compared with DRAMsim3 alone."""
    settings = () if not turns else (*DRAMSIM3, *TPPD) if row["memory"].startswith("lpddr4") else DRAMSIM3
    dram = load(row["memory"], Dram, (f"mapping={row['mapping']}", *settings))
    if turns:
        row = {key: "" if key.startswith(SIMULATORS[1:]) else value for key, value in row.items()}
    requests = list(PATTERNS[row["pattern"]](dram))
    limit = int(row["max_outstanding"])
    began = time.perf_counter()
    result = replay(dram, requests, limit)
    wall_s = time.perf_counter() - began
    cycles, latencies, activates = (_values(row, what) for what in ("cycles", "latency_ns", "activates"))
    pattern_class, hbm = row["pattern"][0], row["memory"].startswith("hbm")
    latency_ns = result.read_latency_cycles / max(1, result.reads) * dram.timing.tck_ps / 1000
    deviation = min((result.cycles / other - 1 for other in cycles), key=abs)
    outside = max(0.0, result.cycles / max(cycles) - 1) + min(0.0, result.cycles / min(cycles) - 1)
    energy_deviation = None
    same_commands = (
        abs(result.activates / activates[0] - 1) < 0.01
        and result.refreshes == int(row["dramsim3_refreshes"])
        and abs(result.cycles / cycles[0] - 1) < 0.01
    )
    if same_commands and dram.currents is not None:
        counts = MemoryCounts(
            activates=result.activates,
            read_bursts=result.read_bursts,
            write_bursts=result.write_bursts,
            refreshes=result.refreshes,
            active_ps=result.active_cycles * dram.timing.tck_ps,
        )
        parts = parts_pj(dram, dram.currents, counts, result.cycles * dram.timing.tck_ps)
        energy_deviation = sum(parts.values()) / 1000 / float(row["dramsim3_energy_nj"]) - 1
    return Outcome(
        name=" ".join(row[key] for key in ("memory", "mapping", "pattern", "max_outstanding")) + " turns" * turns,
        memory=row["memory"],
        pattern_class=pattern_class,
        hbm=hbm,
        turns=turns,
        limited=limit > 0,
        cycles=result.cycles,
        activates=result.activates,
        latency_ns=latency_ns,
        deviation=deviation,
        outside=outside,
        accepted=_within(result.cycles, cycles, 0.1 if hbm else 0.05 if pattern_class in "efi" else 0.03),
        latency_accepted=not limit or _within(latency_ns, latencies, 0.05),
        activates_accepted=_within(result.activates, activates, 0.05),
        energy_deviation=energy_deviation,
        requests_per_s=len(requests) / wall_s,
    )


def _values(row: dict[str, str], what: str) -> list[float]:
    """Of the simulators that ran the row."""
    return [float(text) for simulator in SIMULATORS if (text := row[f"{simulator}_{what}"])]


def _within(value: float, others: Sequence[float], widened: float) -> bool:
    return min(others) * (1 - widened) <= value <= max(others) * (1 + widened)


def table(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Lines of the report, as Markdown."""
    yield "| rows | number | time in band | latency | activates | mean | median | p90 | max deviation of time |"
    yield "|---|---|---|---|---|---|---|---|---|"
    plain = [one for one in outcomes if not (one.hbm or one.turns)]
    groups = {
        "1 to 32 reads outstanding": [one for one in plain if one.limited],
        "unlimited": [one for one in plain if not one.limited],
        "HBM2, 1 to 32": [one for one in outcomes if one.limited and one.hbm],
        "HBM2, unlimited": [one for one in outcomes if not one.limited and one.hbm],
    }
    for letter in sorted({one.pattern_class for one in plain}):
        groups[f"class {letter}"] = [one for one in plain if one.pattern_class == letter]
    for name in sorted({one.memory for one in outcomes if one.turns}):
        groups[f"{name}, bank queues in turn"] = [one for one in outcomes if one.turns and one.memory == name]
    for name, members in groups.items():
        if members:
            sizes = sorted(abs(one.deviation) for one in members)
            shares = [
                mean(getattr(one, what) for one in members)
                for what in ("accepted", "latency_accepted", "activates_accepted")
            ]
            figures = (mean(sizes), median(sizes), sizes[int(0.9 * (len(sizes) - 1))], sizes[-1])
            cells = [*(f"{share:.1%}" for share in shares), *(f"{figure:.2%}" for figure in figures)]
            yield f"| {name} | {len(members)} | {' | '.join(cells)} |"
    yield ""
    known = [one.energy_deviation for one in outcomes if one.energy_deviation is not None]
    if known:
        within = mean(abs(one) <= 0.02 for one in known)
        worst = max(known, key=abs)
        yield f"Energy where commands are equal: {len(known)} rows, {within:.1%} within 2 %, worst {worst:+.2%}."
    yield f"Speed: median {median(one.requests_per_s for one in outcomes):,.0f} requests/s of this machine."
    yield "Worst rows (time, from the nearest simulator):"
    for one in sorted(outcomes, key=lambda one: -abs(one.deviation))[:10]:
        yield f"- {one.name}: {one.deviation:+.2%}{'' if one.accepted else ', not accepted'}"


def main(texts: Sequence[str]) -> None:
    """Print the table."""
    rows = [row for row in ROWS if all(any(text in value for value in list(row.values())[:3]) for text in texts)]
    with ProcessPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(evaluate, rows, chunksize=4))
        others = [row for row in rows if not row["memory"].startswith("hbm")]
        outcomes += pool.map(partial(evaluate, turns=True), others, chunksize=4)
    print("\n".join(table(outcomes)))


if __name__ == "__main__":
    main(sys.argv[1:])
