"""Every program does all of the network's work, once, in an order that is safe."""

from __future__ import annotations

import functools

import pytest
from program_checks import check_memory, check_occupancy, check_order, check_work
from systems import make_soc

from soc_sim.compiler import Program, compile  # noqa: A004
from soc_sim.config.loader import load as load_description
from soc_sim.config.shipped import paths
from soc_sim.config.soc import Soc
from soc_sim.network.base import Network
from soc_sim.network.operators import count_macs
from soc_sim.network.zoo import load, names

SMALL = ("resnet8", "ds_cnn", "mobilenet_v1_025", "autoencoder", "bert_tiny")
SYSTEMS = {
    "plain": make_soc(),
    "tall": make_soc(rows=16, cols=4, buffers=("24 KiB", "12 KiB", "4 KiB"), weight_memory=True),
    "three_cores": make_soc(cores=3, buffers="8 KiB"),
    "one_queue": make_soc(channels=1, buffers="6 KiB"),
    "wide_words": make_soc(operand_bits=16, accumulator_bits=64, buffers="32 KiB"),
    "roomy": make_soc(rows=32, cols=32, buffers="512 KiB"),
}


@functools.cache
def network(name: str) -> Network:
    return load(name)


def check(program: Program, soc: Soc, run: Network) -> None:
    assert program.macs == count_macs(run)
    check_order(program)
    check_occupancy(program, soc)
    check_work(program, soc)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", SMALL)
def test_each_byte_is_written_before_it_is_read_and_read_before_it_is_overwritten(name: str, system: str) -> None:
    soc = SYSTEMS[system]
    program = compile(network(name), soc)
    check(program, soc, network(name))
    check_memory(program)


@pytest.mark.parametrize("batch", [2, 5])
@pytest.mark.parametrize("name", ["resnet8", "bert_tiny"])
def test_batches_are_compiled_as_a_whole(name: str, batch: int) -> None:
    soc, run = SYSTEMS["three_cores"], network(name).with_batch(batch)
    program = compile(run, soc)
    check(program, soc, run)
    check_memory(program)
    assert program.macs == batch * compile(network(name), soc).macs


@pytest.mark.parametrize("name", names())
def test_every_network_of_the_zoo_conserves_its_work(name: str) -> None:
    soc = load_description(paths(["soc"])["edge_16x16"], Soc)
    check(compile(network(name), soc), soc, network(name))


@pytest.mark.parametrize("system", sorted(paths(["soc"])))
def test_every_shipped_soc_runs_the_small_networks(system: str) -> None:
    soc = load_description(paths(["soc"])[system], Soc)
    for name in SMALL:
        program = compile(network(name), soc)
        check(program, soc, network(name))
        check_memory(program)


def test_compiling_twice_gives_the_same_program() -> None:
    assert compile(network("resnet8"), SYSTEMS["plain"]) == compile(load("resnet8"), SYSTEMS["plain"])
