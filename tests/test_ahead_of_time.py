"""Kernel and components as compiled ahead of time, and as the Python they are written in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import soc_sim
from soc_sim import ahead_of_time

ROOT = Path(soc_sim.__file__).parent


def run(*arguments: str, compiled: str) -> str:
    """What ``soc-sim`` prints in a process of its own."""
    return subprocess.run(  # noqa: S603 # our own command
        [sys.executable, "-m", "soc_sim", *arguments],
        env=os.environ | {"SOC_SIM_COMPILED": compiled},
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "resnet8_mcu"),
        ("run", "resnet8_mcu", "--set", "soc=edge_16x16"),
        ("run", "resnet8_mcu", "--set", "soc=edge_16x16", "--set", "soc.dram=hbm2"),
        (
            *("run", "resnet8_mcu", "--set", "soc=edge_16x16", "--set", "soc.domains=[{name: dram}]"),
            *("--set", "frequency_changes=[{at: 20 us, domain: dram, clock: 1 GHz}]"),
        ),
        ("scenario", "two_tenants"),
    ],
)
def test_both_forms_give_the_same_results(arguments: tuple[str, ...]) -> None:
    """All but the time that it took."""
    documents = []
    for compiled in "10":
        document = json.loads(run(*arguments, "--json", "--quiet", compiled=compiled))
        del document["simulation"]["wall_s"]
        documents.append(document)
    assert documents[0] == documents[1]


def test_the_sources_can_be_asked_for() -> None:
    assert run("--version", compiled="0").endswith(", interpreted\n")
    if os.environ.get("SOC_SIM_COMPILED") != "0":  # or this process itself has asked for them
        assert run("--version", compiled="1").endswith(f", {ahead_of_time.form()}\n")


def test_a_source_that_has_been_changed_since_is_noticed(tmp_path: Path) -> None:
    """By its time or its size; and one that is gone. Where nothing was compiled in place, nothing is looked for."""
    assert ahead_of_time.changed_sources(tmp_path) == []
    for name in ("same", "edited", "touched", "gone"):
        (tmp_path / f"{name}.py").write_text("1\n", encoding="utf-8")
    record = {path.name: [path.stat().st_mtime_ns, path.stat().st_size] for path in tmp_path.glob("*.py")}
    of_pythons = {EXTENSION_SUFFIXES[0]: record, ".another-python.so": {}}
    (tmp_path / "compiled_sources.json").write_text(json.dumps(of_pythons), encoding="utf-8")
    assert ahead_of_time.changed_sources(tmp_path) == []
    time_ns = (tmp_path / "edited.py").stat().st_mtime_ns
    (tmp_path / "edited.py").write_text("1 + 1\n", encoding="utf-8")
    os.utime(tmp_path / "edited.py", ns=(time_ns, time_ns))
    os.utime(tmp_path / "touched.py", ns=(time_ns + 1, time_ns + 1))
    (tmp_path / "gone.py").unlink()
    assert sorted(ahead_of_time.changed_sources(tmp_path)) == ["edited.py", "gone.py", "touched.py"]


@pytest.mark.parametrize("text", ["{", "{}", '{".another-python.so": {}}', '{"kernel/port.py": [1, 2]}'])
def test_a_record_that_is_not_about_this_python_leaves_the_sources(tmp_path: Path, text: str) -> None:
    """What lies beside them may be of older ones."""
    (tmp_path / "compiled_sources.json").write_text(text, encoding="utf-8")
    assert ahead_of_time.changed_sources(tmp_path) == ["compiled_sources.json"]


def test_what_may_be_compiled_has_no_examples() -> None:
    """pytest does not look for them there (pyproject.toml): beside a compiled module it cannot import the source."""
    sources = [path for part in ("kernel", "components") for path in (ROOT / part).rglob("*.py")]
    assert len(sources) > 50
    assert not [path for path in sources if ">>>" in path.read_text(encoding="utf-8")]
