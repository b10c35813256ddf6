"""Ctrl-C while a simulation runs: heard at once, followed between two events.

A KeyboardInterrupt anywhere else would leave half an event done. And Python looks for signals while it multiplies large
integers, where compiled code takes any exception for a lack of memory and aborts the process.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Interruption:
    """Stands in for Python's handler of SIGINT as long as it is entered; leaving it raises what was asked for.

    Where there is none of Python's, because a program has its own or this is another thread, nothing changes.
    """

    def __init__(self) -> None:
        self.asked = False
        """Whether to stop."""
        self._replaced = False

    def _ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 # what a handler is given
        if self.asked:  # and nobody listens: an event without end
            raise KeyboardInterrupt
        self.asked = True

    def __enter__(self) -> Interruption:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._ask)
            self._replaced = True
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._replaced:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.asked and kind is None:
            raise KeyboardInterrupt
