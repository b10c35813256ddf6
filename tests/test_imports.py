"""Who may import whom. Each arrow of the package's map points one way, and only the kernel knows SimPy."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import soc_sim

ROOT = Path(soc_sim.__file__).parent
BASE = {"errors", "units"}
MODELS = {"config", "network", "sparsity", "dataflow", "compiler"}
MACHINE = {"kernel", "components", "system"}

ALLOWED: dict[str, set[str]] = {
    "ahead_of_time": set(),
    "errors": set(),
    "units": set(),
    "config": BASE,
    "network": {*BASE, "config"},
    "sparsity": {*BASE, "config"},
    "dataflow": {*BASE, "config", "sparsity"},  # the bitmaps of the weights that some dataflows skip
    "compiler": {*BASE, *MODELS},
    "kernel": {*BASE, "config"},
    "components": {*BASE, "config", "kernel", "dataflow", "compiler"},
    "system": {*BASE, *MODELS, *MACHINE},
    "energy": {*BASE, *MODELS, *MACHINE},
    "observe": {*BASE, *MODELS, *MACHINE, "energy"},
    "scenario": {*BASE, *MODELS, *MACHINE, "energy", "observe"},
    "explore": {*BASE, *MODELS, *MACHINE, "energy", "observe"},
    "facade": {*BASE, *MODELS, *MACHINE, "energy", "observe", "scenario"},
    "testing": {*BASE, *MODELS, *MACHINE, "energy"},
    "cli": {*BASE, *MODELS, *MACHINE, "energy", "observe", "scenario", "explore", "facade", "ahead_of_time"},
    "__init__": {"ahead_of_time", "facade"},
    "__main__": {"cli"},
}
"""Part of the package → parts it may import, beside itself (and the package's ``__version__``)."""

FROM_COMPILER = {"soc_sim.compiler.program"}
"""All that components know of the compiler: the records of a program."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """(path in the package, syntax tree) of every file."""
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(), str(path))


def imports(tree: ast.Module) -> Iterator[str]:
    """Full names of the modules that a file imports, at the top or inside a function, for types only or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative import"
            module = node.module or ""
            # `from soc_sim import compiler` imports soc_sim.compiler.
            yield from (f"soc_sim.{alias.name}" for alias in node.names) if module == "soc_sim" else (module,)


def own(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(part of the package, full name) of the package's own modules that a file imports."""
    for name in imports(tree):
        if name.startswith("soc_sim."):
            part = name.split(".")[1]
            if part in ALLOWED:
                yield part, name


FILES = dict(modules())


def part_of(path: str) -> str:
    """The folder or file at the top of the package."""
    return Path(path).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES)
def test_imports_follow_the_map(path: str) -> None:
    part = part_of(path)
    foreign = {name for target, name in own(FILES[path]) if target != part and target not in ALLOWED[part]}
    assert not foreign


def test_the_map_has_no_cycle() -> None:
    order = list(ALLOWED)
    for part, targets in ALLOWED.items():
        assert all(order.index(target) < order.index(part) for target in targets - {part}), part


def test_only_the_kernel_imports_simpy() -> None:
    users = {
        part_of(path) for path, tree in FILES.items() if any(name.split(".")[0] == "simpy" for name in imports(tree))
    }
    assert users == {"kernel"}


def test_components_know_the_program_but_not_the_compiler() -> None:
    for path, tree in FILES.items():
        if part_of(path) == "components":
            assert {name for target, name in own(tree) if target == "compiler"} <= FROM_COMPILER, path


def test_roles_of_components_do_not_import_each_other() -> None:
    for path, tree in FILES.items():
        parts = Path(path).parts
        if parts[0] == "components" and len(parts) > 2:
            roles = {name.split(".")[2] for target, name in own(tree) if target == "components"}
            assert roles <= {parts[1]}, path


def test_importing_the_package_needs_no_extra() -> None:
    """Libraries of extras are imported where they are used, never at the top of a file."""
    models = {"onnx", "onnxsim", "onnxruntime", "torch"}
    extras = {*models, "pyarrow", "vcd", "pandas", "dask", "matplotlib", "jinja2", "markupsafe", "scipy", "sklearn"}
    for path, tree in FILES.items():
        top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        needed = {name.split(".")[0] for name in imports(top)} & extras
        assert not needed or path.startswith("network/onnx_import/"), (path, needed)
