"""Import of real files, and the rules for attributes, inputs and constants."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from onnx_models import numbers, save

from soc_sim.errors import MissingExtraError, NetworkError
from soc_sim.network.base import Network, Operator
from soc_sim.network.onnx_import import load
from soc_sim.network.operators import OPERATORS, count_macs, count_parameters, gemm_shape

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

# Published multiply-accumulates of one 224×224 image, in G, to the digits published.
PUBLISHED_GMACS = {
    "bvlc_alexnet": "0.655",
    "zfnet512": "1.482",
    "vgg19": "19.632",
    "squeezenet": "0.349",
    "inception_v1": "1.432",
    "shufflenet": "0.125",
    "resnet50": "4.089",
    "inception_v2": "2.019",
    "densenet121": "2.834",
}


def only(network: Network, op_type: str) -> Operator:
    (operator,) = (operator for operator in network.operators if operator.op_type == op_type)
    return operator


# --- real files ---


@pytest.mark.parametrize("name", PUBLISHED_GMACS)
def test_macs_of_light_models_are_the_published_ones(name: str) -> None:
    assert f"{count_macs(load(LIGHT / f'light_{name}.onnx')) / 1e9:.3f}" == PUBLISHED_GMACS[name]


@pytest.mark.parametrize("name", PUBLISHED_GMACS)
def test_light_models_hold_only_known_operators_on_recorded_tensors(name: str) -> None:
    network = load(LIGHT / f"light_{name}.onnx")
    for operator in network.operators:
        assert operator.op_type in OPERATORS
        assert all(tensor in network.tensors for tensor in (*operator.inputs, *operator.outputs) if tensor)
    assert network.name == f"light_{name}"
    assert network.source.endswith(f"light_{name}.onnx")
    assert network.warnings == ()


def test_vgg19_has_the_published_parameters() -> None:
    """143,667,240: torchvision's vgg19."""
    assert count_parameters(load(LIGHT / "light_vgg19.onnx")) == 143_667_240


def test_weights_of_light_models_are_not_materialised() -> None:
    """The 411 MB of VGG-19's first fully connected layer are one stored number."""
    network = load(LIGHT / "light_vgg19.onnx")
    gemm = next(operator for operator in network.operators if operator.op_type == "Gemm")
    weights = network.tensors[gemm.inputs[1]]
    assert weights.values is not None
    values = weights.values()
    assert values.shape == weights.shape == (4096, 25088)
    assert set(values.strides) == {0}
    assert values[0, 0] == np.float32(0.02)


def test_mnist_conv_of_qonnx() -> None:
    """Two 5×5 convolutions (28·28·8·25, 14·14·16·200) and 256×10; the weights of the last lie behind a Reshape."""
    pytest.importorskip("qonnx", reason="the package qonnx carries the model")
    with resources.as_file(resources.files("qonnx") / "data/onnx/mnist-conv/model.onnx") as path:
        network = load(path)
    assert count_macs(network) == 28 * 28 * 8 * 25 + 14 * 14 * 16 * 200 + 256 * 10
    (shape,) = (gemm_shape(o, network) for o in network.operators if o.op_type == "MatMul")
    assert (shape.m, shape.k, shape.n) == (10, 256, 1)
    assert [o.attributes["pads"] for o in network.operators if o.op_type == "Conv"] == [(2, 2, 2, 2)] * 2


@pytest.fixture(scope="session")
def basic_pitch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """nmp.onnx out of basic-pitch's wheel: the package itself would install a whole framework."""
    folder = tmp_path_factory.mktemp("basic_pitch")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--timeout", "10", "--retries", "0"]
    result = subprocess.run(  # noqa: S603  fixed arguments
        [*command, "-d", str(folder), "basic-pitch==0.4.0"], capture_output=True, text=True, timeout=120, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if result.returncode or not wheels:
        pytest.skip("the wheel of basic-pitch 0.4.0 cannot be fetched")
    with zipfile.ZipFile(wheels[0]) as archive:
        (member,) = (name for name in archive.namelist() if name.endswith("nmp.onnx"))
        return Path(archive.extract(member, folder))


@pytest.mark.slow
def test_basic_pitch_has_32_convolutions_and_524_mmacs(basic_pitch: Path) -> None:
    network = load(basic_pitch)
    assert sum(operator.op_type == "Conv" for operator in network.operators) == 32
    assert round(count_macs(network) / 1e6) == 524


# --- convolutions and pools ---

window_sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))
steps = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(
    op_type=st.sampled_from(["Conv", "MaxPool", "AveragePool"]),
    auto_pad=st.sampled_from(["SAME_UPPER", "SAME_LOWER", "VALID"]),
    kernel=window_sizes,
    strides=steps,
    dilations=steps,
    size=st.tuples(st.integers(13, 20), st.integers(13, 20)),
)
def test_auto_pad_becomes_pads_that_give_the_same_output(
    tmp_path_factory: pytest.TempPathFactory,
    op_type: str,
    auto_pad: str,
    kernel: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    size: tuple[int, int],
) -> None:
    """onnx infers the same shape from the explicit pads, and the two sides differ by at most one, on the named side."""
    path = tmp_path_factory.mktemp("auto_pad") / "model.onnx"
    settings = {"kernel_shape": kernel, "strides": strides, "dilations": dilations}
    names, weights = (["x", "w"], {"w": numbers(2, 3, *kernel)}) if op_type == "Conv" else (["x"], {})
    node = helper.make_node(op_type, names, ["y"], auto_pad=auto_pad, **settings)
    network = load(save(path, [node], inputs={"x": [1, 3, *size]}, constants=weights, opset=19))
    found = network.operators[0].attributes
    assert found["auto_pad"] == "NOTSET"
    explicit = helper.make_node(op_type, names, ["y"], pads=found["pads"], **settings)
    inferred = onnx.shape_inference.infer_shapes(
        onnx.load(save(path, [explicit], inputs={"x": [1, 3, *size]}, constants=weights, opset=19))
    )
    dims = tuple(d.dim_value for d in inferred.graph.output[0].type.tensor_type.shape.dim)
    assert network.tensors["y"].shape == dims
    begins, ends = found["pads"][:2], found["pads"][2:]
    for begin, end in zip(begins, ends, strict=True):
        assert (end - begin) in {"SAME_UPPER": (0, 1), "SAME_LOWER": (0, -1), "VALID": (0,)}[auto_pad]


def test_defaults_of_a_convolution_are_filled_in(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    network = load(save(tmp_path / "m.onnx", [node], inputs={"x": [1, 4, 8, 8]}, constants={"w": numbers(6, 4, 3, 2)}))
    assert network.operators[0] == Operator(
        "Conv_0",
        "Conv",
        ("x", "w"),
        ("y",),
        {
            "auto_pad": "NOTSET",
            "dilations": (1, 1),
            "group": 1,
            "kernel_shape": (3, 2),
            "pads": (0, 0, 0, 0),
            "strides": (1, 1),
        },
    )
    assert network.tensors["y"].shape == (1, 6, 6, 7)


def test_one_dimensional_convolution_runs_as_2d_of_height_one(tmp_path: Path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="c", strides=[2], pads=[1, 0], dilations=[2])
    network = load(save(tmp_path / "m.onnx", [node], inputs={"x": [1, 4, 20]}, constants={"w": numbers(6, 4, 3)}))
    assert [operator.op_type for operator in network.operators] == ["Unsqueeze", "Conv", "Squeeze"]
    conv = only(network, "Conv")
    assert conv.attributes["kernel_shape"] == (1, 3)
    assert conv.attributes["strides"] == (1, 2)
    assert conv.attributes["pads"] == (0, 1, 0, 0)
    assert conv.attributes["dilations"] == (1, 2)
    assert network.tensors[conv.inputs[1]].shape == (6, 4, 1, 3)
    assert network.tensors["y"].shape == (1, 6, (20 + 1 - 5) // 2 + 1)
    assert count_macs(network) == 6 * 4 * 3 * 9


def test_transposed_convolution_has_one_mac_per_input_and_weight(tmp_path: Path) -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    network = load(save(tmp_path / "m.onnx", [node], inputs={"x": [1, 4, 5, 5]}, constants={"w": numbers(4, 3, 2, 2)}))
    assert count_macs(network) == 5 * 5 * 4 * 3 * 2 * 2
    assert network.tensors["y"].shape == (1, 3, 10, 10)


# --- other attributes ---


@pytest.mark.parametrize("opset", [6, 13])
def test_limits_of_clip_are_attributes_in_every_opset(tmp_path: Path, opset: int) -> None:
    limits = {"low": np.float32(0), "high": np.float32(6)}
    node = (
        helper.make_node("Clip", ["x"], ["y"], min=0.0, max=6.0)
        if opset == 6
        else helper.make_node("Clip", ["x", "low", "high"], ["y"])
    )
    network = load(save(tmp_path / "m.onnx", [node], inputs={"x": [1, 4]}, constants=limits, opset=opset))
    assert network.operators[0].attributes == {"min": 0.0, "max": 6.0}
    assert network.operators[0].inputs == tuple(node.input)


def test_gemm_and_transpose_and_concat_and_softmax_are_complete(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["g"], transB=1),
        helper.make_node("Concat", ["g", "g"], ["c"], axis=-1),
        helper.make_node("Transpose", ["c"], ["t"]),
        helper.make_node("Softmax", ["t"], ["y"]),
    ]
    network = load(save(tmp_path / "m.onnx", nodes, inputs={"x": [2, 4]}, constants={"w": numbers(5, 4)}))
    assert [dict(operator.attributes) for operator in network.operators] == [
        {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1},
        {"axis": 1},
        {"perm": (1, 0)},
        {"axis": 1},
    ]


def test_settings_from_constant_inputs_are_attributes_too(tmp_path: Path) -> None:
    """Reshape, Slice and ReduceSum take theirs as inputs since opsets 5, 10 and 13."""
    nodes = [
        helper.make_node("Reshape", ["x", "target"], ["r"]),
        helper.make_node("Slice", ["r", "one", "end"], ["s"]),
        helper.make_node("ReduceSum", ["s", "last"], ["y"], keepdims=0),
    ]
    constants = {
        name: np.array(v) for name, v in {"target": [2, -1], "one": [0, 1], "end": [2, 9], "last": [-1]}.items()
    }
    network = load(save(tmp_path / "m.onnx", nodes, inputs={"x": [4, 3]}, constants=constants))
    reshape, cut, total = (operator.attributes for operator in network.operators)
    assert reshape["shape"] == (2, -1)
    assert (cut["starts"], cut["ends"], cut["axes"], cut["steps"]) == ((0, 1), (2, 9), (0, 1), (1, 1))
    assert total["axes"] == (1,)
    assert network.tensors["y"].shape == (2,)


# --- inputs ---


def test_symbolic_batch_becomes_one(tmp_path: Path) -> None:
    path = save(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], inputs={"x": ["N", 3]})
    assert load(path).tensors["y"].shape == (1, 3)


def test_given_shape_replaces_symbols_in_all_inputs(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("Add", ["x", "z"], ["y"])],
        inputs={"x": ["N", 3, "H"], "z": ["N", 3, "H"]},
    )
    network = load(path, input_shapes={"x": (2, 3, 7)})
    assert network.tensors["y"].shape == (2, 3, 7)
    assert network.inputs == ("x", "z")


def test_shape_arithmetic_folds_away(tmp_path: Path) -> None:
    """Flattening as exporters write it: Shape → Gather → Unsqueeze → Concat → Reshape leaves one view."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axes"], ["n1"]),
        helper.make_node("Concat", ["n1", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    constants = {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1])}
    network = load(save(tmp_path / "m.onnx", nodes, inputs={"x": ["N", 3, 4]}, constants=constants))
    assert [operator.op_type for operator in network.operators] == ["Reshape"]
    assert network.operators[0].attributes["shape"] == (1, -1)
    assert network.tensors["y"].shape == (1, 12)


def test_if_with_constant_condition_is_replaced_by_its_branch(tmp_path: Path) -> None:
    def branch(op_type: str) -> onnx.GraphProto:
        out = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
        return helper.make_graph([helper.make_node(op_type, ["x"], ["b"])], op_type, [], [out])

    nodes = [helper.make_node("If", ["c"], ["y"], then_branch=branch("Relu"), else_branch=branch("Tanh"))]
    path = save(tmp_path / "m.onnx", nodes, inputs={"x": [1, 3]}, constants={"c": np.array(False)})
    assert [operator.op_type for operator in load(path).operators] == ["Tanh", "Identity"]


# --- where weights hide ---

W = numbers(6, 4, seed=3)


def _constant(array: np.ndarray, name: str) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))


HIDDEN = {
    "initializer": ([], {"w": W}, W),
    "Constant": ([_constant(W, "w")], {}, W),
    "Identity": ([helper.make_node("Identity", ["a"], ["w"])], {"a": W}, W),
    "Reshape": ([helper.make_node("Reshape", ["a", "s"], ["w"])], {"a": W.reshape(3, 8), "s": np.array([6, -1])}, W),
    "Transpose": ([helper.make_node("Transpose", ["a"], ["w"])], {"a": np.ascontiguousarray(W.T)}, W),
    "Cast": ([helper.make_node("Cast", ["a"], ["w"], to=TensorProto.FLOAT)], {"a": W.astype(np.float64)}, W),
    "Squeeze": ([helper.make_node("Squeeze", ["a", "s"], ["w"])], {"a": W[None], "s": np.array([0])}, W),
    "DequantizeLinear": (
        [helper.make_node("DequantizeLinear", ["a", "s"], ["w"])],
        {"a": np.arange(24, dtype=np.int8).reshape(6, 4), "s": np.float32(0.5)},
        np.arange(24, dtype=np.float32).reshape(6, 4) / 2,
    ),
    "ConstantOfShape": (
        [
            _constant(np.array([6, 4]), "s"),
            helper.make_node(
                "ConstantOfShape", ["s"], ["w"], value=helper.make_tensor("", TensorProto.FLOAT, [1], [0.5])
            ),
        ],
        {},
        np.full((6, 4), 0.5, np.float32),
    ),
    "Quant": (
        [helper.make_node("Quant", ["a", "s", "z", "b"], ["w"], domain="onnx.brevitas", narrow=1, signed=1)],
        {
            "a": np.linspace(-3, 3, 24, dtype=np.float32).reshape(6, 4),
            "s": np.float32(0.5),
            "z": np.float32(0),
            "b": np.float32(3),
        },
        # Signed, narrow, three bits: integers from -3 to 3, here in steps of 0.5.
        np.clip(np.round(np.linspace(-3, 3, 24).reshape(6, 4) * 2), -3, 3).astype(np.float32) / 2,
    ),
}


@pytest.mark.parametrize("place", HIDDEN)
def test_weights_are_found_and_read_wherever_they_hide(tmp_path: Path, place: str) -> None:
    nodes, constants, expected = HIDDEN[place]
    nodes = [*nodes, helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)]
    domains = ["onnx.brevitas"] if place == "Quant" else []
    network = load(save(tmp_path / "m.onnx", nodes, inputs={"x": [1, 4]}, constants=constants, domains=domains))
    assert [operator.op_type for operator in network.operators] == ["Gemm"]
    weights = network.tensors["w"]
    assert weights.constant
    assert weights.shape == expected.shape
    assert weights.values is not None
    np.testing.assert_array_equal(weights.values(), expected)


def test_external_data_are_read_from_beside_the_model(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], inputs={"x": [1, 6]}, constants={"w": W}
    )
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    weights = load(path).tensors["w"]
    assert weights.values is not None
    np.testing.assert_array_equal(weights.values(), W)


def test_initializers_may_be_listed_among_the_inputs(tmp_path: Path) -> None:
    """Files before IR version 4 list every weight as an input."""
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    path = save(tmp_path / "m.onnx", [node], inputs={"x": [1, 6], "w": [6, 4]}, constants={"w": W})
    network = load(path)
    assert network.inputs == ("x",)
    assert network.tensors["w"].constant


# --- unknown operators ---


def unknown_model(path: Path) -> Path:
    nodes = [
        helper.make_node("Rellu", ["x"], ["a"], name="first"),
        helper.make_node("Magic", ["a"], ["b"], name="second", domain="my.ops"),
        helper.make_node("Relu", ["b"], ["y"]),
    ]
    return save(path, nodes, inputs={"x": [1, 3, 8, 8]}, domains=["my.ops"])


def test_all_unknown_operators_are_named_at_once(tmp_path: Path) -> None:
    path = unknown_model(tmp_path / "m.onnx")
    with pytest.raises(NetworkError) as caught:
        load(path)
    assert caught.value.faults == (
        f'{path}: node "first": operator type Rellu (domain ai.onnx) is unknown; allow_unknown costs it as a copy; '
        'did you mean "Relu"?',
        f'{path}: node "second": operator type Magic (domain my.ops) is unknown; allow_unknown costs it as a copy',
    )


def test_unknown_operators_become_copies_with_a_warning_on_request(tmp_path: Path) -> None:
    network = load(unknown_model(tmp_path / "m.onnx"), allow_unknown=True)
    assert [operator.op_type for operator in network.operators] == ["Rellu", "Magic", "Relu"]
    assert network.tensors["y"].shape == (1, 3, 8, 8)
    assert network.warnings[1] == (
        'node "second" of type Magic (domain my.ops) is unknown: '
        'costed as a copy of its inputs and outputs on the host; "b" is taken to have the shape of "a"'
    )


def test_shapes_stated_in_the_file_serve_unknown_operators(tmp_path: Path) -> None:
    stated = helper.make_tensor_value_info("a", TensorProto.FLOAT, [1, 5])
    nodes = [helper.make_node("Magic", ["x"], ["a"], domain="my.ops"), helper.make_node("Relu", ["a"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, inputs={"x": [1, 3]}, domains=["my.ops"], value_info=[stated])
    assert load(path, allow_unknown=True).tensors["y"].shape == (1, 5)


def test_without_onnx_the_message_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'soc_sim\[onnx\]'"):
        load(tmp_path / "m.onnx")
