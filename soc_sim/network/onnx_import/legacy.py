"""Writes operators of opsets 1 to 7 the way opset 8 does, so that everything after this knows one form.

What changed: run-time hints of the first years (``consumed_inputs``, ``is_test``) went away; the second operand of an
arithmetic operator was aligned by ``axis`` and is aligned to the right since opset 7; the target of Reshape, the
scales of Upsample and the type of Cast took another form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import NodeProto, TensorProto, helper

if TYPE_CHECKING:
    from collections.abc import Mapping

UNIFORM_OPSET = 8
"""Opset of a model's nodes after this step, where the file's is older."""

_HINTS = ("consumed_inputs", "is_test", "spatial")


def modernise(node: NodeProto, ranks: Mapping[str, int]) -> list[NodeProto]:
    """The node in opset 8, after the nodes that it now needs; ``ranks`` holds at least the ranks of its inputs.

    Raises:
        ValueError: a feature that opset 8 no longer has (Batch normalisation per pixel, ``spatial = 0``).
    """
    attributes: dict[str, Any] = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if attributes.get("spatial", 1) == 0:
        raise ValueError("BatchNormalization with spatial = 0 left ONNX with opset 9; allowed: spatial = 1")
    for hint in _HINTS:
        attributes.pop(hint, None)
    inputs, before = list(node.input), []
    if "broadcast" in attributes and node.op_type != "Gemm":
        axis = attributes.pop("axis", None)
        missing = 0 if axis is None else ranks[inputs[0]] - axis % ranks[inputs[0]] - ranks[inputs[1]]
        if missing > 0:
            axes = range(ranks[inputs[1]], ranks[inputs[1]] + missing)
            before.append(_node("Unsqueeze", [inputs[1]], f"{node.name}:aligned", axes=list(axes)))
            inputs[1] = f"{node.name}:aligned"
    attributes.pop("broadcast", None)
    if node.op_type == "Reshape" and "shape" in attributes:
        shape = attributes.pop("shape")
        tensor = helper.make_tensor("", TensorProto.INT64, [len(shape)], shape)
        before.append(_node("Constant", [], f"{node.name}:shape", value=tensor))
        inputs.append(f"{node.name}:shape")
    elif node.op_type == "Upsample" and "height_scale" in attributes:
        attributes["scales"] = [1.0, 1.0, attributes.pop("height_scale"), attributes.pop("width_scale")]
    elif node.op_type == "Cast" and isinstance(attributes.get("to"), bytes):
        attributes["to"] = TensorProto.DataType.Value(attributes["to"].decode())
    elif node.op_type == "Pad" and "paddings" in attributes:
        attributes["pads"] = attributes.pop("paddings")
    elif node.op_type == "Concat":
        attributes.setdefault("axis", 1)
    return [
        *before,
        helper.make_node(node.op_type, inputs, node.output, node.name, None, node.domain, None, **attributes),
    ]


def _node(op_type: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(op_type, inputs, [output], output, **attributes)
