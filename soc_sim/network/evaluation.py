"""What a network computes, by the reference implementation of ONNX, one operator at a time.

The yardstick of functional execution: nothing here knows tiles, dataflows or layouts. Left out: operators that nobody
knows, and the quantisers of QONNX whose values ``onnx_import.quantiser`` does not compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.errors import MissingExtraError, NetworkError
from soc_sim.network.base import Network, Operator
from soc_sim.network.integers import IntegerGemm, integer_gemm, quantise

OPSET = 20
"""Of the one-operator models; the records of a network are written so that it can express them."""
Array = NDArray[Any]


def require_onnx(purpose: str) -> None:
    """Refuses where the reference implementation is missing.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    try:
        import onnx.reference  # noqa: F401  an extra
    except ImportError:
        raise MissingExtraError(f"{purpose} needs the extra onnx: pip install 'soc_sim[onnx]'") from None


def evaluate_network(
    network: Network, feeds: Mapping[str, Array], pruned: Mapping[str, Mapping[str, Array]]
) -> dict[str, Array]:
    """Values of all tensors of the graph for one input of the file's shape (without the batch of ``network``).

    Args:
        network: What is computed; every constant has values.
        feeds: Input name → values.
        pruned: Operator name → the constants that it reads instead of those in the network.

    Raises:
        NetworkError: an operator that cannot be computed; without its result others are missing, too.
    """
    values = {name: tensor.values() for name, tensor in network.tensors.items() if tensor.values} | dict(feeds)
    for operator in network.operators:
        if operator.op_type == "QuantizeLinear" and operator.outputs[0] in values:
            continue  # together with the product that it quantises
        own = {**values, **pruned.get(operator.name, {})}
        try:
            exact = integer_gemm(network, operator)
            if exact is not None:
                values |= _in_integers(network, operator, exact, own)
                continue
            results = evaluate(operator, [own[name] if name else None for name in operator.inputs])
        except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise NetworkError(f"{operator.name}: {operator.op_type} cannot be computed: {reason}") from None
        values |= {name: value for name, value in zip(operator.outputs, results, strict=False) if name}
    return values


def _in_integers(
    network: Network, operator: Operator, exact: IntegerGemm, values: Mapping[str, Array]
) -> dict[str, Array]:
    """Result of a product of integers, and what quantises it; see ``network.integers``."""
    operands: list[Array | None] = []
    for position, name in enumerate(operator.inputs[:2]):
        source = name if network.tensors[name].constant else network.producers[name].inputs[0]
        operands.append(exact.operand(position, values[source]))
    sums = evaluate(replace(operator, inputs=operator.inputs[:2]), operands)[0]
    if exact.bias is not None:
        sums = sums + exact.bias
    found = {operator.outputs[0]: exact.real(sums)}
    if exact.requantiser is not None and exact.result is not None and exact.factor is not None:
        found[exact.requantiser.outputs[0]] = quantise(sums.astype(np.float32) * exact.factor, exact.result)
    return found


def evaluate(operator: Operator, inputs: Sequence[Array | None]) -> list[Array]:
    """Results of one operator.

    Args:
        operator: What is computed; constant settings may be attributes or inputs.
        inputs: As the operator lists them; None for one that is absent.

    Raises:
        NotImplementedError, ValueError: ONNX has no such operator, or its reference does not compute it.
    """
    from onnx import helper

    from soc_sim.network.onnx_import import quantiser

    settings: dict[str, Any] = dict(operator.attributes)
    if operator.op_type in quantiser.COMPUTED:
        node = helper.make_node(operator.op_type, operator.inputs, operator.outputs, **settings)
        return [quantiser.quantise(node, [value for value in inputs if value is not None])]
    data = inputs[0]
    names, given = _formal_inputs(operator.op_type), list(inputs)
    for index, name in enumerate(names):
        if index >= len(given) or given[index] is None:
            setting = settings.get(name)
            given += [None] * (index + 1 - len(given))
            if setting is not None:
                like = data.dtype if data is not None and name in ("min", "max") else None
                given[index] = np.asarray(setting, like)
    while given and given[-1] is None:
        given.pop()
    session = _session(operator.op_type, tuple(value is not None for value in given), len(operator.outputs),
                       tuple(sorted(operator.attributes.items())))  # fmt: skip
    results: list[Array] = session.run(None, {f"i{i}": value for i, value in enumerate(given) if value is not None})
    return results


@cache
def _formal_inputs(op_type: str) -> tuple[str, ...]:
    from onnx import defs

    try:
        schema = defs.get_schema(op_type, OPSET, "")
    except defs.SchemaError:
        raise NotImplementedError("ONNX has no such operator") from None
    return tuple(
        definition.name
        for definition in schema.inputs
        if definition.option != defs.OpSchema.FormalParameterOption.Variadic
    )


@lru_cache(maxsize=256)
def _session(op_type: str, given: tuple[bool, ...], outputs: int, settings: tuple[tuple[str, Any], ...]) -> Any:
    """A reference evaluator of one operator (settings that are inputs in ``OPSET`` are not attributes)."""
    from onnx import TensorProto, defs, helper
    from onnx.reference import ReferenceEvaluator

    known = defs.get_schema(op_type, OPSET, "").attributes
    inputs = [f"i{index}" if present else "" for index, present in enumerate(given)]
    results = [f"o{index}" for index in range(outputs)]
    node = helper.make_node(op_type, inputs, results, **{name: value for name, value in settings if name in known})

    def declare(names: Sequence[str]) -> list[Any]:
        return [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in names if name]

    graph = helper.make_graph([node], "one", declare(inputs), declare(results))
    return ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)]))
