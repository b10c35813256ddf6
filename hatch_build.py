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
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPILED = ("soc_sim/kernel", "soc_sim/components")


class Compilation(BuildHookInterface[Any]):
    """Adds compiled modules to a wheel, or puts them beside their sources where those are used in place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, unless nobody wants it or it is not possible here."""
        if os.environ.get("SOC_SIM_COMPILED", "1") == "0":
            return
        root, in_place = Path(self.root), version == "editable"
        sources = [path for folder in COMPILED for path in sorted((root / folder).rglob("*.py"))]
        # What only says what a folder holds stays as it is.
        sources = [path for path in sources if path.name != "__init__.py"]
        scratch = Path(tempfile.mkdtemp(prefix="soc_sim-"))
        try:
            libraries = compile_sources(root, sources, scratch)
        except (Exception, SystemExit) as error:  # noqa: BLE001 # whatever is missing: nothing depends on it
            self.app.display_warning(f"soc_sim is installed without compiled modules, half as fast: {error}")
            return
        places = {library: library.relative_to(scratch / "lib") for library in libraries}
        if in_place:
            for library, place in places.items():
                # A process may have the old one open.
                (root / place).unlink(missing_ok=True)
                shutil.copy2(library, root / place)
            record(root, sources)
            shutil.rmtree(scratch)
        else:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"].update({str(library): str(place) for library, place in places.items()})


def compile_sources(root: Path, sources: list[Path], scratch: Path) -> list[Path]:
    """Compile ``sources``; returns the libraries, which lie in ``scratch / "lib"`` as they belong in ``root``."""
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
    return sorted(path for path in (scratch / "lib").rglob("*") if path.is_file())


def record(root: Path, sources: list[Path]) -> None:
    """Write down of which sources the compiled modules beside them are."""
    found = {str(path.relative_to(root / "soc_sim")): path.stat() for path in sources}
    text = json.dumps({name: [of.st_mtime_ns, of.st_size] for name, of in found.items()}, indent=0)
    (root / "soc_sim" / "compiled_sources.json").write_text(text, encoding="utf-8")
