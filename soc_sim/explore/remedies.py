"""What to change where something bounds a run: a fifth faster, or a limit twice as high, as settings of ``--set``.

Clocks of one domain change together, to the next of its points if it has any.

The values are absolute, so that a setting can be copied into a configuration or after ``--what-if``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from soc_sim.config.domain import ClockName
from soc_sim.config.memory import Dram, IdealMemory, Memory, SimpleMemory
from soc_sim.config.soc import Soc
from soc_sim.units import format_quantity

STEP = 1.2
"""Clocks and rates are raised by a fifth: enough to see, not so much that something else takes over."""

_OF_A_CORE = re.compile(r"^core\d+\.")


class Remedy(NamedTuple):
    """A change of an SoC."""

    change: str
    """In words."""
    settings: tuple[str, ...]
    """``PATH=VALUE`` texts as for ``--set``."""


def remedy(soc: Soc, component: str, reason: str) -> Remedy | None:
    """What to change where ``component`` makes the array wait for ``reason``; None where no single setting would.

    Args:
        soc: The SoC that ran.
        component: As in ``stall_reasons_s``; ``array`` for the time in which the array itself works. Cores are alike:
            that of one (``core0.dma.inputs``) stands for all.
        reason: As in ``stall_reasons_s``.
    """
    kind = reason.partition(":")[0]
    component = _OF_A_CORE.sub("", component)
    match component, kind:
        case ("array", "busy"):
            return _clock(soc, "array")
        case ("host", _):
            return _clock(soc, "host")
        case ("controller", _):
            return _clock(soc, "controller")
        case ("interconnect", _):
            return _clock(soc, "interconnect")
        case ("array.decompression", _) if soc.array.decompression.words_per_cycle is not None:
            words = soc.array.decompression.words_per_cycle
            return Remedy("decompression ×2", (f"soc.array.decompression.words_per_cycle={2 * words}",))
        case (name, "busy") if name.endswith(".decompression") and soc.dma.decompression is not None:
            width = soc.dma.decompression.bytes_per_cycle
            return Remedy("decompression ×2", (f"soc.dma.decompression.bytes_per_cycle={2 * width}",))
        case (name, "credit") if name in soc.buffers.pads:
            capacity = format_quantity(2 * getattr(soc.buffers, name).capacity_bytes, "bytes")
            return Remedy(f"{name} buffer ×2", (f"soc.buffers.{name}.capacity={capacity}",))
        case (name, "transfer") if name in soc.buffers.pads:
            ports = 2 * getattr(soc.buffers, name).ports
            return Remedy(f"ports of the {name} buffer ×2", (f"soc.buffers.{name}.ports={ports}",))
        case (name, "credit") if name.startswith("dma"):
            return Remedy("DMA requests under way ×2", (f"soc.dma.max_outstanding={2 * soc.dma.max_outstanding}",))
        case (name, "latency") if name.startswith("dma") and soc.dma.descriptor_cycles:
            return Remedy("DMA set-up ÷2", (f"soc.dma.descriptor_cycles={soc.dma.descriptor_cycles // 2}",))
        case ("dram" | "weight_memory", _):
            memory = soc.dram if component == "dram" else soc.weight_memory
            domain = soc.dram_domain if component == "dram" else None
            if domain is not None and domain.points and kind not in ("refresh", "row"):
                # Its points are those of its timing.
                return None
            return None if memory is None else _memory(component, memory, kind)
    return None


def _clock(soc: Soc, clock: ClockName) -> Remedy | None:
    """All clocks of its domain together: a fifth faster, or the next point; None at the highest one."""
    domain, clock_hz = soc.domain_of(clock), soc.clock_hz(clock)
    if domain.points:
        raised_hz = min((point.clock_hz for point in domain.points if point.clock_hz > clock_hz), default=None)
        if raised_hz is None:
            return None
    else:
        raised_hz = round(clock_hz * STEP)
    shown = format_quantity(raised_hz, "hz")
    settings = tuple(f"soc.{member}.clock={shown}" for member in domain.members)
    return Remedy(f"{domain.name} clock +{100 * (raised_hz / clock_hz - 1):.0f} %", settings)


def _memory(name: str, memory: Memory, kind: str) -> Remedy | None:
    label = "DRAM" if isinstance(memory, Dram) else name.replace("_", " ")
    match memory, kind:
        case Dram(), "refresh":
            return Remedy("tRFC −20 %", (f"soc.{name}.timing.nRFC={round(memory.timing.nRFC / STEP)}",))
        case Dram(), "row":
            settings = tuple(
                f"soc.{name}.timing.{key}={round(getattr(memory.timing, key) / STEP)}" for key in ("nRCD", "nRP")
            )
            return Remedy("tRCD and tRP −20 %", settings)
        case Dram(), _:
            period = format_quantity(round(memory.timing.tck_ps / STEP), "ps")
            return Remedy(f"{label} clock +20 %", (f"soc.{name}.timing.tck={period}",))
        case SimpleMemory(), "latency":
            latency = format_quantity(round(memory.read_latency_ps / STEP), "ps")
            return Remedy(f"{label} latency −20 %", (f"soc.{name}.read_latency={latency}",))
        case SimpleMemory(), _:
            rates = {
                "read_bandwidth": memory.read_bandwidth_bytes_per_s,
                "write_bandwidth": memory.write_bandwidth_bytes_per_s,
            }
            settings = tuple(
                f"soc.{name}.{key}={format_quantity(round(rate * STEP), 'bytes_per_s')}"
                for key, rate in rates.items()
                if rate is not None
            )
            return Remedy(f"{label} bandwidth +20 %", settings)
        case IdealMemory(), _:
            return None
    return None
