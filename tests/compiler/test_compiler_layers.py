"""Which operators become one layer, and which concatenations cost nothing."""

from __future__ import annotations

import pytest
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004
from soc_sim.compiler.program import Compute, Load, Store, VectorOp
from soc_sim.config.run import Mapping
from soc_sim.network.base import Network, Operator, Tensor
from soc_sim.network.operators import count_macs
from soc_sim.network.zoo.attention import multi_head_attention
from soc_sim.network.zoo.builder import NetworkBuilder

SOC = make_soc()


def compiled(network: Network, mapping: Mapping | None = None) -> Program:
    program = compile(network, SOC, mapping)
    check_order(program)
    check_occupancy(program, SOC)
    check_work(program, SOC)
    check_memory(program)
    assert program.macs == count_macs(network)
    return program


def layers(program: Program) -> list[tuple[str, ...]]:
    return [layer.operators for layer in program.layers]


def moved(program: Program, kind: type[Load] | type[Store], buffer: str = "outputs") -> int:
    return sum(
        region.size_bytes
        for i in program.instructions
        if isinstance(i, kind) and getattr(i, "buffer", "outputs") == buffer
        for region in i.regions
    )


def test_normalisation_and_activation_join_the_convolution() -> None:
    net = NetworkBuilder("net", "test")
    x = net.conv("conv", net.input("x", 1, 4, 6, 6), 8, 3, padding=1, bias=False)
    program = compiled(net.build(net.relu6("clip", net.batch_norm("bn", x))))
    assert layers(program) == [("conv", "bn", "clip")]
    assert program.warnings == ()


def test_folded_normalisation_brings_one_bias_word_for_each_channel() -> None:
    def weights(normalised: bool) -> int:
        net = NetworkBuilder("net", "test")
        x = net.conv("conv", net.input("x", 1, 4, 6, 6), 8, 3, bias=False)
        return compiled(net.build(net.batch_norm("bn", x) if normalised else x)).memory_map.weight_bytes

    assert weights(normalised=False) == 8 * 4 * 9
    assert weights(normalised=True) == 8 * 4 * 9 + 8 * 4


def test_an_intermediate_result_with_another_reader_ends_the_fusion() -> None:
    net = NetworkBuilder("net", "test")
    x = net.conv("conv", net.input("x", 1, 4, 6, 6), 8, 3)
    program = compiled(net.build(net.relu("relu", x), net.tanh("tanh", x)))
    assert layers(program) == [("conv",), ("relu",), ("tanh",)]


def test_an_intermediate_result_that_is_a_graph_output_ends_the_fusion() -> None:
    net = NetworkBuilder("net", "test")
    x = net.conv("conv", net.input("x", 1, 4, 6, 6), 8, 3)
    assert layers(compiled(net.build(x, net.relu("relu", x)))) == [("conv",), ("relu",)]


def test_the_later_of_two_convolutions_adds_the_earlier_one() -> None:
    net = NetworkBuilder("net", "test")
    x = net.input("x", 1, 4, 6, 6)
    a, b = net.conv("a", x, 8, 3, padding=1), net.conv("b", x, 8, 1)
    program = compiled(net.build(net.relu("relu", net.add("add", a, b))), Mapping(residency="off"))
    assert layers(program) == [("a",), ("b", "add", "relu")]
    # x twice, and the result of a as the second operand of the addition.
    assert moved(program, Load, "inputs") >= 2 * 4 * 36 + 8 * 36
    addend = sum(i.counts.input_bytes for i in program.of_layer(1) if isinstance(i, Compute))
    alone = net_b_alone()
    assert addend == sum(i.counts.input_bytes for i in alone.instructions if isinstance(i, Compute)) + 8 * 36


def net_b_alone() -> Program:
    net = NetworkBuilder("net", "test")
    x = net.input("x", 1, 4, 6, 6)
    return compile(net.build(net.conv("b", x, 8, 1)), SOC)


def test_a_constant_that_is_not_one_per_channel_is_added_on_the_host() -> None:
    net = NetworkBuilder("net", "test")
    x = net.conv("conv", net.input("x", 1, 4, 6, 6), 8, 1)
    program = compiled(net.build(net.add("add", x, net.weight("table", 6, 6))))
    assert layers(program) == [("conv",), ("add",)]
    (operation,) = (i for i in program.instructions if isinstance(i, VectorOp))
    assert sum(region.size_bytes for region in operation.reads) == 8 * 36 + 36


def test_elementwise_operators_in_a_row_run_as_one_host_layer() -> None:
    net = NetworkBuilder("net", "test")
    x = net.input("x", 1, 10, 6)
    x = net.mul("half", net.gelu("gelu", x), net.constant("c", 0.5))
    program = compiled(net.build(net.softmax("softmax", net.tanh("tanh", x))))
    assert layers(program) == [("gelu", "half", "tanh"), ("softmax",)]
    first, second = (i for i in program.instructions if isinstance(i, VectorOp))
    # GELU: look-up, 4 multiplies, 3 adds; Mul: 1; Tanh: exp, multiply, 2 adds, divide. Softmax: 5.
    assert first.operations == 60 * (8 + 1 + 5)
    assert second.operations == 60 * 5
    assert second.depends == (0,)
    assert program.warnings == ("4 operators run on the host: Gelu ×1, Mul ×1, Softmax ×1, Tanh ×1",)


def test_a_flattened_image_is_the_same_bytes() -> None:
    net = NetworkBuilder("net", "test")
    x = net.conv("conv", net.input("x", 2, 4, 6, 6), 8, 1)
    program = compiled(net.build(net.linear("fc", net.flatten("flatten", x), 5)))
    assert layers(program) == [("conv",), ("fc",)]


@pytest.mark.parametrize("batch", [1, 3])
def test_concatenated_channels_are_written_where_they_belong(batch: int) -> None:
    net = NetworkBuilder("net", "test")
    x = net.input("x", 1, 4, 6, 6)
    inner = net.concat("inner", [net.conv("a", x, 8, 1), net.conv("b", x, 5, 3, padding=1)], 1)
    outer = net.concat("outer", [inner, net.conv("c", x, 3, 1)], 1)
    program = compiled(net.build(net.conv("d", outer, 4, 1), net.relu("e", inner)).with_batch(batch))
    assert layers(program) == [("a",), ("b",), ("c",), ("d",), ("e",)]
    assert moved(program, Store) == batch * 36 * (8 + 5 + 3 + 4)
    whole = next(p for p in program.memory_map.placements if p.tensor == "outer")
    pitches = {region.pitch_bytes for i in program.of_layer(0) if isinstance(i, Store) for region in i.regions}
    assert whole.size_bytes == batch * 36 * 16
    assert pitches == {16}


def test_only_the_pieces_of_a_concatenation_that_have_no_writer_are_copied() -> None:
    net = NetworkBuilder("net", "test")
    x = net.input("x", 1, 4, 6, 6)
    joined = net.concat("join", [net.conv("a", x, 8, 1), x], 1)
    program = compiled(net.build(net.conv("b", joined, 4, 1)))
    assert layers(program) == [("a",), ("join",), ("b",)]
    (copy,) = (i for i in program.instructions if isinstance(i, VectorOp))
    assert sum(region.size_bytes for region in copy.reads) == 4 * 36
    assert sum(region.size_bytes for region in copy.writes) == 4 * 36


def test_a_result_that_is_concatenated_twice_is_copied_once() -> None:
    net = NetworkBuilder("net", "test")
    a = net.conv("a", net.input("x", 1, 4, 6, 6), 8, 1)
    program = compiled(net.build(net.conv("b", net.concat("twice", [a, a], 1), 4, 1)))
    (copy,) = (i for i in program.instructions if isinstance(i, VectorOp))
    assert sum(region.size_bytes for region in copy.writes) == 8 * 36


def test_parts_of_a_split_are_read_in_place() -> None:
    net = NetworkBuilder("net", "test")
    x = net.linear("all", net.input("x", 1, 10, 6), 24)
    a, b = net.split("split", x, 2)
    program = compiled(net.build(net.linear("left", a, 3), net.linear("right", b, 3)))
    assert layers(program) == [("all", "all.add"), ("left", "left.add"), ("right", "right.add")]


def test_products_of_activations_load_their_first_operand_into_the_weights_buffer() -> None:
    net = NetworkBuilder("net", "test")
    a, b = net.input("a", 1, 3, 20, 8), net.input("b", 1, 3, 8, 12)
    program = compiled(net.build(net.matmul("product", a, b)))
    (layer,) = program.layers
    assert layer.gemm is not None
    assert (layer.gemm.m, layer.gemm.k, layer.gemm.n, layer.gemm.groups) == (20, 8, 12, 3)
    assert moved(program, Load, "weights") >= 3 * 20 * 8
    assert program.memory_map.weight_bytes == 0


def test_one_matrix_is_shared_by_a_batch_of_products() -> None:
    shapes = {"a": (4, 1, 5, 8), "b": (4, 3, 8, 6), "y": (4, 3, 5, 6)}
    tensors = {name: Tensor(name, shape) for name, shape in shapes.items()}
    network = Network("net", (Operator("mul", "MatMul", ("a", "b"), ("y",)),), tensors, ("a", "b"), ("y",))
    assert [layer.unit for layer in compile(network, SOC).layers] == ["host"]
    plain = tensors | {"a": Tensor("a", (5, 8)), "b": Tensor("b", (12, 8, 6)), "y": Tensor("y", (12, 5, 6))}
    program = compile(Network("net", network.operators, plain, ("a", "b"), ("y",)), SOC)
    check_memory(program)
    assert program.macs == 12 * 5 * 8 * 6
    assert moved(program, Store) == 12 * 5 * 6
    place = next(p for p in program.memory_map.placements if p.tensor == "a")
    loads = [i for i in program.instructions if isinstance(i, Load) and i.buffer == "weights"]
    for region in (region for load in loads for region in load.regions):
        assert place.address <= region.address
        assert region.address + region.size_bytes <= place.address + place.size_bytes


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [((7,), (7, 5), (5,)), ((2, 6, 7), (7,), (2, 6)), ((2, 3, 6, 7), (7, 5), (2, 3, 6, 5)), ((7,), (7,), ())],
)
def test_vectors_and_stacks_times_a_constant(
    first: tuple[int, ...], second: tuple[int, ...], result: tuple[int, ...]
) -> None:
    tensors = {"a": Tensor("a", first), "b": Tensor("b", second, constant=True), "y": Tensor("y", result)}
    network = Network("net", (Operator("mul", "MatMul", ("a", "b"), ("y",)),), tensors, ("a",), ("y",))
    compiled(network)
    compiled(network.with_batch(3))


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("constant", ["a", "b"])
def test_gemm_with_transposed_operands(trans_a: int, trans_b: int, constant: str) -> None:
    m, k, n = 6, 7, 5
    tensors = {
        "a": Tensor("a", (k, m) if trans_a else (m, k), constant == "a"),
        "b": Tensor("b", (n, k) if trans_b else (k, n), constant == "b"),
        "y": Tensor("y", (m, n)),
    }
    gemm = Operator("gemm", "Gemm", ("a", "b"), ("y",), {"transA": trans_a, "transB": trans_b})
    program = compiled(Network("net", (gemm,), tensors, ("ab".replace(constant, ""),), ("y",)))
    assert program.memory_map.weight_bytes == tensors[constant].elements


def test_an_unknown_operator_is_a_copy_on_the_host() -> None:
    tensors = {"x": Tensor("x", (4, 5)), "y": Tensor("y", (4, 6))}
    network = Network("net", (Operator("what", "Nobody", ("x",), ("y",)),), tensors, ("x",), ("y",))
    program = compiled(network)
    (copy,) = program.instructions
    assert isinstance(copy, VectorOp)
    assert (copy.reads[0].size_bytes, copy.writes[0].size_bytes, copy.operations) == (20, 24, 24)
    assert program.warnings == ("1 operator runs on the host: Nobody ×1",)


def attention(heads: int = 2, tokens: int = 12, depth: int = 16) -> Network:
    """Scaled products of two activations between head splits and a merge, as in a transformer."""
    net = NetworkBuilder("attention", source="test")
    x = net.input("x", 1, tokens, heads * depth)
    q, k, v = (net.linear(name, x, heads * depth) for name in "qkv")
    return net.build(net.linear("out", multi_head_attention(net, "attn", q, k, v, heads), 8))


def test_head_splits_and_scaling_of_attention_cost_nothing() -> None:
    """Transposes go into strides of loads and stores, the factor into the scale of the product."""
    program = compiled(attention())
    assert [layer.op for layer in program.layers if layer.unit == "host"] == ["Softmax"]
    scores = next(layer for layer in program.layers if layer.name == "attn.scores")
    assert scores.operators == ("attn.scaling", "attn.scores")
    assert scores.gemm is not None
    assert (scores.gemm.m, scores.gemm.k, scores.gemm.n, scores.gemm.groups) == (12, 16, 12, 2)


def test_heads_of_several_inputs_are_transposed_by_the_host() -> None:
    """Heads of a batch do not lie one stride apart."""
    program = compiled(attention().with_batch(2))
    assert [layer.op for layer in program.layers].count("Transpose") == 4


def test_a_transpose_that_the_host_reads_is_a_copy() -> None:
    """The host would have to gather single elements."""
    net = NetworkBuilder("transposed", source="test")
    x = net.linear("fc", net.input("x", 1, 12, 16), 16)
    program = compiled(net.build(net.relu("relu", net.transpose("transpose", x, 0, 2, 1))))
    assert [layer.op for layer in program.layers] == ["MatMul", "Transpose", "Relu"]
