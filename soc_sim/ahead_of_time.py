"""Whether kernel and components run as compiled ahead of time, or as the Python they are written in.

Both give the same results (``hatch_build.py`` compiles, README.md says why). The sources are taken where nothing is
compiled, where ``SOC_SIM_COMPILED=0`` asks for them, and where the package is used in place and one of them has been
changed since: an edit is never without effect.
All are taken in one form, because classes of one cannot inherit from those of the other.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

_HERE = Path(__file__).parent
_RECORD = "compiled_sources.json"
"""Written where the package is compiled in place: suffix of modules that a Python compiled → source → (time of its last
change in ns, size)."""


class _Sources:
    """Finds the sources of this package, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:  # noqa: ARG004 # what is asked of a finder
        """Where ``importlib`` finds a module."""
        if path is None or not name.startswith("soc_sim."):
            return None
        for folder in path:
            if (spec := FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name)) is not None:
                return spec
        return None


def changed_sources(folder: Path = _HERE) -> list[str]:
    """Sources below ``folder`` that are not those which were compiled in place, for this Python."""
    try:
        compiled = json.loads((folder / _RECORD).read_bytes())[EXTENSION_SUFFIXES[0]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError):  # compiled by whom, and of what, is unknown
        return [_RECORD]
    changed = []
    for name, of_compiled in compiled.items():
        source = folder / name
        if not source.exists() or [source.stat().st_mtime_ns, source.stat().st_size] != of_compiled:
            changed.append(name)
    return changed


def choose() -> None:
    """Let the import system take the sources, where it must. To be called before any of them is imported."""
    if os.environ.get("SOC_SIM_COMPILED") == "0" or changed_sources():
        sys.meta_path.insert(0, _Sources)


def form() -> str:
    """``compiled`` or ``interpreted``: as what kernel and components run."""
    compiled = any((_HERE / f"kernel/timeline{suffix}").exists() for suffix in EXTENSION_SUFFIXES)
    return "compiled" if compiled and _Sources not in sys.meta_path else "interpreted"
