"""One network on one SoC, with everything that must hold of the result: shared by the tests and by the full cross."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from soc_sim import compiler, system
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.errors import MappingError
from soc_sim.network import zoo
from soc_sim.system import RunRecord
from soc_sim.testing.bounds import layer_bounds_ps, lower_bound_ps, upper_bound_ps
from soc_sim.testing.checks import check_record
from soc_sim.testing.ideal import ideal_run
from soc_sim.testing.variants import with_bandwidth, with_buffers, with_ideal_memory, with_latency, with_ports

VARIANTS = {"gemmini_16x16_unified_like"}
"""SoCs that differ from another one in a single part, which has tests of its own (``compiler/test_unified.py``)."""
SOCS = tuple(sorted({path.stem for path in (Path(__file__).parents[2] / "configs" / "socs").glob("*.yaml")} - VARIANTS))

ANOMALY = 1.01
"""More resources may cost one percent: in-order queues can meet in a less lucky order (a scheduling anomaly)."""
OFF_CHIP = Mapping(residency="off")
"""Everything comes from memory and goes back to it."""
BUFFER_ANOMALY = 1.03
"""Larger buffers change the program; its estimate is that much off at worst."""


@dataclass(frozen=True)
class Evaluation:
    """A run beside its bounds and variants; ratios are relative to the run's makespan."""

    record: RunRecord
    estimate: float
    lower: float
    upper: float
    faster_memory: float
    later_memory: float
    more_ports: float
    larger_buffers: float
    ideal_memory: float
    kept_on_chip: float
    """Makespan with results and weights kept on chip, which is the default, over that without."""
    ideal_excess_ps: int
    """Makespan on ideal memory less that of the closed form: cycles of the array and stated overheads."""

    def faults(self) -> list[str]:
        """What does not hold."""
        found = []
        try:
            check_record(self.record)
        except AssertionError as error:
            found.append(str(error))
        bounds_ps = layer_bounds_ps(self.record.soc, self.record.program)
        for layer, times, bound_ps in zip(self.record.program.layers, self.record.layers, bounds_ps, strict=True):
            # Each tile starts and ends on an edge, which is rounded to a picosecond.
            if times.end_ps - times.start_ps < bound_ps - len(self.record.program.instructions):
                found.append(f"{layer.name} takes {times.end_ps - times.start_ps} ps; no schedule is below {bound_ps}")
        for text, holds in (
            (f"faster than any schedule: {self.lower}", self.lower <= 1),
            (f"slower than one thing after another: {self.upper}", self.upper >= 1),
            (f"twice the bandwidth takes {self.faster_memory} of the time", self.faster_memory <= ANOMALY),
            (f"100 ns more latency takes {self.later_memory} of the time", self.later_memory >= 1 / ANOMALY),
            (f"four ports take {self.more_ports} of the time", self.more_ports <= ANOMALY),
            (f"twice the buffers take {self.larger_buffers} of the time", self.larger_buffers <= BUFFER_ANOMALY),
            (f"ideal memory takes {self.ideal_memory} of the time", self.ideal_memory <= ANOMALY),
            (f"keeping tensors on chip takes {self.kept_on_chip} of the time", self.kept_on_chip <= ANOMALY),
            (f"ideal memory differs from the sum by {self.ideal_excess_ps} ps", self.ideal_excess_ps == 0),
        ):
            if not holds:
                found.append(text)
        return found


def evaluate(soc_name: str, network_name: str) -> Evaluation | MappingError:
    """Run and vary; the error where the network does not fit the SoC."""
    soc, network = load(soc_name, Soc), zoo.load(network_name)
    try:
        program = compiler.compile(network, soc)
    except MappingError as error:
        return error
    record = system.run(soc, program)
    makespan_ps = record.makespan_ps
    larger, ideal = with_buffers(soc, 2), with_ideal_memory(soc)
    ideal_ps = system.run(ideal, program).makespan_ps

    def ratio(variant: Soc) -> float:
        return system.run(variant, program).makespan_ps / makespan_ps

    return Evaluation(
        record=record,
        estimate=sum(layer.estimate.latency_ps for layer in program.layers if layer.estimate) / makespan_ps,
        lower=lower_bound_ps(soc, program) / makespan_ps,
        upper=upper_bound_ps(soc, program) / makespan_ps,
        faster_memory=ratio(with_bandwidth(soc, 2)),
        later_memory=ratio(with_latency(soc, 100_000)),
        more_ports=ratio(with_ports(soc, 4)),
        larger_buffers=system.run(larger, compiler.compile(network, larger)).makespan_ps / makespan_ps,
        ideal_memory=ideal_ps / makespan_ps,
        kept_on_chip=makespan_ps / system.run(soc, compiler.compile(network, soc, OFF_CHIP)).makespan_ps,
        ideal_excess_ps=ideal_ps - ideal_run(ideal, program).latency_ps,
    )
