"""The builder computes the shapes that ONNX infers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_sim.network import zoo
from soc_sim.network.base import Network
from soc_sim.network.onnx_export import to_onnx
from soc_sim.network.zoo.builder import NetworkBuilder

onnx = pytest.importorskip("onnx")

SIZES = st.integers(1, 24)
KERNELS = st.integers(1, 5)
STRIDES = st.integers(1, 4)
PADDINGS = st.one_of(st.integers(0, 2), st.tuples(*[st.integers(0, 2)] * 4))


def inferred(network: Network) -> dict[str, tuple[int, ...]]:
    """The shapes that ONNX infers for what the operators write."""
    model = to_onnx(network)
    for output in model.graph.output:
        for dimension in output.type.tensor_type.shape.dim:
            dimension.Clear()
    onnx.checker.check_model(model)
    result = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True).graph
    return {
        info.name: tuple(dimension.dim_value for dimension in info.type.tensor_type.shape.dim)
        for info in (*result.value_info, *result.output)
    }


@pytest.mark.parametrize("name", zoo.names())
def test_onnx_accepts_each_network_and_infers_its_shapes(name: str) -> None:
    network = zoo.load(name)
    written = {output for operator in network.operators for output in operator.outputs}
    assert inferred(network) == {name: network.tensors[name].shape for name in written}


@settings(deadline=None)
@given(height=SIZES, width=SIZES, kernel=st.tuples(KERNELS, KERNELS), stride=STRIDES, padding=PADDINGS)
def test_a_convolution_has_the_shape_that_onnx_infers(
    height: int, width: int, kernel: tuple[int, int], stride: int, padding: int | tuple[int, int, int, int]
) -> None:
    top, left, bottom, right = padding if isinstance(padding, tuple) else (padding,) * 4
    kernel = (min(kernel[0], height + top + bottom), min(kernel[1], width + left + right))
    net = NetworkBuilder("conv", source="")
    y = net.conv("y", net.input("x", 2, 6, height, width), 4, kernel, stride, padding, groups=2)
    assert inferred(net.build(y))["y"] == y.shape


@settings(deadline=None)
@given(height=SIZES, width=SIZES, kernel=st.tuples(KERNELS, KERNELS), stride=STRIDES)
def test_same_padding_keeps_the_size_divided_by_the_stride(
    height: int, width: int, kernel: tuple[int, int], stride: int
) -> None:
    net = NetworkBuilder("same", source="")
    y = net.conv("y", net.input("x", 1, 1, height, width), 1, kernel, stride, padding="same")
    assert inferred(net.build(y))["y"] == y.shape
    assert y.shape[2:] == (-(-height // stride), -(-width // stride))


@settings(deadline=None)
@given(size=st.integers(5, 24), kernel=KERNELS, stride=STRIDES, padding=st.integers(0, 2))
def test_pools_have_the_shapes_that_onnx_infers(size: int, kernel: int, stride: int, padding: int) -> None:
    net = NetworkBuilder("pools", source="")
    x = net.input("x", 2, 3, size, size + 1)
    outputs = [net.max_pool("max", x, kernel, stride, padding), net.average_pool("mean", x, kernel)]
    shapes = inferred(net.build(*outputs))
    assert {y.name: y.shape for y in outputs} == shapes


def test_two_tensors_of_one_name_are_refused() -> None:
    net = NetworkBuilder("twice", source="")
    x = net.relu("relu", net.input("x", 1))
    with pytest.raises(ValueError, match="twice: two tensors are named relu"):
        net.relu("relu", x)


def test_an_unknown_padding_is_refused() -> None:
    net = NetworkBuilder("padding", source="")
    with pytest.raises(ValueError, match="padding 'valid' is not a number, four numbers or 'same'"):
        net.conv("conv", net.input("x", 1, 1, 3, 3), 1, 3, padding="valid")
