"""Several inferences on one machine: each keeps to memory of its own, and the policy says whose layer is next."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from soc_sim import compiler
from soc_sim.compiler.program import Compute, Instruction, Load, MemoryMap, Program, Region, Store, VectorOp
from soc_sim.components.accelerator.scheduler import Scheduler
from soc_sim.config.core import Policy, Scheduling
from soc_sim.config.loader import load
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.errors import MappingError
from soc_sim.kernel import Simulation
from soc_sim.network import zoo
from soc_sim.system import run
from soc_sim.system.builder import Machine, build
from soc_sim.system.executable import Executable
from soc_sim.system.layout import Layout, lay_out
from soc_sim.system.stream import Stream
from soc_sim.testing.checks import check_record
from soc_sim.testing.fakes import Slices
from soc_sim.testing.small import program_of, small_soc, tile
from soc_sim.testing.variants import changed


@pytest.fixture(scope="module")
def resnet8() -> tuple[Soc, Program]:
    soc = load("mcu_8x8", Soc)
    return soc, compiler.compile(zoo.load("resnet8"), soc)


def spans(layout: Layout, program: Program, place: int, number: int, *, written: bool) -> list[tuple[str, int, int]]:
    """(memory, first byte, end) of all that an inference reads or writes with one of its sets."""
    address_of = layout.sets[place][number] or (lambda region: region.address)
    regions: list[Region] = []
    for instruction in program.instructions:
        match instruction:
            case Load(regions=read) if not written:
                regions += read
            case Store(regions=stored) if written:
                regions += stored
            case VectorOp(reads=reads, writes=writes):
                regions += writes if written else reads
    return [
        (region.memory, start, start + region.line_bytes + (region.lines - 1) * region.pitch_bytes)
        for region in regions
        for start in [address_of(region)]
        if region.memory != "inputs_buffer"  # whose space is given and taken back by the byte
    ]


def overlap(some: Sequence[tuple[str, int, int]], others: Sequence[tuple[str, int, int]]) -> bool:
    low = {memory: min(start for name, start, _ in others if name == memory) for memory, _, _ in others}
    high = {memory: max(end for name, _, end in others if name == memory) for memory, _, _ in others}
    return any(memory in low and start < high[memory] and low[memory] < end for memory, start, end in some)


def test_inferences_under_way_write_nowhere_where_another_reads_or_writes(resnet8: tuple[Soc, Program]) -> None:
    soc, program = resnet8
    layout = lay_out(soc, [program, program], [2, 2])
    sets = [(place, number) for place in (0, 1) for number in (0, 1)]
    assert layout.sets[0][0] is None
    for one in sets:
        writes = spans(layout, program, *one, written=True)
        assert overlap(writes, writes)
        for other in sets:
            if other != one:
                # The weights of one program lie between the activations of others; reads of these are no fault.
                reads = [span for span in spans(layout, program, *other, written=False) if span[0] == "dram"]
                assert not overlap(writes, spans(layout, program, *other, written=True))
                assert not overlap(writes, reads)


def test_sets_of_one_program_share_its_weights(resnet8: tuple[Soc, Program]) -> None:
    soc, program = resnet8
    layout = lay_out(soc, [program], [2])
    weights = [spans(layout, program, 0, number, written=False) for number in (0, 1)]
    assert [span for span in weights[0] if span[0] == "weight_memory"] == [
        span for span in weights[1] if span[0] == "weight_memory"
    ]


def test_the_inference_after_next_waits_for_the_first_ones_memory(resnet8: tuple[Soc, Program]) -> None:
    """Two sets of activations: number i + 2 begins when number i has ended, number i + 1 before."""
    soc, program = resnet8
    slices = Slices()
    record = run(soc, program, inferences=4, recorder=slices)
    check_record(record)
    ends_ps = record.inference_end_ps
    assert list(ends_ps) == sorted(set(ends_ps))
    assert ends_ps[1] < 2 * ends_ps[0]


def test_where_memory_holds_one_set_inferences_follow_each_other(resnet8: tuple[Soc, Program]) -> None:
    """Each then takes as long as one alone, but for the memory's bursts and the first loads."""
    soc, program = resnet8
    used = program.memory_map.used_bytes["dram"]
    small = changed(soc, dram=changed(soc.dram, capacity_bytes=used))
    alone = run(small, program).makespan_ps
    ends_ps = run(small, program, inferences=3).inference_end_ps
    assert [end - begin for begin, end in zip((0, *ends_ps), ends_ps, strict=False)] == [alone] * 3
    assert run(soc, program, inferences=3).makespan_ps < 3 * alone


def test_programs_that_do_not_fit_side_by_side_are_refused(resnet8: tuple[Soc, Program]) -> None:
    soc, program = resnet8
    used = program.memory_map.used_bytes["dram"]
    small = changed(soc, dram=changed(soc.dram, capacity_bytes=used))
    with pytest.raises(MappingError, match=r"resnet8 and resnet8 together need .* bytes more than dram has"):
        lay_out(small, [program, program], [2, 2])


def layers(count: int, cycles: int) -> list[Instruction]:
    """``count`` layers of one tile."""
    return [Compute(index, index, 0, (), (), 0, 0, 0, tile(cycles)) for index in range(count)]


class Bench:
    """A machine with one core, and streams of programs of tiles."""

    def __init__(self, policy: Policy, programs: Sequence[Program], **scheduling: int) -> None:
        self.simulation = Simulation()
        soc = small_soc()
        self.machine: Machine = build(soc, self.simulation, [[0]], Scheduling(policy=policy, **scheduling))
        sets = lay_out(soc, programs, [2] * len(programs)).sets
        self.streams = [
            Stream(
                self.simulation,
                Executable(program, [0], soc.dma.channel_of, interruptible=policy != "fifo"),
                self.machine.schedulers,
                sets[place],
                100,
            )
            for place, program in enumerate(programs)
        ]
        self.number = 0

    @property
    def scheduler(self) -> Scheduler:
        return self.machine.schedulers[0]

    def submit(self, time_ns: int, stream: int, *, deadline_ns: int | None = None, priority: int = 0) -> None:
        def now() -> None:
            self.number += 1
            deadline_ps = None if deadline_ns is None else deadline_ns * 1000
            self.streams[stream].submit(self.number, deadline_ps, priority)

        self.simulation.call_at(time_ns * 1000, now)

    def ends_ns(self) -> list[list[int]]:
        for component in self.machine.components():
            component.start()
        self.simulation.run(lambda: True)
        return [[(one.end_ps or 0) // 1000 for one in stream.inferences] for stream in self.streams]


def test_fifo_runs_each_inference_to_its_end() -> None:
    bench = Bench("fifo", [program_of(layers(4, 100)), program_of(layers(1, 10))])
    bench.submit(0, 0)
    bench.submit(50, 1)
    bench.submit(60, 0)
    assert bench.ends_ns() == [[400, 810], [410]]


@pytest.mark.parametrize(("layers_ahead", "end_ns"), [(0, 110), (1, 210), (2, 310)])
def test_a_higher_priority_waits_for_the_layers_that_are_handed_out(layers_ahead: int, end_ns: int) -> None:
    """Asked for within the first of four layers, behind the one at work and ``layers_ahead`` more."""
    programs = [program_of(layers(4, 100)), program_of(layers(1, 10))]
    bench = Bench("fixed_priority", programs, layers_ahead=layers_ahead)
    bench.submit(0, 0)
    bench.submit(50, 1, priority=1)
    assert bench.ends_ns() == [[410], [end_ns]]


def test_equal_priorities_go_in_order_of_arrival() -> None:
    bench = Bench("fixed_priority", [program_of(layers(2, 100)), program_of(layers(1, 10))], layers_ahead=0)
    bench.submit(0, 0, priority=3)
    bench.submit(50, 1, priority=3)
    assert bench.ends_ns() == [[200], [210]]


def test_edf_takes_the_earliest_deadline_and_those_without_one_last() -> None:
    programs = [program_of(layers(2, 100)), program_of(layers(2, 100)), program_of(layers(2, 100))]
    bench = Bench("edf", programs, layers_ahead=0)
    bench.submit(0, 0)
    bench.submit(10, 1, deadline_ns=900)
    bench.submit(20, 2, deadline_ns=500)
    # One layer of the first; both of the third, both of the second; the first's other one.
    assert bench.ends_ns() == [[600], [500], [300]]


def test_edf_meets_deadlines_that_fifo_misses() -> None:
    """A long inference (8 layers of 100 ns, due after 2000) and every 250 ns a short one (50 ns, due after 250).

    Busy for 8·100 + 8·50 = 1200 of 2000 ns. Under EDF a short one waits for at most a layer (100 ns) before its 50.
    """
    for policy, missed in (("fifo", True), ("edf", False)):
        programs = [program_of(layers(8, 100)), program_of(layers(1, 50))]
        bench = Bench(policy, programs, **({"layers_ahead": 0} if policy == "edf" else {}))
        bench.submit(0, 0, deadline_ns=2000)
        for number in range(8):
            bench.submit(250 * number, 1, deadline_ns=250 * number + 250)
        bench.ends_ns()
        late = [(one.end_ps or 0) > (one.deadline_ps or 0) for stream in bench.streams for one in stream.inferences]
        assert any(late) == missed


def test_a_program_is_interrupted_only_where_no_buffer_holds_anything() -> None:
    """The second layer's weights are loaded within the first, so the two are one step; the third stands alone."""
    instructions: list[Instruction] = [
        Load(0, 0, 0, "weights", (Region("dram", 0, 10),), 10),
        Load(1, 1, 0, "weights", (Region("dram", 64, 10),), 10),
        Compute(2, 0, 0, (0,), (), 0, 10, 0, tile(1)),
        Compute(3, 1, 0, (1,), (), 0, 10, 0, tile(1)),
        Compute(4, 2, 0, (), (), 0, 0, 0, tile(1)),
    ]
    channels = small_soc().dma.channel_of
    steps = Executable(program_of(instructions), [0], channels, interruptible=True).steps
    assert [step.indices for step in steps] == [range(4), range(4, 5)]
    assert [step.indices for step in Executable(program_of(instructions), [0], channels).steps] == [range(5)]


def test_time_before_an_inference_is_asked_for_is_idle() -> None:
    bench = Bench("fifo", [program_of(layers(1, 100))])
    bench.submit(70, 0)
    bench.submit(500, 0)
    assert bench.ends_ns() == [[170, 600]]
    assert bench.machine.cores[0].array.ledger.spans_ps == {(0, "idle"): (70 + 330) * 1000, (0, "busy"): 200_000}


def test_operations_of_two_sets_of_cores_do_not_wait_for_each_other_at_the_host() -> None:
    """The first core's operation waits for a tile of 500 ns; the second core's, handed over later, goes first."""
    simulation, soc = Simulation(), small_soc("cores=2")
    machine = build(soc, simulation, [[0], [1]], Scheduling())
    store = Store(1, 0, 0, (Region("dram", 0, 1),), 1, (0,))
    long = program_of([Compute(0, 0, 0, (), (), 1, 0, 0, tile(500)), store, VectorOp(2, 1, (), (), 10, (1,))])
    short = program_of([Compute(0, 0, 0, (), (), 0, 0, 0, tile(20)), VectorOp(1, 1, (), (), 10)])
    streams = []
    for core, program in enumerate((long, short)):
        executable = Executable(program, [core], soc.dma.channel_of, first_layer=2 * core)
        streams.append(Stream(simulation, executable, machine.schedulers[core : core + 1], [None], 3))
    for component in machine.components():
        component.start()
    streams[0].submit(0)
    simulation.call_at(100_000, lambda: streams[1].submit(0))
    simulation.run(lambda: True)
    assert [stream.inferences[0].end_ps for stream in streams] == [511_000, 120_000]


def test_a_memory_map_says_where_activations_begin(resnet8: tuple[Soc, Program]) -> None:
    """What is written lies there, what is packed for the array before."""
    soc = load("edge_16x16", Soc)
    program = compiler.compile(zoo.load("resnet8"), soc, Mapping(residency="off"))
    memory_map: MemoryMap = program.memory_map
    first = memory_map.activations["dram"]
    assert 0 < memory_map.weight_bytes <= first < memory_map.used_bytes["dram"]
    writes = spans(lay_out(soc, [program], [1]), program, 0, 0, written=True)
    assert min(start for _, start, _ in writes) >= first
    assert resnet8[1].memory_map.activations == {"dram": 0}
