"""The memory map of a compiled network: nothing overlaps while both are needed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import soc_sim


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return soc_sim.simulate(soc_sim.load_soc("edge_16x16"), soc_sim.load_network("resnet8")).document


def test_what_is_needed_at_once_does_not_overlap(document: dict[str, Any]) -> None:
    last = len(document["layers"]) - 1
    boxes = [
        (
            place["memory"],
            range(place["address"], place["address"] + place["size_bytes"]),
            range(
                -1 if place["first_layer"] is None else place["first_layer"],
                last + 1 if place["last_layer"] is None else place["last_layer"] + 1,
            ),
        )
        for place in document["memory_map"]
    ]
    for one, other in itertools.combinations(boxes, 2):
        shared = [max(a.start, b.start) < min(a.stop, b.stop) for a, b in zip(one[1:], other[1:], strict=True)]
        assert one[0] != other[0] or not all(shared), (one, other)


def test_places_are_used_again_and_end_where_the_memory_is_used_up_to(document: dict[str, Any]) -> None:
    for memory, used in document["memory"]["used_bytes"].items():
        places = [place for place in document["memory_map"] if place["memory"] == memory]
        assert max(place["address"] + place["size_bytes"] for place in places) == used
    passing = [place for place in document["memory_map"] if place["last_layer"] is not None]
    addresses = [place["address"] for place in passing]
    assert len(set(addresses)) < len(addresses)


def test_weights_stay_and_activations_pass(document: dict[str, Any]) -> None:
    """Each layer of the array has packed weights under its name; the image is there before the first layer."""
    staying = {place["tensor"] for place in document["memory_map"] if place["last_layer"] is None}
    assert {layer["name"] for layer in document["layers"] if layer["unit"] == "array"} <= staying
    lives = [(p["first_layer"], p["last_layer"]) for p in document["memory_map"] if p["last_layer"] is not None]
    assert [last for first, last in lives if first is None] == [0]
    assert max(last for _, last in lives) == len(document["layers"]) - 1
