"""The dumps in ``traces/`` are what their run gives now, byte for byte; and its figures, worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from two_tiles import FILES, FOLDER, write

from soc_sim.cli import main
from soc_sim.config.loader import load
from soc_sim.config.memory import Dram
from soc_sim.observe.trace.copying import copy
from soc_sim.observe.trace.reading import open_trace
from soc_sim.observe.trace.timeline import Timeline


def test_the_dumps_are_what_the_run_gives(tmp_path: Path) -> None:
    write(tmp_path)
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(("README.md", *FILES))
    for name in FILES:
        same = (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
        assert same, f"{name} differs; if that is intended, run python tests/traces/two_tiles.py"


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_the_figures_of_the_run(suffix: str) -> None:
    """What follows from the timing parameters and the settings alone."""
    timeline = Timeline()
    copy(open_trace(FOLDER / f"two_tiles{suffix}"), timeline)
    timing = load("lpddr4_3200", Dram).timing
    tck_ps = timing.tck_ps
    tiles = timeline.of("core0.array")
    assert (tiles.ends_ps - tiles.starts_ps).tolist() == [60_000, 60_000]
    # The load of the weights is handed over after 4 cycles; the DRAM's clock has an edge at the next multiple of tCK.
    commands = timeline.of("dram.channel0.rank0.bank0")
    names = [timeline.tables.names[name] for name in commands.names]
    first, second = commands.starts_ps[:2].tolist()
    assert names[:2] == ["ACT", "RD"]
    assert first == -(-4000 // tck_ps) * tck_ps
    assert second == first + timing.nRCD * tck_ps
    # 256, 320 and 320 bytes of loads and 128 of the host are read in bursts of 64 bytes, which none of them cuts.
    reads = sum(
        [timeline.tables.names[name] for name in timeline.of(f"dram.channel0.rank0.bank{bank}").names].count("RD")
        for bank in range(3)
    )
    assert reads == (256 + 320 + 320 + 128) // 64
    # The first tile waits for the later of its loads, which is that of the inputs; the second for none.
    assert tiles.waited_for.tolist() == [1, -1]


def test_the_requests_replay(capsys: pytest.CaptureFixture[str]) -> None:
    trace = str(FOLDER / "two_tiles.requests.csv")
    assert main(["dram", "--preset", "lpddr4_3200", "--trace", trace, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["bytes"] == 256 + 2 * 320 + 3 * 128


def test_the_readme_says_when_the_run_ends() -> None:
    end_ps = json.loads("{" + (FOLDER / "two_tiles.json").read_text().splitlines()[-1].removeprefix("],"))["otherData"]
    assert f"{end_ps['latency_ps']:,} ps" in (FOLDER / "README.md").read_text()
