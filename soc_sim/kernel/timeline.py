"""A rate-limited resource that serves in order of booking (data bus, crossbar path, SRAM port). Costs no event."""

from __future__ import annotations


class Timeline:
    """Booked when a transfer arrives; bookings never overlap."""

    __slots__ = ("busy_ps", "free_ps")

    def __init__(self) -> None:
        self.free_ps = 0
        """When the last booking ends."""
        self.busy_ps = 0
        """Sum of all bookings."""

    def busy_until(self, now_ps: int) -> int:
        """Of all bookings, the time up to now; what lies after it has no gaps, as nobody books ahead."""
        return self.busy_ps - max(0, self.free_ps - now_ps)

    def book(self, earliest_ps: int, duration_ps: int) -> int:
        """Book ``duration_ps`` from ``earliest_ps`` on, or as soon as the resource is free; the start is returned."""
        start_ps = self.free_ps if self.free_ps > earliest_ps else earliest_ps
        self.free_ps = start_ps + duration_ps
        self.busy_ps += duration_ps
        return start_ps
