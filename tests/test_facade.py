"""The package as scripts use it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import soc_sim
from soc_sim.config import load
from soc_sim.config.run import Run
from soc_sim.errors import ConfigurationError, MissingExtraError, NetworkError
from soc_sim.facade import simulate_run


@pytest.fixture(scope="module")
def result() -> soc_sim.Result:
    return soc_sim.simulate(soc_sim.load_soc("edge_16x16"), soc_sim.load_network("resnet8"))


def test_results_are_read_by_attribute(result: soc_sim.Result) -> None:
    assert result.latency_s == result.document["latency_s"]
    assert result.layers[0].stall_s == result.document["layers"][0]["stall_s"]
    with pytest.raises(AttributeError, match="latency_s"):
        _ = result.latency


def test_the_document_is_json_without_surprises(result: soc_sim.Result) -> None:
    assert json.loads(result.to_json()) == result.document


def test_a_notebook_shows_a_table(result: soc_sim.Result) -> None:
    assert "stack3.shortcut" in result._repr_html_()


def test_a_trace_can_be_written_afterwards(result: soc_sim.Result, tmp_path: Path) -> None:
    """The slices of the array's own track are its busy time, to the picosecond."""
    result.write_trace(tmp_path / "t.json")
    events = json.loads((tmp_path / "t.json").read_text(), parse_float=lambda text: round(float(text) * 10**6))[
        "traceEvents"
    ]
    names = {
        (event["pid"], event["tid"]): event["args"]["name"] for event in events if event.get("name") == "thread_name"
    }
    busy_ps = sum(
        event["dur"] if isinstance(event["dur"], int) else 0
        for event in events
        if event["ph"] == "X" and names[event["pid"], event["tid"]].endswith("array")
    )
    assert busy_ps == result.array_time_ps["busy"]


def test_a_program_can_be_compiled_once_and_run_often(result: soc_sim.Result) -> None:
    soc = soc_sim.load_soc("edge_16x16")
    program = soc_sim.compile(soc, soc_sim.load_network("resnet8"))
    assert soc_sim.simulate(soc, program).latency_ps == result.latency_ps


def test_one_dataflow_is_never_faster_than_the_choice_of_all(result: soc_sim.Result) -> None:
    """The choice is by estimate, which may be one percent off."""
    soc, network = soc_sim.load_soc("edge_16x16"), soc_sim.load_network("resnet8")
    for flow in ("dOS", "dWS", "dIS"):
        alone = soc_sim.simulate(soc, network, dataflow=flow)
        assert {layer.dataflow for layer in alone.layers if layer.unit == "array"} == {flow}
        assert alone.latency_ps >= result.latency_ps / 1.01


def test_settings_of_an_soc_are_relative_to_it() -> None:
    assert soc_sim.load_soc("edge_16x16", ["array.rows=32"]).array.rows == 32


def test_faults_are_exceptions_with_a_line_each() -> None:
    with pytest.raises(ConfigurationError, match="did you mean"):
        soc_sim.load_soc("edge_16x61")
    with pytest.raises(NetworkError, match="did you mean"):
        soc_sim.load_network("resnet81")


def test_a_dataflow_nobody_knows_is_a_configuration_error() -> None:
    soc, network = soc_sim.load_soc("edge_16x16"), soc_sim.load_network("resnet8")
    for call in (soc_sim.compile, soc_sim.simulate):
        with pytest.raises(ConfigurationError, match=r"dataflow: 'dXS' is unknown; allowed: auto, dOS"):
            call(soc, network, dataflow="dXS")  # type: ignore[arg-type]


def test_what_a_file_leaves_open_is_said_when_it_is_loaded(tmp_path: Path) -> None:
    """An input without sizes, and an operator nobody knows."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Odd", ["y"], ["z"], domain="own")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "W"])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", "W"])],
    )
    path = tmp_path / "open.onnx"
    onnx.save(helper.make_model(graph), path)
    with pytest.raises(NetworkError, match="is unknown"):
        soc_sim.load_network(path, input_shapes={"x": (1, 9)})
    network = soc_sim.load_network(path, input_shapes={"x": (1, 9)}, allow_unknown=True)
    assert network.tensors["x"].shape == (1, 9)
    result = soc_sim.simulate(soc_sim.load_soc("edge_16x16"), network)
    again = simulate_run(load(result.config, Run))
    assert again.latency_ps == result.latency_ps, "the configuration that a result embeds runs as it is"
    with pytest.raises(ConfigurationError, match="0 is out of range"):
        soc_sim.load_network(path, input_shapes={"x": (1, 0)})


def test_a_notebook_has_plots_and_a_table_of_pandas(result: soc_sim.Result) -> None:
    pytest.importorskip("matplotlib", reason="the extra plot is not installed")
    pytest.importorskip("pandas", reason="the extra pandas is not installed")
    labels = [text.get_text() for text in result.plot.timeline().axes.get_yticklabels()]
    assert {"core0.array", "dram", "host"} <= set(labels)
    table = result.to_pandas()
    assert table["name"].tolist() == [layer.name for layer in result.layers]
    assert table["stall_wait_weights_s"].tolist() == [layer.stall_s["wait_weights"] for layer in result.layers]
    assert table["macs"].sum() == result.macs


def test_a_report_can_be_written_afterwards(result: soc_sim.Result, tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the extra report is not installed")
    result.write_report(tmp_path / "report.html")
    assert '"track":"core0.array"' in (tmp_path / "report.html").read_text()


def test_the_missing_library_for_tables_is_named(result: soc_sim.Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"soc_sim\[pandas\]"):
        result.to_pandas()
