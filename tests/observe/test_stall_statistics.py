"""Reasons of waits in the document: they sum to the causes, and the largest names what bounds a layer."""

from __future__ import annotations

import pytest

import soc_sim


@pytest.fixture(scope="module")
def document() -> dict:  # type: ignore[type-arg]
    soc = soc_sim.load_soc("mcu_8x8")
    return soc_sim.simulate(soc, soc_sim.load_network("resnet8")).document


def leaves(spans: dict) -> float:  # type: ignore[type-arg]
    return sum(
        time_s for components in spans.values() for reasons in components.values() for time_s in reasons.values()
    )


def test_reasons_sum_to_causes(document: dict) -> None:  # type: ignore[type-arg]
    for part in [*document["layers"], document | {"stall_s": document["array_time_s"]}]:
        for cause, time_s in part["stall_s"].items():
            if cause.startswith("wait"):
                assert leaves({cause: part["stall_reasons_s"].get(cause, {})}) == pytest.approx(time_s, abs=1e-15)


def test_layers_sum_to_the_run(document: dict) -> None:  # type: ignore[type-arg]
    total = sum(leaves(layer["stall_reasons_s"]) for layer in document["layers"])
    assert total == pytest.approx(leaves(document["stall_reasons_s"]), rel=1e-12)


def test_what_bounds_a_layer_takes_the_largest_part_of_its_time(document: dict) -> None:  # type: ignore[type-arg]
    for layer in document["layers"]:
        times_s = {("array", "busy"): layer["busy_s"]}
        for components in layer["stall_reasons_s"].values():
            for component, reasons in components.items():
                for reason, time_s in reasons.items():
                    times_s[component, reason] = times_s.get((component, reason), 0) + time_s
        bound = layer["bound_by"]
        if not sum(times_s.values()):
            assert bound is None
            continue
        assert times_s[bound["component"], bound["reason"]] == max(times_s.values())
        assert bound["share"] == pytest.approx(max(times_s.values()) / sum(times_s.values()))
