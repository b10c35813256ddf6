"""One traced run of a real network, in every format."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from recorded import Traced

from soc_sim import compiler
from soc_sim.config.loader import load
from soc_sim.config.soc import Soc
from soc_sim.network import zoo
from soc_sim.observe.trace.formats import FORMATS, writing
from soc_sim.observe.trace.recorder import TraceRecorder
from soc_sim.observe.trace.timeline import Timeline
from soc_sim.system import run


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    folder = tmp_path_factory.mktemp("traced")
    files = {suffix: folder / f"trace{suffix}" for suffix in FORMATS}
    soc = load("edge_16x16", Soc, ["buffers.inputs.capacity=8 KiB", "buffers.weights.capacity=4 KiB"])
    timeline = Timeline()
    with ExitStack() as stack:
        sinks = [stack.enter_context(writing(path)) for path in files.values()]
        record = run(soc, compiler.compile(zoo.load("resnet8"), soc), recorder=TraceRecorder(timeline, *sinks))
    return Traced(record, timeline, files)
