"""The example of an extension works, in a process of its own: what it registers stays there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest

from soc_sim.components.memory.base import Memory
from soc_sim.config.memory import SimpleMemory
from soc_sim.errors import ConfigurationError
from soc_sim.kernel import Transfer
from soc_sim.system.registry import check, register

EXAMPLE = Path(__file__).with_name("own_memory.py")


def run_example(page_time: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, EXAMPLE, page_time], capture_output=True, text=True, check=True)  # noqa: S603 # ours
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_registered_memory_is_used_from_a_configuration() -> None:
    """The weights come from it; opening pages costs at least their time, as they are opened one after another."""
    quick, slow = run_example("0 s"), run_example("100 us")
    assert quick["weight_memory"]["read_bytes"] >= quick["memory"]["weight_bytes"]
    pages = -(-slow["memory"]["weight_bytes"] // 4096)
    assert slow["latency_ps"] > max(quick["latency_ps"], pages * 100_000_000)


def test_the_example_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 60


def test_a_kind_that_is_taken_is_refused() -> None:
    class Again(SimpleMemory):
        kind: Literal["dram"]

    with pytest.raises(ConfigurationError, match="kind 'dram' is taken"):
        register(Again)


def test_a_kind_that_is_any_text_is_refused() -> None:
    class Anything(SimpleMemory):
        kind: str

    with pytest.raises(ConfigurationError, match="one Literal text"):
        register(Anything)


def test_a_component_that_lacks_something_is_refused() -> None:
    """Before a run, which would end in a deadlock."""

    class Half(Memory):
        def submit(self, transfer: Transfer) -> None:
            pass

    with pytest.raises(TypeError, match=r"^Half lacks peak_bytes_per_s, which every memory needs"):
        check(Half)
    with pytest.raises(TypeError, match="SimpleMemory is no subclass of Memory"):
        check(SimpleMemory)
