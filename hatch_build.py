"""Compiles what runs once for every transfer, the event kernel and the components, where there is a C compiler.

mypyc makes C of the same typed Python sources, so nothing is written twice. Without a compiler, or with the variable
``SOC_SIM_COMPILED=0``, the package is installed as it is and runs about half as fast, with the same results.
``soc_sim/ahead_of_time.py`` decides which of both runs.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPILED = ("soc_sim/kernel", "soc_sim/components")


class Compilation(BuildHookInterface[Any]):
    """Adds compiled modules to a wheel, or puts them beside their sources where those are used in place."""

    scratch: Path | None = None
    """Where modules are compiled; a wheel is put together of what lies there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless nobody wants it or it is not possible here."""
        if os.environ.get("SOC_SIM_COMPILED", "1") == "0":
            return
        root = Path(self.root)
        sources = [path for folder in COMPILED for path in sorted((root / folder).rglob("*.py"))]
        # What only says what a folder holds stays as it is.
        sources = [path for path in sources if path.name != "__init__.py"]
        self.scratch = Path(tempfile.mkdtemp(prefix="soc_sim-"))
        try:
            # Before they are read: who edits one meanwhile gets it interpreted.
            states = {str(path.relative_to(root / "soc_sim")): state(path) for path in sources}
            places = compile_sources(root, sources, self.scratch)
            if version == "editable":
                for place, library in places.items():
                    replace(root / place, library.read_bytes())
                record(root / "soc_sim" / "compiled_sources.json", states)
        except (Exception, SystemExit) as error:  # noqa: BLE001 # whatever is missing: nothing depends on it
            self.app.display_warning(f"soc_sim is installed without compiled modules, half as fast: {error}")
            self.remove_scratch()
            return
        if version == "editable":
            self.remove_scratch()
        else:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"].update({str(library): str(place) for place, library in places.items()})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 # hatchling's
        """Leave nothing behind once the wheel is written."""
        self.remove_scratch()

    def remove_scratch(self) -> None:
        """Nothing needs it any more."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
            self.scratch = None


def compile_sources(root: Path, sources: list[Path], scratch: Path) -> dict[Path, Path]:
    """Compile ``sources``; returns place in ``root`` → library, which lies in ``scratch``."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    before = Path.cwd()
    # Names of modules follow from paths.
    os.chdir(root)
    try:
        extensions = mypycify(
            [
                "--config-file=mypyc.ini",
                f"--cache-dir={scratch / 'types'}",
                *(str(source.relative_to(root)) for source in sources),
            ],
            group_name="soc_sim",
            target_dir=str(scratch / "c"),
        )
        distribution = Distribution({"name": "soc_sim", "ext_modules": extensions})
        command = distribution.get_command_obj("build_ext")
        command.build_lib, command.build_temp = str(scratch / "lib"), str(scratch / "objects")
        distribution.run_command("build_ext")
    finally:
        os.chdir(before)
    libraries = scratch / "lib"
    return {path.relative_to(libraries): path for path in sorted(libraries.rglob("*")) if path.is_file()}


def state(source: Path) -> list[int]:
    """By what a change of ``source`` is noticed: time of its last change in ns, size."""
    found = source.stat()
    return [found.st_mtime_ns, found.st_size]


def record(path: Path, states: dict[str, list[int]]) -> None:
    """Write down of which sources the compiled modules beside them are, for this Python; others have theirs."""
    try:
        of_all = json.loads(path.read_bytes())
    except (OSError, ValueError):
        of_all = {}
    of_all[EXTENSION_SUFFIXES[0]] = states
    replace(path, json.dumps(of_all, indent=0).encode())


def replace(path: Path, content: bytes) -> None:
    """Write at once: a process may have the old file open, and another may install at the same time."""
    written = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        written.write_bytes(content)
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)
