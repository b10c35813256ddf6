"""One DRAM channel: banks with an open row each, a shared data bus, refresh. Time stamps instead of a clock.

Modelled: tRCD, tRP, CL, CWL, tRAS, tWR, tRTP, write-to-read and read-to-write turnaround, all-bank refresh every tREFI,
bursts of whole length. Rows stay open until another is wanted. Runs are served in order of arrival; the activate of a
run overlaps with the data of those before it.
Left out here: bank groups (tCCD_L), tRRD and tFAW, reordering, ranks, power-down.
"""

from __future__ import annotations

from soc_sim.config.memory import Dram


class Bank:
    """What is open, and from when on the next command is legal."""

    __slots__ = ("activate_ps", "column_ps", "precharge_ps", "row")

    def __init__(self) -> None:
        self.row: int | None = None
        self.activate_ps = 0
        self.column_ps = 0
        self.precharge_ps = 0


class Channel:
    """Banks and data bus of one channel."""

    def __init__(self, description: Dram) -> None:
        timing, tck = description.timing, description.timing.tck_ps
        self._tck_ps = tck
        self._burst_bytes = description.burst_bytes
        self._burst_ps = description.burst_length // 2 * tck
        self._cl_ps, self._cwl_ps = timing.nCL * tck, timing.nCWL * tck
        self._rcd_ps, self._rp_ps, self._ras_ps = timing.nRCD * tck, timing.nRP * tck, timing.nRAS * tck
        self._wr_ps, self._rtp_ps, self._wtr_ps = timing.nWR * tck, timing.nRTP * tck, timing.nWTR_L * tck
        self._rfc_ps, self._refi_ps = timing.nRFC * tck, timing.nREFI * tck
        self._banks = [Bank() for _ in range(description.banks)]
        self._bus_free_ps = 0
        self._last_was_write = False
        self._next_refresh_ps = self._refi_ps
        self._open_since_ps: int | None = None
        self.busy_ps = 0
        self.active_ps = 0
        """Time with a row open, up to its precharge."""
        self.row_hits = 0
        self.row_misses = 0
        self.row_conflicts = 0
        self.refreshes = 0
        self.read_bursts = 0
        self.write_bursts = 0

    def serve(self, arrival_ps: int, bank_index: int, row: int, bursts: int, write: bool) -> tuple[int, int]:
        """Serve a run of bursts in one row; returns when its first and last data are on the bus."""
        tck, bus_free_ps = self._tck_ps, self._bus_free_ps
        arrival_ps = -(-arrival_ps // tck) * tck
        if arrival_ps >= self._next_refresh_ps or bus_free_ps >= self._next_refresh_ps:
            self._refresh(max(arrival_ps, bus_free_ps))
        bank = self._banks[bank_index]
        start_ps = self._open(bank, row, arrival_ps, bursts)
        if start_ps < arrival_ps:
            start_ps = arrival_ps
        if write:
            start_ps += self._cwl_ps
            # Read to write: command distance CL + BL/2 + 2 − CWL leaves two idle cycles on the bus.
            free_ps = bus_free_ps if self._last_was_write else bus_free_ps + 2 * tck
            self.write_bursts += bursts
        else:
            start_ps += self._cl_ps
            free_ps = bus_free_ps + self._wtr_ps + self._cl_ps if self._last_was_write else bus_free_ps
            self.read_bursts += bursts
        if start_ps < free_ps:
            start_ps = free_ps
        duration_ps = bursts * self._burst_ps
        end_ps = start_ps + duration_ps
        precharge_ps = end_ps + (self._wr_ps if write else self._rtp_ps - self._burst_ps - self._cl_ps)
        if bank.precharge_ps < precharge_ps:
            bank.precharge_ps = precharge_ps
        self._bus_free_ps = end_ps
        self._last_was_write = write
        self.busy_ps += duration_ps
        return start_ps, end_ps

    def _open(self, bank: Bank, row: int, arrival_ps: int, bursts: int) -> int:
        """Open ``row`` if it is not; returns when the first column command is legal."""
        if bank.row == row:
            self.row_hits += bursts
            return bank.column_ps
        if bank.row is None:
            self.row_misses += 1
            activate_ps = max(arrival_ps, bank.activate_ps)
        else:
            self.row_conflicts += 1
            activate_ps = max(arrival_ps, bank.precharge_ps) + self._rp_ps
        self.row_hits += bursts - 1
        if self._open_since_ps is None:
            self._open_since_ps = activate_ps
        bank.row = row
        bank.column_ps = activate_ps + self._rcd_ps
        bank.precharge_ps = activate_ps + self._ras_ps
        return bank.column_ps

    def _refresh(self, time_ps: int) -> None:
        """Refreshes that were due up to ``time_ps``: each closes all rows and blocks the channel for tRFC."""
        close_ps = self._close_ps()
        missed = (time_ps - self._next_refresh_ps) // self._refi_ps
        self.refreshes += missed + 1
        due_ps = self._next_refresh_ps + missed * self._refi_ps
        self._next_refresh_ps = due_ps + self._refi_ps
        start_ps = max(due_ps, self._bus_free_ps)
        if self._open_since_ps is not None:
            self.active_ps += close_ps - self._open_since_ps
            self._open_since_ps = None
            start_ps = max(start_ps, close_ps + self._rp_ps)
        for bank in self._banks:
            bank.row = None
            bank.activate_ps = start_ps + self._rfc_ps

    def finish(self, now_ps: int) -> None:
        """Count open rows, and the refreshes of idle time, up to the end of the run."""
        if self._open_since_ps is not None:
            self.active_ps += min(now_ps, self._close_ps()) - self._open_since_ps
            self._open_since_ps = None
        if now_ps >= self._next_refresh_ps:
            self._refresh(now_ps)

    def _close_ps(self) -> int:
        """When the next refresh can close the rows."""
        return max(self._next_refresh_ps, self._bus_free_ps, *(bank.precharge_ps for bank in self._banks))
