"""Elementary operations of host operators: the formulas, written out by hand."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from soc_sim.config.host import OPERATION_KINDS, Host
from soc_sim.network.base import AttributeValue, Network, Operator, Tensor
from soc_sim.network.operators import OPERATORS, elementary


def network(
    op_type: str, source: tuple[int, ...], result: tuple[int, ...], batch: int = 1, **attributes: AttributeValue
) -> tuple[Network, Operator]:
    operator = Operator("op", op_type, ("x",), ("y",), attributes)
    tensors = {"x": Tensor("x", source), "y": Tensor("y", result)}
    return Network("net", (operator,), tensors, ("x",), ("y",), batch), operator


@pytest.mark.parametrize(
    ("op_type", "source", "result", "attributes", "expected"),
    [
        ("Relu", (1, 2, 3), (1, 2, 3), {}, {"compare": 6}),
        # 1 / (1 + exp(-x))
        ("Sigmoid", (1, 10), (1, 10), {}, {"exp": 10, "add": 10, "divide": 10}),
        # Four results of nine elements each; their mean is a sum and one multiplication.
        ("AveragePool", (1, 1, 6, 6), (1, 1, 2, 2), {"kernel_shape": (3, 3)}, {"add": 36, "multiply": 4}),
        ("GlobalAveragePool", (1, 8, 7, 7), (1, 8, 1, 1), {}, {"add": 392, "multiply": 8}),
        ("MaxPool", (1, 1, 6, 6), (1, 1, 2, 2), {"kernel_shape": (3, 3)}, {"compare": 36}),
        ("ReduceMean", (1, 8, 49), (1, 8), {}, {"add": 392, "multiply": 8}),
        # Maximum; x - maximum; exp; sum; times the reciprocal.
        ("Softmax", (1, 100), (1, 100), {}, {"compare": 100, "add": 200, "exp": 100, "multiply": 100}),
        ("Transpose", (2, 3), (3, 2), {}, {"move": 6}),
        ("Resize", (1, 1, 2, 2), (1, 1, 4, 4), {"mode": "nearest"}, {"move": 16}),
        ("Resize", (1, 1, 2, 2), (1, 1, 4, 4), {"mode": "linear"}, {"multiply": 48, "add": 96}),
        ("Nobody", (3, 5), (3, 5), {}, {"move": 15}),
    ],
)
def test_operations_follow_the_definition(
    op_type: str,
    source: tuple[int, ...],
    result: tuple[int, ...],
    attributes: Mapping[str, AttributeValue],
    expected: dict[str, int],
) -> None:
    assert elementary(*network(op_type, source, result, 1, **attributes)) == expected
    assert elementary(*network(op_type, source, result, 3, **attributes)) == {k: 3 * n for k, n in expected.items()}


def test_every_operator_off_the_array_has_a_cost() -> None:
    for name, kind in OPERATORS.items():
        assert bool(kind.per_element) == (kind.family not in ("gemm", "view")), name
        assert set(kind.per_element) | set(kind.per_result) <= set(OPERATION_KINDS)


def host(kind: str, **fields: object) -> Host:
    return Host.model_validate({"kind": kind, "clock": "1 GHz", "lanes": 4, **fields})


def test_kinds_of_hosts_differ_and_cycles_can_be_set() -> None:
    """100 exponentials and 20 additions on four lanes; a CPU also loads and stores 200 elements."""
    work = (("exp", 100), ("add", 20))
    assert host("vector_unit").operation_cycles(work, 200) == -(-(100 * 4 + 20) // 4)
    assert host("cpu").operation_cycles(work, 200) == -(-(100 * 12 + 20 + 200) // 4)
    quick = host("cpu", cycles={"exp": 2, "access": 0})
    assert quick.operation_cycles(work, 200) == -(-(100 * 2 + 20) // 4)
