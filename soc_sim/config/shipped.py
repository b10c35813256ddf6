"""The descriptions that come with the simulator: ``configs/`` of a checkout, ``soc_sim/configs`` of a wheel."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Final

FOLDERS: Final[dict[str, tuple[str, ...]]] = {
    "run": ("",),
    "prune": ("",),
    "study": ("studies",),
    "scenario": ("scenarios",),
    "soc": ("socs",),
    "array": ("array",),
    "dram": ("dram", "memory"),
    "simple_memory": ("memory", "dram"),
    "ideal_memory": ("memory", "dram"),
    "energy": ("energy",),
    "network": ("network",),
}
"""Kind → folders in which a bare name of that kind is looked for; a kind that is not named here ships no files."""


def root() -> Path:
    """The folder of the shipped descriptions."""
    package = Path(str(files("soc_sim")))
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def paths(kinds: Iterable[str]) -> dict[str, Path]:
    """Bare name → file, of all shipped files in the folders of these kinds, sorted by name."""
    folders = dict.fromkeys(folder for kind in kinds for folder in FOLDERS.get(kind, ()))
    found = {path.stem: path for folder in reversed(folders) for path in (root() / folder).glob("*.yaml")}
    return dict(sorted(found.items()))
