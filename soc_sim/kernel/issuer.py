"""Turns regions of memory into transfers: in order, with a limit on what is under way. Needs no process of its own."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from soc_sim.kernel.clock import Clock
from soc_sim.kernel.port import Target
from soc_sim.kernel.reasons import CompletionLog
from soc_sim.kernel.simulation import Simulation
from soc_sim.kernel.transfer import Transfer, chunks


class RegionLike(Protocol):
    """Lines of bytes in a memory (the program's regions are such)."""

    @property
    def memory(self) -> str: ...  # noqa: D102
    @property
    def address(self) -> int: ...  # noqa: D102
    @property
    def line_bytes(self) -> int: ...  # noqa: D102
    @property
    def lines(self) -> int: ...  # noqa: D102
    @property
    def pitch_bytes(self) -> int: ...  # noqa: D102


@dataclass(slots=True, eq=False)
class Job:
    """Regions to move, and whom to tell."""

    write: bool
    layer: int
    regions: Iterator[RegionLike]
    done: Callable[[], None]
    progress: Callable[[int], None] | None
    released_bytes: int | None
    """Bytes that may be issued so far; None: all."""
    handed_ps: int
    """When it was queued."""
    address_of: Callable[[RegionLike], int] | None
    work: Callable[[Transfer, Callable[[], None]], None] | None = None
    pieces: Iterator[tuple[int, int, int, int]] | None = None
    region: RegionLike | None = None
    asked: tuple[int, str, bool] | None = None
    """The region's key in ``asked_bytes``."""
    completed: Callable[[Transfer], None] | None = None
    """Told of each transfer that is complete."""
    next_piece: tuple[int, int, int, int] | None = None
    under_way: int = 0
    issued: bool = False
    moved_bytes: int = 0


class Issuer:
    """One queue of jobs before one port: at most ``max_outstanding`` requests under way, jobs end in order."""

    def __init__(
        self,
        simulation: Simulation,
        port: Target,
        clock: Clock,
        *,
        burst_bytes: int,
        chunk_bytes: int,
        max_outstanding: int,
        most_requests: int | None = None,
        setup_cycles: int,
        name: str = "",
    ) -> None:
        """``name``: by default the port's; ``most_requests``: in one transfer."""
        self._simulation = simulation
        self._port = port
        self._clock = clock
        self._burst_bytes = burst_bytes
        self._chunk_bytes = max(burst_bytes, chunk_bytes)
        # Two transfers must be able to overlap, or latency would be paid once a chunk.
        self._most_requests = max(1, min(max_outstanding // 2, most_requests or max_outstanding))
        self._max_outstanding = max_outstanding
        self._setup_cycles = setup_cycles
        self._jobs: deque[Job] = deque()
        self._issuing: deque[Job] = deque()
        self._setting_up = False
        self._limited_ps: int | None = None
        """Since when the limit of requests under way holds up what could be sent; None: it does not."""
        self.log = CompletionLog(port.name)
        """Completions, for the reasons of waits."""
        self._counter = simulation.counter(f"{name or port.name}.outstanding", "request")
        self.outstanding = 0
        """Requests under way."""
        self.asked_bytes: dict[tuple[int, str, bool], int] = defaultdict(int)
        """(layer, memory, write) → bytes asked for."""

    @property
    def busy(self) -> bool:
        """Whether jobs are queued or under way."""
        return bool(self._jobs)

    def submit(
        self,
        regions: Iterable[RegionLike],
        *,
        write: bool,
        layer: int,
        done: Callable[[], None],
        progress: Callable[[int], None] | None = None,
        gated: bool = False,
        address_of: Callable[[RegionLike], int] | None = None,
        work: Callable[[Transfer, Callable[[], None]], None] | None = None,
    ) -> Job:
        """Queue a job. ``done`` is called when it and all before it have ended, ``progress`` after each transfer.

        A ``gated`` job issues only what :meth:`release` has released. ``address_of`` says where a region lies, if not
        where it says itself. ``work`` is given each transfer that has arrived, and what to call when it is through with
        it: only then is the transfer complete.
        """
        released_bytes, now_ps = 0 if gated else None, self._simulation.now_ps
        job = Job(write, layer, iter(regions), done, progress, released_bytes, now_ps, address_of, work)
        job.completed = partial(self._completed, job)
        self._jobs.append(job)
        self._issuing.append(job)
        self._issue()
        return job

    def release(self, job: Job, released_bytes: int) -> None:
        """Let a gated job issue up to ``released_bytes`` in all."""
        job.released_bytes = released_bytes
        self._issue()

    def _issue(self) -> None:
        while self._issuing and not self._setting_up:
            job = self._issuing[0]
            piece = job.next_piece
            if piece is None:
                if job.pieces is None and not self._next_region(job):
                    continue
                if self._setting_up:
                    break
                assert job.pieces is not None  # noqa: S101 # _next_region has set it
                piece = job.next_piece = next(job.pieces, None)
                if piece is None:
                    job.pieces = None
                    continue
            address, line_bytes, lines, requests = piece
            if self.outstanding and self.outstanding + requests > self._max_outstanding:
                if self._limited_ps is None:
                    self._limited_ps = self._simulation.now_ps
                return
            size = line_bytes * lines
            if job.released_bytes is not None and job.moved_bytes + size > job.released_bytes:
                self._limited_ps = None
                return
            job.next_piece = None
            region, asked, completed = job.region, job.asked, job.completed
            assert region is not None is not asked  # noqa: S101 # there are pieces
            assert completed is not None  # noqa: S101 # submit() has set it
            self.outstanding += requests
            if self._counter is not None:
                self._counter.set(self._simulation.now_ps, self.outstanding)
            job.under_way += 1
            job.moved_bytes += size
            self.asked_bytes[asked] += size
            transfer = Transfer(
                self._port.name,
                region.memory,
                job.write,
                address,
                line_bytes,
                lines,
                region.pitch_bytes,
                requests,
                job.layer,
                completed,
            )
            transfer.submitted_ps = now_ps = self._simulation.now_ps
            if self._limited_ps is not None:
                transfer.credit_ps = now_ps - max(self._limited_ps, job.handed_ps)
            self._port.submit(transfer)
        self._limited_ps = None

    def _next_region(self, job: Job) -> bool:
        """Open the job's next region, after its set-up; False where there is none and the job has been issued."""
        job.region = next(job.regions, None)
        if job.region is None:
            job.issued = True
            self._issuing.popleft()
            self._retire()
            return False
        region = job.region
        job.asked = (job.layer, region.memory, job.write)
        job.pieces = chunks(
            region.address if job.address_of is None else job.address_of(region),
            region.line_bytes,
            region.lines,
            region.pitch_bytes,
            self._chunk_bytes,
            self._burst_bytes,
            self._most_requests,
        )
        if self._setup_cycles:
            self._setting_up = True
            self._clock.call_after(self._simulation, self._setup_cycles, self._set_up)
        return True

    def _set_up(self) -> None:
        self._setting_up = False
        self._issue()

    def _completed(self, job: Job, transfer: Transfer) -> None:
        now_ps = self._simulation.now_ps
        if job.work is not None and transfer.arrived_ps is None:
            transfer.arrived_ps = now_ps
            job.work(transfer, partial(self._completed, job, transfer))
            return
        self.log.add(now_ps, transfer)
        self.outstanding -= transfer.requests
        if self._counter is not None:
            self._counter.set(now_ps, self.outstanding)
        job.under_way -= 1
        if job.progress is not None:
            job.progress(transfer.size_bytes)
        if self._issuing:
            self._issue()
        if not job.under_way:
            self._retire()

    def _retire(self) -> None:
        while self._jobs and self._jobs[0].issued and not self._jobs[0].under_way:
            self._jobs.popleft().done()
