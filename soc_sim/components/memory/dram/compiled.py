"""The commands of a channel once more, on arrays, for the compiler of the ``fast`` extra (numba): the same, sooner.

Modelled: what ``scheduler.py`` and ``state.py`` do, one command at a time, under the names they have there, and what
``channel.py`` keeps of each transfer (here a *job*). ``tests/components/test_dram_compiled.py`` compares both on random
mixes. It is one file because numba's cache looks for changes in the file of a function only.

Everything is a 64-bit integer. ``m``: parameters and scalars of a channel; ``banks``, ``groups``, ``ranks``, ``runs``,
``jobs``: one line for each; ``queue``: numbers of runs (reads, writes, reads and writes that have not entered their
queue, free ones) and of jobs that are complete.
"""

from __future__ import annotations

from typing import Any

import numba

from soc_sim.components.memory.dram.queues import NUMBER_BITS, NUMBER_MASK

NEVER = 1 << 62
Array = Any
"""A numpy array of 64-bit integers; numba's compiler cannot read a more precise type."""

# Parameters.
NBL, CL, CWL, RCD, RP, RAS, RRD_S, RRD_L, FAW, WR, RTP, WTR_S, WTR_L, RTW, RTRS, RFC, REFI = range(17)
SPACING_S, SPACING_L, ROOM, WRITE_ROOM, BEHIND, HIGH, LOW, CAP, EQUAL_SPACING, PRIORITY_CYCLES, PPD = range(17, 28)
# Scalars of the state. What has a place for reads is followed by that for writes.
NOW, AGES, WRITE_MODE, SERVING, QUEUED, QUEUED_WRITES, WAITING, _, BACKLOG, _, FREE, DONE = range(28, 40)
ACTIVATES, CONFLICTS, REFRESHES, ACTIVE_CYCLES, BURSTS, WRITE_BURSTS, LAST_COLUMN = range(40, 47)
CHOSEN, AT, BANK, COLUMN, WRITE, SEEN_KIND = range(47, 53)
SCALARS = 53
# Of each bank: stamps, state, and what a choice finds (oldest run, oldest hit, runs seen).
ROW, BANK_COLUMN, BANK_ACTIVATE, BANK_PRECHARGE, FOR_ANOTHER, HITS, OPENED_FOR, OLDEST, HIT, SEEN = range(10)
GROUP, RANK = 10, 11
BANK_FIELDS = 12
# Of each bank group: stamps of read, write, activate; its rank.
GROUP_ACTIVATE, GROUP_RANK = 2, 3
GROUP_FIELDS = 4
# Of each rank; the last four activates close the line.
DUE, OPEN_BANKS, OPENED_AT, CLOSED_AT, REFRESHED, ACTS = range(6)
RANK_FIELDS = 10
# Of each run.
RUN_BANK, RUN_ROW, RUN_WRITE, RUN_LEFT, AGE, ARRIVAL, JOB = range(7)
RUN_FIELDS = 7
# Of each job.
RUNS, LEFT, JOB_WRITE, START, END, ROW_CYCLES, REFRESH_CYCLES = range(7)
JOB_FIELDS = 7
# Lines of ``queue``.
FREE_RUNS, COMPLETE = 4, 5
QUEUES = 6

_compile = numba.njit(cache=True)
# A call costs two atomic operations for each array; what is called for every command becomes part of its caller.
_inline = numba.njit(inline="always")


@_inline
def _wants_writes(m: Array) -> bool:
    return m[QUEUED] == 0 or m[QUEUED_WRITES] > m[HIGH] or (m[WRITE_MODE] != 0 and m[QUEUED_WRITES] >= m[LOW])


@_inline
def _has_room(m: Array, banks: Array, runs: Array, queue: Array, write: int) -> bool:
    queued, room, behind = m[QUEUED + write], m[ROOM + write], m[BEHIND]
    if behind and queued >= room:
        for bank in range(len(banks)):
            left = 0
            for place in range(m[WAITING + write]):
                run = runs[queue[write, place]]
                if run[RUN_BANK] == bank:
                    left += run[RUN_LEFT]
            queued -= min(behind, left)
    return queued < room


@_compile
def _enqueue(m: Array, runs: Array, queue: Array, number: int) -> None:
    write = runs[number, RUN_WRITE]
    runs[number, ARRIVAL] = m[NOW]
    m[QUEUED + write] += runs[number, RUN_LEFT]
    _insert(m, runs, queue, write, WAITING + write, number)
    m[SEEN_KIND] = -1


@_compile
def _insert(m: Array, runs: Array, queue: Array, line: int, count: int, number: int) -> None:
    """Put a run into a line of ``queue``, behind those that are older."""
    place = m[count]
    while place > 0 and runs[queue[line, place - 1], AGE] > runs[number, AGE]:
        queue[line, place] = queue[line, place - 1]
        place -= 1
    queue[line, place] = number
    m[count] += 1


@_inline
def _remove(m: Array, queue: Array, line: int, count: int, place: int) -> None:
    """Take one number out of a line of ``queue`` whose length stands at ``count``."""
    for later in range(place, m[count] - 1):
        queue[line, later] = queue[line, later + 1]
    m[count] -= 1


@_inline
def _drop(m: Array, queue: Array, write: int, number: int) -> None:
    for place in range(m[WAITING + write]):
        if queue[write, place] == number:
            _remove(m, queue, write, WAITING + write, place)
            m[SEEN_KIND] = -1
            return


@_compile
def _admit(m: Array, banks: Array, runs: Array, queue: Array, write: int) -> None:
    while m[BACKLOG + write] and _has_room(m, banks, runs, queue, write):
        number = queue[2 + write, 0]
        _remove(m, queue, 2 + write, BACKLOG + write, 0)
        _enqueue(m, runs, queue, number)


@_compile
def _push(m: Array, banks: Array, runs: Array, queue: Array, cycle: int, number: int, priority: int) -> None:
    write = runs[number, RUN_WRITE]
    if cycle > m[NOW]:
        m[WRITE_MODE] = 1 if _wants_writes(m) else 0
        m[NOW] = cycle
    arrived = m[NOW] - priority * m[PRIORITY_CYCLES]
    runs[number, AGE] = (arrived << NUMBER_BITS) + (m[AGES] & NUMBER_MASK)
    m[AGES] += 1
    if _has_room(m, banks, runs, queue, write):
        _enqueue(m, runs, queue, number)
    else:
        _insert(m, runs, queue, 2 + write, BACKLOG + write, number)
    m[CHOSEN] = 0


@_inline
def _earliest_column(banks: Array, groups: Array, bank: int, write: int) -> int:
    return max(banks[bank, BANK_COLUMN], groups[banks[bank, GROUP], write])


@_inline
def _look_at_banks(m: Array, banks: Array, runs: Array, queue: Array, write: int) -> None:
    """Each bank's oldest run and oldest hit of a kind (-1: none)."""
    if m[SEEN_KIND] == write:
        return
    m[SEEN_KIND] = write
    for bank in range(len(banks)):
        banks[bank, OLDEST] = banks[bank, HIT] = -1
        banks[bank, SEEN] = 0
    visible = m[BEHIND]
    for place in range(m[WAITING + write]):
        number = queue[write, place]
        bank = runs[number, RUN_BANK]
        if banks[bank, OLDEST] < 0:
            banks[bank, OLDEST] = number
        banks[bank, SEEN] += 1
        seen = visible == 0 or banks[bank, SEEN] <= visible
        if seen and banks[bank, HIT] < 0 and banks[bank, ROW] == runs[number, RUN_ROW]:
            banks[bank, HIT] = number


@_inline
def _choose(m: Array, banks: Array, groups: Array, ranks: Array, runs: Array, queue: Array) -> None:
    now = m[NOW]
    best_at, best_age, best_bank, best_column = NEVER, NEVER, -1, 0
    write = 1 if _wants_writes(m) else 0
    m[SERVING] = best_write = write
    for bank in range(len(banks)):
        number = banks[bank, OPENED_FOR]
        if number >= 0:
            at = max(now, _earliest_column(banks, groups, bank, runs[number, RUN_WRITE]))
            age = runs[number, AGE]
            if at < best_at or (at == best_at and age < best_age):
                best_at, best_age, best_bank, best_column, best_write = at, age, bank, 1, runs[number, RUN_WRITE]
    if best_column:
        best_age = -NEVER
    _look_at_banks(m, banks, runs, queue, write)
    for bank in range(len(banks)):
        oldest, hit = banks[bank, OLDEST], banks[bank, HIT]
        if oldest < 0:
            continue
        if banks[bank, ROW] < 0:
            column, age = 0, runs[oldest, AGE]
            at = max(banks[bank, BANK_ACTIVATE], groups[banks[bank, GROUP], GROUP_ACTIVATE])
        else:
            if hit != oldest and banks[bank, OPENED_FOR] < 0:
                at, age = max(now, banks[bank, BANK_PRECHARGE]), runs[oldest, AGE]
                if at < best_at or (at == best_at and age < best_age):
                    best_at, best_age, best_bank, best_column, best_write = at, age, bank, 0, write
                if banks[bank, HITS] >= m[CAP]:
                    continue
            if hit < 0:
                continue
            column, age = 1, runs[hit, AGE]
            at = _earliest_column(banks, groups, bank, write)
        at = max(at, now)
        if at < best_at or (at == best_at and age < best_age):
            best_at, best_age, best_bank, best_column, best_write = at, age, bank, column, write
    due, rank = _first_due(ranks)
    if best_at >= due:
        # A refresh comes first, but after bursts whose row has been opened.
        opened_at, opened_age, opened_bank = NEVER, NEVER, -1
        for bank in range(len(banks)):
            number = banks[bank, OPENED_FOR]
            if number >= 0 and banks[bank, RANK] == rank:
                at = max(now, _earliest_column(banks, groups, bank, runs[number, RUN_WRITE]))
                if at < opened_at or (at == opened_at and runs[number, AGE] < opened_age):
                    opened_at, opened_age, opened_bank = at, runs[number, AGE], bank
        if opened_bank >= 0:
            best_at, best_bank, best_column = opened_at, opened_bank, 1
            best_write = runs[banks[opened_bank, OPENED_FOR], RUN_WRITE]
        else:
            best_at, best_bank, best_column = due, ~rank, 0
    m[CHOSEN], m[AT], m[BANK], m[COLUMN], m[WRITE] = 1, best_at, best_bank, best_column, best_write


@_inline
def _first_due(ranks: Array) -> tuple[int, int]:
    due, rank = ranks[0, DUE], 0
    for other in range(1, len(ranks)):
        if ranks[other, DUE] < due:
            due, rank = ranks[other, DUE], other
    return due, rank


@_compile
def _activate(m: Array, banks: Array, groups: Array, ranks: Array, runs: Array, queue: Array) -> None:
    cycle, number_of_bank, write = m[AT], m[BANK], m[WRITE]
    bank = banks[number_of_bank]
    own_group, rank = bank[GROUP], ranks[bank[RANK]]
    number = bank[OLDEST]
    bank[ROW] = runs[number, RUN_ROW]
    m[SEEN_KIND] = -1
    bank[BANK_COLUMN] = cycle + m[RCD]
    bank[BANK_PRECHARGE] = cycle + m[RAS]
    fifth = 0
    if rank[ACTS] >= 3:
        # The oldest of four, this one included.
        fifth = rank[RANK_FIELDS - 3] + m[FAW]
    for act in range(RANK_FIELDS - 4, RANK_FIELDS - 1):
        rank[act] = rank[act + 1]
    rank[RANK_FIELDS - 1] = cycle
    rank[ACTS] += 1
    for group in range(len(groups)):
        if groups[group, GROUP_RANK] == bank[RANK]:
            earliest = cycle + (m[RRD_L] if group == own_group else m[RRD_S])
            groups[group, GROUP_ACTIVATE] = max(groups[group, GROUP_ACTIVATE], earliest, fifth)
    m[ACTIVATES] += 1
    m[CONFLICTS] += bank[FOR_ANOTHER]
    bank[FOR_ANOTHER] = 0
    if rank[OPEN_BANKS] == 0:
        rank[OPENED_AT] = max(cycle, rank[CLOSED_AT])
    rank[OPEN_BANKS] += 1
    bank[HITS] = 0
    bank[OPENED_FOR] = number
    m[QUEUED + write] -= 1
    if runs[number, RUN_LEFT] == 1:
        _drop(m, queue, write, number)
    m[NOW] = cycle + 1
    _admit(m, banks, runs, queue, write)


@_compile
def _precharge(m: Array, banks: Array, ranks: Array, cycle: int, bank: int, for_another: int) -> None:
    rank = ranks[banks[bank, RANK]]
    banks[bank, ROW] = -1
    m[SEEN_KIND] = -1
    banks[bank, BANK_ACTIVATE] = cycle + m[RP]
    banks[bank, FOR_ANOTHER] = for_another
    rank[OPEN_BANKS] -= 1
    rank[CLOSED_AT] = max(cycle, rank[CLOSED_AT])
    if rank[OPEN_BANKS] == 0:
        m[ACTIVE_CYCLES] += rank[CLOSED_AT] - rank[OPENED_AT]
    if m[PPD] > 1:
        for other in range(len(banks)):
            if banks[other, RANK] == banks[bank, RANK]:
                banks[other, BANK_PRECHARGE] = max(banks[other, BANK_PRECHARGE], cycle + m[PPD])


@_inline
def _column(m: Array, banks: Array, groups: Array, cycle: int, bank: int, write: int) -> int:
    own_group, own_rank = banks[bank, GROUP], banks[bank, RANK]
    m[BURSTS + write] += 1
    m[LAST_COLUMN] = cycle
    nbl = m[NBL]
    if write:
        end = cycle + m[CWL] + nbl
        banks[bank, BANK_PRECHARGE] = max(banks[bank, BANK_PRECHARGE], end + m[WR])
    else:
        end = cycle + m[CL] + nbl
        banks[bank, BANK_PRECHARGE] = max(banks[bank, BANK_PRECHARGE], cycle + m[RTP])
    for group in range(len(groups)):
        if groups[group, GROUP_RANK] != own_rank:
            if write:
                to_read, to_write = m[CWL] + nbl + m[RTRS] - m[CL], nbl + m[RTRS]
            else:
                to_read, to_write = nbl + m[RTRS], m[CL] + nbl + m[RTRS] - m[CWL]
        else:
            spacing = m[SPACING_L] if group == own_group else m[SPACING_S]
            if write:
                turn = m[WTR_L] if group == own_group else m[WTR_S]
                to_read, to_write = m[CWL] + nbl + turn, spacing
            else:
                to_read, to_write = spacing, m[RTW]
        groups[group, 0] = max(groups[group, 0], cycle + to_read)
        groups[group, 1] = max(groups[group, 1], cycle + to_write)
    return end


@_inline
def _access(m: Array, banks: Array, groups: Array, ranks: Array, runs: Array, jobs: Array, queue: Array) -> None:
    cycle, bank, write = m[AT], m[BANK], m[WRITE]
    number = banks[bank, OPENED_FOR]
    if number >= 0 and runs[number, RUN_WRITE] == write:
        banks[bank, OPENED_FOR] = -1
        ready = max(runs[number, ARRIVAL], m[LAST_COLUMN] + m[NBL])
        if cycle > ready:
            refresh = min(cycle, max(ready, ranks[banks[bank, RANK], REFRESHED])) - ready
            jobs[runs[number, JOB], REFRESH_CYCLES] += refresh
            jobs[runs[number, JOB], ROW_CYCLES] += cycle - ready - refresh
    else:
        number = banks[bank, HIT]
        m[QUEUED + write] -= 1
        banks[bank, HITS] += 1
    end = _column(m, banks, groups, cycle, bank, write)
    m[NOW] = cycle + 1
    job = runs[number, JOB]
    jobs[job, START] = min(jobs[job, START], end - m[NBL])
    jobs[job, LEFT] -= 1
    runs[number, RUN_LEFT] -= 1
    if runs[number, RUN_LEFT] == 0:
        _drop(m, queue, write, number)
        jobs[job, END] = max(jobs[job, END], end)
        jobs[job, RUNS] -= 1
        queue[FREE_RUNS, m[FREE]] = number
        m[FREE] += 1
        if jobs[job, RUNS] == 0:
            queue[COMPLETE, m[DONE]] = job
            m[DONE] += 1
    if m[BACKLOG + write]:
        _admit(m, banks, runs, queue, write)


@_compile
def _refresh(m: Array, banks: Array, ranks: Array, due: int, number: int) -> None:
    rank, banks_of_rank = ranks[number], len(banks) // len(ranks)
    first, last = number * banks_of_rank, (number + 1) * banks_of_rank
    if rank[OPEN_BANKS]:
        close = due
        for bank in range(first, last):
            if banks[bank, ROW] >= 0:
                close = max(close, banks[bank, BANK_PRECHARGE])
        for bank in range(first, last):
            if banks[bank, ROW] >= 0:
                _precharge(m, banks, ranks, close, bank, 0)
    start = due
    for bank in range(first, last):
        start = max(start, banks[bank, BANK_ACTIVATE])
    for bank in range(first, last):
        banks[bank, BANK_ACTIVATE] = start + m[RFC]
        banks[bank, FOR_ANOTHER] = 0
    rank[REFRESHED] = start + m[RFC]
    rank[DUE] += m[REFI]
    m[REFRESHES] += 1
    m[NOW] = max(m[NOW], due)


@_inline
def _alone(m: Array, banks: Array, groups: Array, ranks: Array, runs: Array, queue: Array, end: int) -> int:
    """Bursts that the chosen run, if it is the oldest, can have before ``end`` without another choice."""
    write, number = m[WRITE], queue[m[WRITE], 0]
    shared = m[WAITING + write] > 1 and not m[EQUAL_SPACING]
    if shared or m[SERVING] != write or (write and m[QUEUED]) or banks[m[BANK], HIT] != number:
        return 1
    limit = min(end, _first_due(ranks)[0])
    # Younger hits wait; before the limit no row is opened or closed.
    for each in range(len(banks)):
        bank = banks[each]
        if bank[OPENED_FOR] >= 0:
            return 1
        if bank[OLDEST] != bank[HIT]:
            opens = max(bank[BANK_ACTIVATE], groups[bank[GROUP], GROUP_ACTIVATE])
            limit = min(limit, opens if bank[ROW] < 0 else bank[BANK_PRECHARGE])
    bursts = min(runs[number, RUN_LEFT] - 1, (limit - m[AT] - 1) // m[SPACING_L] + 1)
    if m[BACKLOG + write]:
        bursts = 1 if m[BEHIND] else min(bursts, m[QUEUED + write] - m[ROOM + write])
    return max(bursts, 1)


@_compile
def advance(
    m: Array, banks: Array, groups: Array, ranks: Array, runs: Array, jobs: Array, queue: Array, end: int
) -> None:
    """Issue every command before cycle ``end``."""
    while True:
        if not m[CHOSEN]:
            _choose(m, banks, groups, ranks, runs, queue)
        if m[AT] >= end:
            return
        m[CHOSEN] = 0
        if m[BANK] < 0:
            _refresh(m, banks, ranks, m[AT], ~m[BANK])
            continue
        m[WRITE_MODE] = m[SERVING]
        if m[COLUMN]:
            # All but the last need no stamps.
            skipped = _alone(m, banks, groups, ranks, runs, queue, end) - 1
            if skipped > 0:
                run = runs[queue[m[WRITE], 0]]
                run[RUN_LEFT] -= skipped
                job = jobs[run[JOB]]
                job[START] = min(job[START], m[AT] + m[CL + m[WRITE]])
                job[LEFT] -= skipped
                m[QUEUED + m[WRITE]] -= skipped
                m[BURSTS + m[WRITE]] += skipped
                banks[m[BANK], HITS] += skipped
                m[AT] += skipped * m[SPACING_L]
            _access(m, banks, groups, ranks, runs, jobs, queue)
        elif banks[m[BANK], ROW] < 0:
            _activate(m, banks, groups, ranks, runs, queue)
        else:
            _precharge(m, banks, ranks, m[AT], m[BANK], 1)
            m[NOW] = m[AT] + 1


@_compile
def arrive(
    m: Array,
    banks: Array,
    groups: Array,
    ranks: Array,
    runs: Array,
    jobs: Array,
    queue: Array,
    cycle: int,
    job: int,
    write: int,
    priority: int,
    wanted: Array,
) -> int:
    """Take runs (bank, row, bursts) of a job; all that is earlier is done before. Returns the next look."""
    advance(m, banks, groups, ranks, runs, jobs, queue, cycle)
    jobs[job, RUNS], jobs[job, LEFT], jobs[job, JOB_WRITE] = len(wanted), wanted[:, 2].sum(), write
    jobs[job, START], jobs[job, END], jobs[job, ROW_CYCLES], jobs[job, REFRESH_CYCLES] = NEVER, 0, 0, 0
    for one in range(len(wanted)):
        m[FREE] -= 1
        number = queue[FREE_RUNS, m[FREE]]
        runs[number, RUN_BANK], runs[number, RUN_ROW], runs[number, RUN_LEFT] = wanted[one]
        runs[number, RUN_WRITE], runs[number, JOB] = write, job
        _push(m, banks, runs, queue, cycle, number, priority)
    return look(m, banks, groups, ranks, runs, jobs, queue, cycle)


@_compile
def look(m: Array, banks: Array, groups: Array, ranks: Array, runs: Array, jobs: Array, queue: Array, end: int) -> int:
    """Issue every command before cycle ``end``; no job is complete before the cycle returned if nothing arrives."""
    advance(m, banks, groups, ranks, runs, jobs, queue, end)
    cycle, foremost = _outlook(m, banks, groups, ranks, runs, queue)
    nbl, least = m[NBL], NEVER
    for number in range(len(jobs)):
        of_runs = jobs[number, RUNS]
        if of_runs:
            bursts = jobs[number, LEFT]
            if foremost >= 0 and bursts > of_runs and runs[foremost, JOB] != number:
                bursts = max(runs[foremost, RUN_LEFT], bursts - of_runs) + 1
            least = min(least, bursts * nbl + m[CL + jobs[number, JOB_WRITE]])
    return cycle + least if least < NEVER else NEVER


@_inline
def _outlook(m: Array, banks: Array, groups: Array, ranks: Array, runs: Array, queue: Array) -> tuple[int, int]:
    cycle, write = m[AT], m[SERVING]
    if not m[COLUMN]:
        if m[BANK] >= 0 and not _could_hit(m, banks, runs, queue):
            cycle += m[RCD]
        else:
            cycle = max(cycle + 1, groups[:, :2].min())
    if m[WAITING + write] == 0 or not m[EQUAL_SPACING] or (write and m[QUEUED]):
        return cycle, -1
    run = queue[write, 0]
    bank = runs[run, RUN_BANK]
    if banks[bank, HIT] != run or banks[bank, BANK_COLUMN] > cycle:
        return cycle, -1
    if cycle + runs[run, RUN_LEFT] * m[NBL] >= _first_due(ranks)[0]:
        return cycle, -1
    for bank in range(len(banks)):
        number = banks[bank, OPENED_FOR]
        if number >= 0 and runs[number, RUN_WRITE] != write:
            return cycle, -1
    return cycle, run


@_compile
def _could_hit(m: Array, banks: Array, runs: Array, queue: Array) -> bool:
    found = m[BACKLOG] > 0 or m[BACKLOG + 1] > 0
    # The kind that is served comes last: the choice refers to it.
    for write in (1 - m[SERVING], m[SERVING]):
        _look_at_banks(m, banks, runs, queue, write)
        for bank in range(len(banks)):
            found = found or banks[bank, HIT] >= 0 or banks[bank, OPENED_FOR] >= 0
    return found
