"""The commands that read and list configurations, and what all commands have in common."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from soc_sim.cli import dispatch, main
from soc_sim.config import load, shipped
from soc_sim.config.array import FLOWS
from soc_sim.config.run import Run
from soc_sim.errors import DeadlockError, SocSimError, VerificationError
from soc_sim.network import zoo

RUN = "soc: edge_16x16\nworkload: {network: resnet8}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(RUN)
    return path


def test_check_goes_on_after_a_broken_file(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = config.with_name("bad.yaml")
    bad.write_text(RUN.replace("edge_16x16", "edge_16x17"))
    assert main(["check", str(bad), str(config)]) == 2
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{bad}:1: soc: 'edge_16x17' is not known; allowed: ")
    assert first.endswith("; did you mean 'edge_16x16'?")
    assert second == f"{config}: ok"


def test_check_json_is_one_document(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(config), "missing.yaml", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == [
        {"file": str(config), "faults": []},
        {"file": "missing.yaml", "faults": ["no such file: 'missing.yaml'"]},
    ]


def test_check_knows_the_networks_of_a_network_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("kind: network\nmodel: resnet81\n")
    assert main(["check", str(file)]) == 2
    assert capsys.readouterr().out.startswith(f"{file}:2: model: 'resnet81' is not a network of the zoo; allowed: ")
    file.write_text("kind: network\nmodel: resnet8\ninput_shapes: [{name: x, shape: [1]}]\n")
    assert main(["check", str(file)]) == 2
    assert capsys.readouterr().out == f"{file}:2: model: networks of the zoo take no input_shapes\n"


def test_running_what_show_prints_is_the_same_run(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(config), "--set", "soc.array.rows=32", "--seed", "5"]) == 0
    resolved = config.with_name("resolved.yaml")
    resolved.write_text(capsys.readouterr().out)
    assert load(resolved, Run) == load(config, Run, ["soc.array.rows=32", "seed=5"])
    assert main(["show", str(resolved)]) == 0
    assert capsys.readouterr().out == resolved.read_text()


def test_show_json_loads_as_the_same_run(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(config), "--json"]) == 0
    assert load(json.loads(capsys.readouterr().out), Run) == load(config, Run)


def test_faults_go_to_stderr_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "missing.yaml"]) == 2
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "no such file: 'missing.yaml'\n")


def test_list_names_everything_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    listing = json.loads(capsys.readouterr().out)
    names = {category: [row["name"] for row in rows] for category, rows in listing.items()}
    assert list(names) == [
        "socs",
        "networks",
        "drams",
        "arrays",
        "dataflows",
        "operators",
        "energy",
        "configs",
        "scenarios",
    ]
    assert all(names.values())
    assert names["socs"] == sorted(path.stem for path in (shipped.root() / "socs").iterdir())
    assert set(zoo.names()) <= set(names["networks"])
    assert names["dataflows"] == list(FLOWS)
    assert main(["list", "socs"]) == 0
    title, *rows = capsys.readouterr().out.splitlines()
    assert title == "socs"
    assert [row.split("\t")[0].strip() for row in rows] == names["socs"]


def test_schema_is_a_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"


@pytest.mark.parametrize("command", ["check", "show", "list", "schema"])
def test_common_options_are_accepted_after_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(option in text for option in ("--json", "--quiet", "--seed N"))


def test_help_lists_exactly_the_commands_that_exist(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "COMMANDS", (*dispatch.COMMANDS, ("fly", "is not there yet")))
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    folder = Path(str(dispatch.__file__)).parent
    assert "fly" not in text
    assert [name for name, _ in dispatch.COMMANDS if f"\n    {name} " in text] == [
        name for name, _ in dispatch.COMMANDS if (folder / f"{name}.py").exists()
    ]


@pytest.mark.parametrize("arguments", [[], ["fly"], ["list", "planets"], ["check"], ["show", "x", "--nonsense"]])
def test_a_wrong_command_line_is_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            DeadlockError("dma waits for 4 credits"),
            3,
            "the simulation can make no progress:\ndma waits for 4 credits\n",
        ),
        (VerificationError("conv1 differs"), 4, "conv1 differs\n"),
        (SocSimError("other"), 1, "other\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (PermissionError(13, "Permission denied", "a.csv"), 1, "a.csv: Permission denied\n"),
    ],
)
def test_errors_end_in_a_message_and_their_exit_code(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(importlib.import_module("soc_sim.cli.schema"), "run", fail)
    assert main(["schema"]) == code
    assert capsys.readouterr().err == message


def test_a_reader_that_leaves_early_causes_no_message() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "soc_sim", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == dispatch.PIPE_CLOSED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the platform has no /dev/full")
def test_a_full_disk_is_a_message() -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run([sys.executable, "-m", "soc_sim", "schema"], stdout=full, stderr=subprocess.PIPE)
    assert process.returncode == 1
    assert process.stderr == b"standard output: No space left on device\n"


def test_help_loads_neither_the_models_nor_the_simulator() -> None:
    code = (
        "import sys\nfrom soc_sim.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "sys.exit(bool({'pydantic', 'numpy', 'simpy', 'rich', 'yaml'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)  # noqa: S603 — our own code
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rnu", "x"), "did you mean 'run'"),
        (("list", "netwrks"), "did you mean 'networks'"),
        (("run",), "CONFIG"),
        (("run", "resnet50_edge", "--nope"), "--nope"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert stopped.value.code == 2
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert words in captured.err
