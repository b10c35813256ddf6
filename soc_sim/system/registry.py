"""Which component simulates which description, and how users add their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeVar

from soc_sim.components.memory.base import Memory
from soc_sim.components.memory.dram.model import DramModel
from soc_sim.components.memory.ideal import Ideal
from soc_sim.components.memory.simple import Simple
from soc_sim.config.extension import add_memory
from soc_sim.config.memory import SimpleMemory
from soc_sim.kernel import Simulation

M = TypeVar("M", bound=type[Memory])

_MEMORIES: dict[str, Callable[[Simulation, str, Any], Memory]] = {
    "dram": DramModel,
    "simple_memory": Simple,
    "ideal_memory": Ideal,
}


def make_memory(simulation: Simulation, name: str, description: Any) -> Memory:
    """The component for a description of a memory, chosen by its ``kind``."""
    return _MEMORIES[description.kind](simulation, name, description)


def register(description: type[SimpleMemory]) -> Callable[[M], M]:
    """Class decorator: the component simulates memories described by ``description`` (its ``kind`` is new).

    The component is constructed as ``component(simulation, name, description)``. After registration the kind can be
    used in YAML. A package that other programs should find names a module that registers under the entry point group
    ``soc_sim.plugins``.

    Raises:
        ConfigurationError: the kind is taken, or is not one literal.
        TypeError: the component is no memory, or lacks what every memory needs.
    """
    kind = add_memory(description)

    def add(component: M) -> M:
        check(component)
        _MEMORIES[kind] = component
        return component

    return add


def check(component: type) -> None:
    """Refuse what would fail in the middle of a run: a compiled class can be constructed without its abstract methods.

    Raises:
        TypeError: the component is no memory, or lacks what every memory needs.
    """
    if not issubclass(component, Memory):
        raise TypeError(f"{component.__name__} is no subclass of Memory (soc_sim.components.memory.base)")
    missing = [name for name in ("peak_bytes_per_s", "submit") if getattr(component, name) is getattr(Memory, name)]
    if missing:
        raise TypeError(f"{component.__name__} lacks {' and '.join(missing)}, which every memory needs")


@cache
def load_plugins() -> None:
    """Import the modules that installed packages name under ``soc_sim.plugins``, once."""
    for entry in entry_points(group="soc_sim.plugins"):
        entry.load()
