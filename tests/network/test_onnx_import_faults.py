"""Broken files: each gives the whole message, one line per fault, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import numbers, save

from soc_sim.errors import NetworkError
from soc_sim.network.onnx_import import load

IMAGE = {"x": [1, 3, 8, 8]}
NEWEST = onnx.defs.onnx_opset_version()


def relu(path: Path, shape: list[int | str | None], input_type: int = TensorProto.FLOAT) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    save(path, [node], inputs={"x": shape})
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = input_type
    onnx.save(model, path)


def conv(path: Path, weights: tuple[int, ...], shape: tuple[int, ...] = (1, 3, 8, 8), **attributes: object) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="Conv_3", **attributes)
    save(path, [node], inputs={"x": shape}, constants={"w": numbers(*weights)})


def truncated(path: Path) -> None:
    conv(path, (4, 3, 3, 3))
    path.write_bytes(path.read_bytes()[:100])


def name_not_utf8(path: Path) -> None:
    conv(path, (4, 3, 3, 3))
    path.write_bytes(path.read_bytes().replace(b"Conv_3", b"Conv\xff\xfe"))


def names_twice(path: Path) -> None:
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="a"), helper.make_node("Tanh", ["x"], ["y"], name="b")]
    save(path, nodes, inputs=IMAGE)


def cycle(path: Path) -> None:
    nodes = [helper.make_node("Add", ["x", "b"], ["a"], name="p"), helper.make_node("Relu", ["a"], ["b"], name="q")]
    save(path, nodes, inputs=IMAGE, outputs=["b"])


def external_data_missing(path: Path) -> None:
    conv(path, (4, 3, 3, 3))
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (path.parent / "weights.bin").unlink()


def external_data_short(path: Path) -> None:
    conv(path, (4, 3, 3, 3))
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (path.parent / "weights.bin").write_bytes(b"1234")


def external_data_elsewhere(path: Path) -> None:
    conv(path, (4, 3, 3, 3))
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].external_data[0].value = "../secret.bin"
    path.write_bytes(model.SerializeToString())


def wrong_amount_of_data(path: Path) -> None:
    conv(path, (4, 3, 3, 3))
    model = onnx.load(path)
    model.graph.initializer[0].raw_data = b"1234"
    path.write_bytes(model.SerializeToString())


def negative_initializer(path: Path) -> None:
    conv(path, (4, 3, 3, 3))
    model = onnx.load(path)
    model.graph.initializer[0].dims[0] = -4
    path.write_bytes(model.SerializeToString())


def without(field: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        relu(path, [1, 3])
        model = onnx.load(path)
        model.graph.ClearField(field)
        path.write_bytes(model.SerializeToString())

    return write


def loop(path: Path) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["d"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("d", TensorProto.BOOL, [])],
    )
    nodes = [
        helper.make_node("Loop", ["n", ""], ["l"], name="again", body=body),
        helper.make_node("Relu", ["x"], ["y"]),
    ]
    save(path, nodes, inputs=IMAGE, constants={"n": np.array(3)})


def sparse(path: Path) -> None:
    relu(path, [1, 3])
    model = onnx.load(path)
    values = numpy_helper.from_array(np.ones(1, np.float32), "w")
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "w_indices")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    path.write_bytes(model.SerializeToString())


def newer_opset(path: Path) -> None:
    relu(path, [1, 3])
    model = onnx.load(path)
    model.opset_import[0].version = NEWEST + 1
    path.write_bytes(model.SerializeToString())


def one_node(
    op_type: str, constants: dict[str, np.ndarray] | None = None, **attributes: object
) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        names = ["x", *(constants or {})]
        save(
            path,
            [helper.make_node(op_type, names, ["y"], name="n", **attributes)],
            inputs=IMAGE,
            constants=constants,
        )

    return write


def nan_attribute(path: Path) -> None:
    one_node("LeakyRelu", alpha=float("nan"))(path)


def nothing_left(path: Path) -> None:
    save(path, [helper.make_node("Relu", ["w"], ["y"])], inputs={}, constants={"w": numbers(3)})


BROKEN: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "missing": (lambda _: None, ("no such file",)),
    "directory": (lambda path: path.mkdir(), ("is a directory; allowed: an ONNX file",)),
    "empty": (lambda path: path.touch(), ("is empty; allowed: an ONNX file",)),
    "text": (
        lambda path: path.write_text("name: not a model\n"),
        ("is not an ONNX file (it does not begin with a version)",),
    ),
    "not UTF-8": (
        lambda path: path.write_bytes(b"\xff\xfe\x00\x80" * 9),
        ("is not an ONNX file (it does not begin with a version)",),
    ),
    "truncated": (truncated, ("is truncated or damaged (100 bytes do not form an ONNX model)",)),
    "name not UTF-8": (name_not_utf8, ("is damaged: a name is not UTF-8",)),
    "no graph": (
        lambda path: path.write_bytes(onnx.ModelProto(ir_version=8).SerializeToString()),
        ("contains no graph; allowed: an ONNX model",),
    ),
    "opset from the future": (
        newer_opset,
        (f"opset {NEWEST + 1} is not known to onnx {onnx.__version__}; allowed: 1 to {NEWEST}",),
    ),
    "no operators": (
        without("node"),
        ("the graph has no operators", 'output "y" is produced by no node'),
    ),
    "no outputs": (without("output"), ("the graph has no outputs",)),
    "everything constant": (nothing_left, ("every operator has constant inputs: nothing is left to run",)),
    "zero-sized input": (lambda p: relu(p, [1, 0]), ('input "x": shape 1×0; allowed: dimensions of 1 or more',)),
    "negative input": (lambda p: relu(p, [1, -3]), ('input "x": shape 1×-3; allowed: dimensions of 1 or more',)),
    "NaN dimension": (
        lambda p: relu(p, ["NaN", 3]),
        ('input "x": dimension 0 is NaN; allowed: a number of 1 or more, or a name',),
    ),
    "open dimensions": (
        lambda p: relu(p, ["N", 3, "height", None]),
        (
            'input "x": dimension 2 ("height") is not fixed; '
            'set it by input_shapes={"x": (1, 3, height, ?)} with a number for it',
            'input "x": dimension 3 ("?") is not fixed; '
            'set it by input_shapes={"x": (1, 3, height, ?)} with a number for it',
        ),
    ),
    "text input": (lambda p: relu(p, [1, 3], TensorProto.STRING), ('input "x" holds STRING; allowed: real numbers',)),
    "name defined twice": (names_twice, ('node "b": output "y" is already defined by node "a"',)),
    "cycle": (cycle, ('the graph has a cycle: "p" → "q" → "p"',)),
    "input from nowhere": (
        lambda p: save(p, [helper.make_node("Add", ["x", "imge"], ["y"], name="n")], inputs={"x": [1], "image": [1]}),
        ('node "n": input "imge" is produced by no node; did you mean "image"?',),
    ),
    "external data missing": (external_data_missing, ('initializer "w": data file {folder}/weights.bin is missing',)),
    "external data short": (
        external_data_short,
        ('initializer "w": data file {folder}/weights.bin ends before byte 432',),
    ),
    "external data elsewhere": (
        external_data_elsewhere,
        ('initializer "w": data file ../secret.bin lies outside the folder of the model',),
    ),
    "wrong amount of data": (
        wrong_amount_of_data,
        ('initializer "w": 4 bytes of data; its shape and type need 432',),
    ),
    "negative initializer": (
        negative_initializer,
        ('initializer "w": negative dimension in [-4, 3, 3, 3]; allowed: 0 or more',),
    ),
    "sparse initializer": (sparse, ('initializer "w" is stored sparse; allowed: dense tensors (zeros included)',)),
    "channels of a convolution": (
        lambda p: conv(p, (4, 2, 3, 3), group=2),
        ('node "Conv_3": input has 3 channels; allowed: 4 (2 per group × 2 groups)',),
    ),
    "groups of a convolution": (
        lambda p: conv(p, (4, 1, 3, 3), group=3),
        ('node "Conv_3": 4 output channels in 3 groups; allowed: a multiple of 3',),
    ),
    "kernel_shape of a convolution": (
        lambda p: conv(p, (4, 3, 3, 3), kernel_shape=[5, 5]),
        ('node "Conv_3": kernel_shape (5, 5); allowed: (3, 3), as in the weights',),
    ),
    "rank of a convolution": (
        lambda p: conv(p, (4, 3, 3, 3, 3, 3), (1, 3, 8, 8, 8, 8)),
        ('node "Conv_3": Conv over 4 axes; allowed: 1 to 3',),
    ),
    "kernel larger than the image": (
        lambda p: conv(p, (4, 3, 9, 9)),
        ('node "Conv_3": output 1×4×0×0 is empty: Conv of 1×3×8×8, 4×3×9×9',),
    ),
    "auto_pad": (
        lambda p: conv(p, (4, 3, 3, 3), auto_pad="SOME"),
        ('node "Conv_3": auto_pad SOME; allowed: NOTSET, SAME_UPPER, SAME_LOWER, VALID',),
    ),
    "matrix product": (
        one_node("MatMul", {"w": numbers(5, 4)}),
        ('node "n": MatMul of 1×3×8×8, 5×4: Incompatible dimensions for matrix multiplication',),
    ),
    "reshape": (
        one_node("Reshape", {"s": np.array([7, -1])}),
        ('node "n": Reshape of 1×3×8×8, 2: Dimension could not be inferred: incompatible shapes',),
    ),
    "perm": (
        one_node("Transpose", perm=[0, 2, 1]),
        ('node "n": perm (0, 2, 1) does not name each of the 4 axes once',),
    ),
    "attribute missing": (one_node("Concat"), ("node \"n\": Concat of 1×3×8×8: Required attribute 'axis' is missing",)),
    "NaN attribute": (nan_attribute, ('node "n": attribute alpha is NaN; allowed: numbers',)),
    "control flow": (
        loop,
        ('node "again": Loop is control flow that depends on data; allowed: straight-line networks',),
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_file_gives_one_line_per_fault(tmp_path: Path, fault: str, capfd: pytest.CaptureFixture[str]) -> None:
    break_it, expected = BROKEN[fault]
    path = tmp_path / "model.onnx"
    break_it(path)
    with pytest.raises(NetworkError) as caught:
        load(path)
    assert caught.value.faults == tuple(f"{path}: {line.replace('{folder}', str(tmp_path))}" for line in expected)
    assert capfd.readouterr() == ("", "")


def test_faults_of_several_nodes_come_together(tmp_path: Path) -> None:
    """What depends on a faulty node adds nothing."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="follows"),
        helper.make_node("Conv", ["x", "k"], ["c"], name="second"),
        helper.make_node("Add", ["b", "c"], ["y"], name="joins"),
    ]
    path = save(tmp_path / "m.onnx", nodes, inputs=IMAGE, constants={"w": numbers(5, 4), "k": numbers(4, 5, 1, 1)})
    with pytest.raises(NetworkError) as caught:
        load(path)
    assert [line.split(":")[1] for line in caught.value.faults] == [' node "first"', ' node "second"']


def test_input_shapes_that_do_not_suit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    relu(path, ["N", 3])
    with pytest.raises(NetworkError) as caught:
        load(path, input_shapes={"xx": (1, 3), "x": (1, 3, 4)})
    assert caught.value.faults == (
        f'{path}: input_shapes: there is no input "xx"; allowed: x; did you mean "x"?',
        f'{path}: input "x" has 2 dimensions; input_shapes gives 3 (1×3×4)',
    )
