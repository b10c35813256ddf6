"""A user's own energy table, from a YAML file."""

from __future__ import annotations

from pathlib import Path

import pytest

import soc_sim
from soc_sim.cli import main

TABLE = Path(__file__).with_name("own_energy_table.yaml")


def test_the_table_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TABLE)]) == 0
    capsys.readouterr()


def test_a_run_is_priced_by_it() -> None:
    soc = soc_sim.load_soc("mcu_8x8", [f"energy={TABLE}"])
    document = soc_sim.simulate(soc, soc_sim.load_network("resnet8"), "dOS").document
    prices = {(line["component"], line["action"]): line["pj"] for line in document["energy_actions"]}
    assert prices["array", "mac_int8"] == 1
    assert prices["array", "register_read"] == 0.25
    assert prices["inputs_buffer", "read_64b"] == 1
    assert prices["inputs_buffer", "write_64b"] == 2
    assert prices["interconnect", "hop"] == 2
    macs = next(line for line in document["energy_actions"] if line["action"] == "mac_int8")
    assert (macs["count"], macs["low_pj"], macs["high_pj"]) == (document["macs_executed"], 0.5, 2)
    assert document["area"]["array"] == pytest.approx(64 * 100e-6)
