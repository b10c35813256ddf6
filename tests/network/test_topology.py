"""SCALE-Sim's topology files: shapes by its own rules, and every fault in one line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soc_sim.errors import NetworkError
from soc_sim.network import topology
from soc_sim.network.base import Network
from soc_sim.network.resolve import load_network

CONVOLUTIONS = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
PRODUCTS = "Layer, M, N, K,\n"


def network(folder: Path, text: str) -> Network:
    path = folder / "net.csv"
    path.write_text(text)
    return topology.load(path)


def test_lines_are_layers_with_an_input_and_an_output_of_their_own(tmp_path: Path) -> None:
    """Comments, blank lines, padding and a missing comma at the end are as they occur in SCALE-Sim's own files."""
    found = network(tmp_path, CONVOLUTIONS + "\n\tconv1, 8, 9, 3, 2, 4, 5, 1, # first\nconv2,5,5,1,1,2,3,1\n")
    assert found.name == "net"
    assert [operator.op_type for operator in found.operators] == ["Conv", "Conv"]
    assert found.inputs == ("conv1.input", "conv2.input")
    assert found.outputs == ("conv1", "conv2")
    assert found.tensors["conv1.weight"].shape == (5, 4, 3, 2)
    assert found.tensors["conv1"].shape == (1, 5, 6, 8)


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(1, 9),
)
def test_output_sizes_are_rounded_up(
    tmp_path_factory: pytest.TempPathFactory, size: tuple[int, int], window: tuple[int, int], stride: int
) -> None:
    """SCALE-Sim: ceil((ifmap - filter + stride) / stride) (topology_utils.py)."""
    window = (min(window[0], size[0]), min(window[1], size[1]))
    line = f"a,{size[0]},{size[1]},{window[0]},{window[1]},2,3,{stride},\n"
    found = network(tmp_path_factory.getbasetemp(), CONVOLUTIONS + line)
    expected = [math.ceil((one - part + stride) / stride) for one, part in zip(size, window, strict=True)]
    assert found.tensors["a"].shape == (1, 3, *expected)


def test_dp_marks_depthwise_layers(tmp_path: Path) -> None:
    found = network(tmp_path, CONVOLUTIONS + "DP1,6,6,3,3,8,2,1,\n")
    assert found.operators[0].attributes["group"] == 8
    assert found.tensors["DP1"].shape == (1, 16, 4, 4)
    assert found.tensors["DP1.weight"].shape == (16, 1, 3, 3)


def test_products_take_k_by_n_for_the_weights(tmp_path: Path) -> None:
    found = network(tmp_path, PRODUCTS + "a,196,192,384,1:1,\na,1,2,3,\n")
    assert [tensor.shape for tensor in (found.tensors["a.input"], found.tensors["a.weight"])] == [
        (196, 384),
        (384, 192),
    ]
    assert found.outputs == ("a", "a (2)")


def test_a_configuration_may_name_a_topology(tmp_path: Path) -> None:
    path = tmp_path / "net.csv"
    path.write_text(PRODUCTS + "a,2,3,4,\n")
    found = load_network(str(path), batch=5)
    assert (found.source, found.batch) == (str(path), 5)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["1: the header is ''; allowed: name,IFMAP height,"]),
        ("Layer, M, K, N,\n", ["1: the order is M, K, N; allowed: M, N, K, as SCALE-Sim reads"]),
        ("a,b,c\n", ["1: the header is 'a,b,c'; allowed: "]),
        (PRODUCTS, ["has no layers; allowed: at least one line below the header"]),
        (
            PRODUCTS + "a,0,x,3,\nb,1,2\n,1,2,3,\n",
            [
                "2: M: '0' is out of range; allowed: whole numbers from 1 on",
                "2: N: 'x' is out of range; allowed: whole numbers from 1 on",
                "3: has 3 values; allowed: 4 (name,M,N,K), and one for sparsity",
                "4: has no name; allowed: text",
            ],
        ),
        (PRODUCTS + "a,1,2,3,2:4,\n", ["2: sparsity: '2:4' is not taken from a topology; allowed: 1:1, and zeros as "]),
        (CONVOLUTIONS + "a,3,3,4,3,1,1,1,\n", ["2: the filter, 4×3, is larger than its input, 3×3"]),
    ],
)
def test_faults_are_one_line_each(tmp_path: Path, text: str, faults: list[str]) -> None:
    with pytest.raises(NetworkError) as caught:
        network(tmp_path, text)
    assert len(caught.value.faults) == len(faults)
    for found, expected in zip(caught.value.faults, faults, strict=True):
        assert expected in found.removeprefix(f"{tmp_path / 'net.csv'}:")


def test_of_many_faults_the_first_are_named(tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as caught:
        network(tmp_path, PRODUCTS + "a,0,1,1,\n" * 30)
    assert len(caught.value.faults) == 21
    assert caught.value.faults[-1].endswith("10 more faults")


def test_a_topology_has_all_its_shapes(tmp_path: Path) -> None:
    from soc_sim.config.run import InputShape, NetworkFile

    path = tmp_path / "net.csv"
    path.write_text(PRODUCTS + "a,2,3,4,\n")
    shaped = NetworkFile(kind="network", model=str(path), input_shapes=(InputShape(name="a", shape=(1,)),))
    with pytest.raises(NetworkError, match="a topology takes no input_shapes"):
        load_network(shaped)
