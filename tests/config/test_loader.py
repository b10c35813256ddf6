"""Loading: references, overrides, and the way back to YAML."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import yaml
from descriptions import FILES, write
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.config import dump, load, load_any, shipped
from soc_sim.config.array import Array
from soc_sim.config.memory import IdealMemory
from soc_sim.config.run import NetworkFile, Run
from soc_sim.config.soc import Soc
from soc_sim.config.yaml_reader import parse
from soc_sim.errors import ConfigurationError

SHIPPED = [path for path in sorted(shipped.root().rglob("*.yaml")) if "package://" not in path.read_text()]


def test_a_description_may_be_spread_over_files_or_written_in_one(tmp_path: Path) -> None:
    parts = {name: yaml.safe_load(text) for name, text in FILES.items()}
    whole = parts["run.yaml"] | {
        "soc": parts["soc.yaml"] | {"dram": parts["dram.yaml"], "energy": parts["energy.yaml"]}
    }
    assert load(write(tmp_path), Run) == load(whole, Run)


def test_paths_are_relative_to_the_file_that_says_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        tmp_path, {"jobs/far.yaml": "soc: ../soc.yaml\nworkload: {network: ../nets/x.onnx}\n", "nets/x.onnx": b"\x08"}
    )
    monkeypatch.chdir("/")
    run = load(tmp_path / "jobs" / "far.yaml", Run)
    assert run.soc == load(tmp_path / "soc.yaml", Soc)
    assert Path(str(run.workload.network)).samefile(tmp_path / "nets" / "x.onnx")


def test_the_resolved_configuration_means_the_same_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"run.yaml:4": "  network: x.onnx", "x.onnx": b"\x08"})
    monkeypatch.chdir(tmp_path)
    run = load("run.yaml", Run)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    Path("resolved.yaml").write_text(dump(run))
    assert load("resolved.yaml", Run) == run


def test_bare_names_mean_shipped_files() -> None:
    name, path = next(iter(shipped.paths(["soc"]).items()))
    assert load(name, Soc) == load(path, Soc)
    assert load({"soc": name, "workload": {"network": "resnet8"}}, Run).soc == load(path, Soc)


def test_a_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, str | bytes] = {
        "described/__init__.py": "raise RuntimeError('imported')",
        "described/parts/dram.yaml": FILES["dram.yaml"],
        "soc.yaml:15": "dram: package://described/parts/dram.yaml",
    }
    write(tmp_path, files)
    monkeypatch.syspath_prepend(tmp_path)
    assert load(tmp_path / "run.yaml", Run).soc.dram.name == "made up"


@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="the extra 'onnx' is not installed")
def test_a_model_inside_a_package_keeps_its_portable_name(tmp_path: Path) -> None:
    model = "package://onnx/backend/test/data/light/light_resnet50.onnx"
    assert load(write(tmp_path, {"run.yaml:4": f"  network: {model}"}), Run).workload.network == model


def test_a_network_may_be_described_in_a_file(tmp_path: Path) -> None:
    described = "kind: network\nmodel: x.onnx\ninput_shapes: [{name: image, shape: [1, 3, 8, 8]}]\n"
    write(tmp_path, {"run.yaml:4": "  network: nets/net.yaml", "nets/net.yaml": described, "nets/x.onnx": b"\x08"})
    network = load(
        tmp_path / "run.yaml", Run, ["workload.network.input_shapes[image].shape=[1, 3, 9, 9]"]
    ).workload.network
    assert isinstance(network, NetworkFile)
    assert network.input_shapes[0].shape == (1, 3, 9, 9)
    assert network.model == str(tmp_path / "nets" / "x.onnx")


def test_a_file_without_kind_is_a_run(tmp_path: Path) -> None:
    assert isinstance(load_any(write(tmp_path, {"run.yaml:1": ""})), Run)


def test_overrides_apply_in_order_after_references_are_resolved(tmp_path: Path) -> None:
    config = write(tmp_path, {"other.yaml": FILES["soc.yaml"].replace("rows: 8", "rows: 4")})
    soc = f"soc={tmp_path / 'other.yaml'}"
    assert load(config, Run, ["soc.array.rows=32"]).soc.array.rows == 32
    assert load(config, Run, [soc, "soc.array.rows=32", "soc.array.rows=33"]).soc.array.rows == 33
    assert load(config, Run, ["soc.array.rows=32", soc]).soc.array.rows == 4


def test_paths_in_overrides_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(tmp_path, {"here/memory.yaml": "kind: ideal_memory\n"})
    monkeypatch.chdir(tmp_path / "here")
    assert load(config, Run, ["soc.dram=memory.yaml"]).soc.dram.kind == "ideal_memory"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seed=7", "seed", 7),
        ("mapping.dataflow=dWS", "mapping.dataflow", "dWS"),
        ("mapping.dataflow={conv1: dOS}", "mapping.dataflow", {"conv1": "dOS"}),
        ("soc.dma.burst=128 B", "soc.dma.burst", "128 B"),
        ("soc.array={rows: 2, cols: 3, clock: 1 GHz}", "soc.array.cols", 3),
        ("soc.dram={kind: ideal_memory}", "soc.dram.kind", "ideal_memory"),
        ("soc.weight_memory.kind=ideal_memory", "soc.weight_memory.kind", "ideal_memory"),
        ("soc.energy.macs[0].mac=3 pJ", "soc.energy.macs.0.mac", "3 pJ"),
        ("soc.energy.macs.0.mac=3 pJ", "soc.energy.macs.0.mac", "3 pJ"),
        ("soc.name=a=b", "soc.name", "a=b"),
    ],
)
def test_an_override_changes_or_adds_one_place(tmp_path: Path, override: str, path: str, value: object) -> None:
    found: object = load(write(tmp_path), Run, [override]).model_dump(mode="json")
    for key in path.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key]  # type: ignore[index]
    assert found == value


def test_brackets_hold_keys_with_dots(tmp_path: Path) -> None:
    config = write(tmp_path, {"run.yaml:7": "  dataflow: {}"})
    assert load(config, Run, ["mapping.dataflow[layer1.0.conv=1]=dIS"]).mapping.dataflow == {"layer1.0.conv=1": "dIS"}


def test_a_replaced_part_takes_its_faults_along(tmp_path: Path) -> None:
    config = write(tmp_path, {"soc.yaml:15": "dram: missing.yaml"})
    assert load(config, Run, ["soc.dram={kind: ideal_memory}"]).soc.dram.kind == "ideal_memory"


def test_a_broken_file_is_reported_once_and_overrides_below_it_are_not(tmp_path: Path) -> None:
    config = write(tmp_path, {"run.yaml:2": "soc: nowhere/soc.yaml"})
    with pytest.raises(ConfigurationError) as error:
        load(config, Run, ["soc.array.rows=4", "soc.nonsense=4"])
    assert error.value.faults == (f"{config}:2: soc: no such file: 'nowhere/soc.yaml'",)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(shipped.root()).as_posix())
def test_what_dump_writes_loads_as_an_equal_description(path: Path, tmp_path: Path) -> None:
    model = load_any(path)
    text = dump(model)
    (tmp_path / "resolved.yaml").write_text(text)
    assert text.startswith("kind: ")
    assert load_any(tmp_path / "resolved.yaml") == model
    assert load_any(model.model_dump(mode="json", exclude_none=True)) == model


@given(st.text(min_size=1, max_size=12))
def test_any_name_survives_the_way_to_yaml_and_back(name: str) -> None:
    assert parse(dump(IdealMemory(kind="ideal_memory", name=name)), "x").plain == {
        "kind": "ideal_memory",
        "name": name,
        "capacity": "1 TiB",
    }


def test_other_readers_of_yaml_agree_on_what_dump_writes() -> None:
    """PyYAML reads YAML 1.1; what it would misread is quoted."""
    soc = load("edge_16x16", Soc).model_copy(update={"name": "no"})
    assert yaml.safe_load(dump(soc)) == json.loads(json.dumps(soc.model_dump(mode="json", exclude_none=True)))


def test_faults_of_a_mapping_name_the_path_alone() -> None:
    with pytest.raises(ConfigurationError) as error:
        load({"rows": 0, "cols": 2, "clock": "1 GHz"}, Array)
    assert error.value.faults == ("rows: 0 is out of range; allowed: a whole number, 1 to 4096",)


def test_two_equal_faults_in_unions_are_one_line() -> None:
    with pytest.raises(ConfigurationError) as error:
        load({"soc": "edge_16x16", "workload": {"network": 3}}, Run)
    assert len(error.value.faults) == 1
