"""What every shipped description must satisfy."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

import pytest

from soc_sim.config.array import Array
from soc_sim.config.energy import EnergyTable
from soc_sim.config.loader import load, load_any
from soc_sim.config.memory import Dram, IdealMemory, SimpleMemory
from soc_sim.config.prune import Prune
from soc_sim.config.run import NetworkFile, Run
from soc_sim.config.scenario import Scenario
from soc_sim.config.shipped import root
from soc_sim.config.soc import Soc
from soc_sim.config.study import Study

FOLDERS = {
    ".": (Run, Prune),
    "array": (Array,),
    "dram": (Dram,),
    "energy": (EnergyTable,),
    "memory": (SimpleMemory, IdealMemory),
    "network": (NetworkFile,),
    "scenarios": (Scenario,),
    "socs": (Soc,),
    "studies": (Study,),
}
FILES = sorted(root().rglob("*.yaml"))
SOCS = sorted((root() / "socs").iterdir())


def label(path: Path) -> str:
    return path.relative_to(root()).as_posix()


@pytest.mark.parametrize("path", FILES, ids=label)
def test_a_file_holds_what_its_folder_says(path: Path) -> None:
    assert isinstance(load_any(path), FOLDERS[path.parent.relative_to(root()).as_posix()])


@pytest.mark.parametrize("path", FILES, ids=label)
def test_a_file_opens_with_its_source_and_what_was_assumed(path: Path) -> None:
    opening = list(takewhile(lambda line: line.startswith("#"), path.read_text(encoding="utf-8").splitlines()))
    assert any(line.startswith("# Source: ") for line in opening)
    assert any(line.startswith("# Assumed: ") for line in opening)


@pytest.mark.parametrize("path", FILES, ids=label)
def test_a_name_equals_that_of_its_file(path: Path) -> None:
    description = load_any(path)
    if "name" in type(description).model_fields:
        assert getattr(description, "name") == path.stem  # noqa: B009  # not every description has a name


@pytest.mark.parametrize("path", SOCS, ids=label)
def test_a_chunk_is_at_most_half_of_what_may_be_under_way(path: Path) -> None:
    """Otherwise the simulated unit of service, not the hardware, limits the bandwidth."""
    dma = load(path, Soc).dma
    assert 2 * dma.chunk_bytes <= dma.burst_bytes * dma.max_outstanding


@pytest.mark.parametrize("path", SOCS, ids=label)
def test_an_soc_holds_the_weights_and_activations_of_resnet18(path: Path) -> None:
    """11.69 M parameters (torchvision); the largest pair of tensors is the stem's output before and after pooling."""
    soc = load(path, Soc)
    weights, activations = 11_689_512, 64 * 112**2 + 64 * 56**2
    if soc.weight_memory:
        assert soc.weight_memory.capacity_bytes >= weights
        weights = 0
    assert soc.dram.capacity_bytes >= weights + activations


@pytest.mark.parametrize(
    ("name", "bytes_per_s"),
    [
        ("lpddr4_3200", 12.8e9),
        ("lpddr3_1600", 6.4e9),
        ("ddr3_1600", 6.4e9),
        ("ddr4_2400", 19.2e9),
        ("ddr4_3200", 25.6e9),
        ("lpddr5_6400", 12.8e9),
        ("hbm2", 256e9),
    ],
)
def test_a_dram_has_the_bandwidth_of_its_name(name: str, bytes_per_s: float) -> None:
    """Transfers a second times bytes of all data pins."""
    dram = load(name, Dram)
    burst_s = dram.burst_length / 2 * dram.timing.tck_ps * 1e-12
    assert dram.channels * dram.burst_bytes / burst_s == pytest.approx(bytes_per_s, rel=1e-3)


def test_at_least_five_socs_ship() -> None:
    assert len(SOCS) >= 5
    assert {path.suffix for path in SOCS} == {".yaml"}


def test_the_example_for_users_is_a_complete_soc(tmp_path: Path) -> None:
    text = (root() / "README.md").read_text(encoding="utf-8")
    example = tmp_path / "my_soc.yaml"
    example.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert load(example, Soc).dram.capacity_bytes == 2 * 2**30


def test_the_table_for_users_names_every_soc() -> None:
    text = (root() / "README.md").read_text(encoding="utf-8")
    assert [path.stem for path in SOCS if f"| `{path.stem}` |" not in text] == []
