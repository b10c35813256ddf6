"""Programs for several cores, tried on fewer of them: more cores are never slower."""

from __future__ import annotations

from functools import cache

import pytest

from soc_sim import compiler, system
from soc_sim.compiler.program import Compute, Program
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping, Run
from soc_sim.config.scenario import Scenario
from soc_sim.config.soc import Soc
from soc_sim.errors import ConfigurationError, MappingError
from soc_sim.network import zoo
from soc_sim.system import trials
from soc_sim.testing.checks import check_record


def tried(name: str, soc: Soc, mapping: Mapping | None = None) -> Program:
    return system.compile_by_trial(zoo.load(name), soc, mapping or Mapping(), "dense", None)


@cache
def ds_cnn_on_edge(cores: int) -> Program:
    return tried("ds_cnn", load("edge_16x16", Soc, (f"cores={cores}",)))


def cores_used(program: Program) -> set[int]:
    return {i.core for i in program.instructions if isinstance(i, Compute)}


@pytest.mark.parametrize(
    ("name", "soc_name", "counts"),
    [
        ("ds_cnn", "edge_16x16", (4, 8)),
        ("autoencoder", "edge_16x16", (2, 4)),
        ("resnet8", "mcu_8x8_psram", (2, 4)),
        ("ds_cnn", "mcu_8x8", (2, 4)),
    ],
)
def test_more_cores_are_never_slower(name: str, soc_name: str, counts: tuple[int, ...]) -> None:
    """Not by a picosecond, because what fewer cores would do is among what is tried.

    By estimate alone ds_cnn takes 10 % longer on eight cores of edge_16x16 than on four, resnet8 6 % longer on four
    cores of mcu_8x8_psram than on two.
    """
    before_ps = None
    for cores in counts:
        soc = load(soc_name, Soc, (f"cores={cores}",))
        program = ds_cnn_on_edge(cores) if (name, soc_name) == ("ds_cnn", "edge_16x16") else tried(name, soc)
        makespan_ps = system.run(soc, program).makespan_ps
        assert before_ps is None or makespan_ps <= before_ps
        before_ps = makespan_ps


def test_cores_that_do_not_pay_stay_idle() -> None:
    """Of eight cores for ds_cnn four work, as they would if there were no more."""
    eight, four = (load("edge_16x16", Soc, (f"cores={cores}",)) for cores in (8, 4))
    program, best = ds_cnn_on_edge(8), compiler.compile(zoo.load("ds_cnn"), four)
    assert cores_used(program) == cores_used(best) == set(range(4))
    assert program.instructions == best.instructions
    record = system.run(eight, program)
    check_record(record)
    assert record.makespan_ps == system.run(four, best).makespan_ps
    assert all(sum(core.array_ps.values()) == record.makespan_ps for core in record.cores)


def test_what_is_wished_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what runs on one core, nor programs too large for it."""
    monkeypatch.setattr(trials, "run", None)
    two, one = (load("mcu_8x8", Soc, (f"cores={cores}",)) for cores in (2, 1))
    network = zoo.load("ds_cnn")
    for soc, mapping in (
        (one, Mapping()),
        (two, Mapping(split="rows")),
        (two, Mapping(split="pipeline")),
        (two, Mapping(cores=2)),
    ):
        assert tried("ds_cnn", soc, mapping) == compiler.compile(network, soc, mapping)
    monkeypatch.setattr(trials, "MOST_INSTRUCTIONS", 100)
    assert tried("ds_cnn", two) == compiler.compile(network, two)


@pytest.mark.parametrize("split", ["auto", "rows", "pipeline"])
def test_a_network_may_have_some_of_the_cores(split: str) -> None:
    mapping = Mapping.model_validate({"split": split, "cores": 2})
    three, two = (load("mcu_8x8", Soc, (f"cores={cores}",)) for cores in (3, 2))
    program = compiler.compile(zoo.load("ds_cnn"), three, mapping)
    assert cores_used(program) == {0, 1}
    assert program.cores == 3
    assert program.instructions == compiler.compile(zoo.load("ds_cnn"), two, mapping).instructions
    check_record(system.run(three, program))


def test_cores_that_are_not_there_are_a_fault() -> None:
    with pytest.raises(MappingError, match=r"mapping\.cores: edge_16x16 has no 3 cores; allowed: 1 to 2"):
        tried("ds_cnn", load("edge_16x16", Soc, ("cores=2",)), Mapping(cores=3))
    run = {"kind": "run", "soc": "edge_16x16", "workload": {"network": "ds_cnn"}, "mapping": {"cores": 2}}
    with pytest.raises(ConfigurationError, match=r"mapping\.cores: 2 is more than soc\.cores; allowed: 1 to 1"):
        load(run, Run)
    stream = {"name": "one", "network": "ds_cnn", "period": "5 ms", "mapping": {"cores": 2}}
    scenario = {"kind": "scenario", "soc": "edge_16x16", "until": "1 ms", "streams": [stream]}
    with pytest.raises(ConfigurationError, match=r"streams\[0\]\.mapping\.cores: 2 is more than the stream's cores"):
        load(scenario, Scenario)
