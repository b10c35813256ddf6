"""A transfer: what travels from an initiator to a target as one event, at most one chunk of a region of memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Transfer:
    """Lines of bytes to read or write. The target sets the times, and calls ``done`` once the last byte is served.

    It travels as it is: ``Simulation.send`` queues it for its receiver.
    """

    __slots__ = (
        "address",
        "arrived_ps",
        "credit_ps",
        "data_end_ps",
        "data_ps",
        "data_start_ps",
        "delivered_ps",
        "done",
        "held_ps",
        "initiator",
        "layer",
        "line_bytes",
        "lines",
        "memory",
        "others_ps",
        "pitch_bytes",
        "priority",
        "receiver",
        "refresh_ps",
        "requests",
        "row_ps",
        "served_ps",
        "submitted_ps",
        "waited_for",
        "write",
    )

    def __init__(
        self,
        initiator: str,
        memory: str,
        write: bool,
        address: int,
        line_bytes: int,
        lines: int,
        pitch_bytes: int,
        requests: int,
        layer: int,
        done: Callable[[Transfer], None],
    ) -> None:
        self.initiator = initiator
        self.memory = memory
        self.write = write
        self.address = address
        self.line_bytes = line_bytes
        self.lines = lines
        self.pitch_bytes = pitch_bytes
        self.requests = requests
        """Bus requests it stands for."""
        self.layer = layer
        self.done = done
        self.receiver = done
        """Whom it reaches next, while it is sent."""
        self.data_start_ps = 0
        """First data on the memory's side."""
        self.data_end_ps = 0
        """Last data; of a write that arrives, when the last data will be offered."""
        self.priority = 0
        """Set by the interconnect: the larger, the more urgent; 0 where nobody has a priority."""
        # What follows is kept for the reasons of a wait (``reasons.py``); nothing is decided by it.
        self.credit_ps = 0
        """The initiator could have sent it earlier by so much, had its limit of requests under way allowed it."""
        self.submitted_ps = 0
        """When it left the initiator."""
        self.data_ps = 0
        """What its bytes take at the memory's peak rate."""
        self.row_ps = 0
        """Of its service: rows were closed or opened, and nothing else could be done for it."""
        self.refresh_ps = 0
        """Of its service: the memory refreshed."""
        self.held_ps = 0
        """It was not let in for so long, because the memory changed its clock."""
        self.others_ps = 0
        """Between its submission and the end of its service the memory moved data of other initiators for so long."""
        self.waited_for = ""
        """The last other initiator that was served in that time."""
        self.served_ps = 0
        """When the memory was done with it."""
        self.delivered_ps = 0
        """When its last data left the interconnect, latency not counted."""
        self.arrived_ps: int | None = None
        """When it was there, where the initiator still had to work on it before it counted as complete."""

    @property
    def size_bytes(self) -> int:
        """Bytes moved."""
        return self.line_bytes * self.lines

    def accesses(self, unit_bytes: int) -> int:
        """Aligned units of ``unit_bytes`` that the lines touch, each line for itself."""
        if self.lines == 1 or self.pitch_bytes % unit_bytes == 0:
            first = self.address // unit_bytes
            return self.lines * ((self.address + self.line_bytes - 1) // unit_bytes - first + 1)
        starts = range(self.address, self.address + self.lines * self.pitch_bytes, self.pitch_bytes)
        return sum((start + self.line_bytes - 1) // unit_bytes - start // unit_bytes + 1 for start in starts)


def chunks(
    address: int, line_bytes: int, lines: int, pitch_bytes: int, chunk_bytes: int, burst_bytes: int, most_requests: int
) -> Iterator[tuple[int, int, int, int]]:
    """Split a region into (address, bytes a line, lines, requests) of at most ``chunk_bytes`` and ``most_requests``.

    A request is at most ``burst_bytes`` of one line. Contiguous lines count as one line. A line that is too long is cut
    where bursts end, so that no burst is fetched twice.
    """
    if lines > 1 and pitch_bytes == line_bytes:
        line_bytes, lines = line_bytes * lines, 1
    requests_of_line = -(-line_bytes // burst_bytes)
    if requests_of_line > most_requests or line_bytes > chunk_bytes:
        piece_bytes = max(burst_bytes, min(chunk_bytes // burst_bytes, most_requests) * burst_bytes)
        for start in range(address, address + lines * pitch_bytes, pitch_bytes) if lines > 1 else (address,):
            into_burst = start % burst_bytes
            for offset in range(-into_burst, line_bytes, piece_bytes):
                first, end = max(0, offset), min(offset + piece_bytes, line_bytes)
                yield start + first, end - first, 1, -(-(end - offset) // burst_bytes)
        return
    most_lines = max(1, min(chunk_bytes // line_bytes, most_requests // requests_of_line))
    for line in range(0, lines, most_lines):
        count = min(most_lines, lines - line)
        yield address + line * pitch_bytes, line_bytes, count, count * requests_of_line
