"""Collects what is wrong with a file, one line each, so that all faults are reported at once."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from soc_sim.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from onnx import NodeProto


class Faults:
    """The faults found so far in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []

    def add(self, text: str, node: NodeProto | None = None) -> None:
        """Notes a fault, of ``node`` if it is given; line breaks of foreign messages become spaces."""
        place = f'node "{node.name}": ' if node is not None else ""
        self.lines.append(f"{self.path}: {' '.join((place + text).split())}")

    def check(self) -> None:
        """Ends the import if there are faults.

        Raises:
            NetworkError: one line per fault, in the order found.
        """
        if self.lines:
            raise NetworkError(*dict.fromkeys(self.lines))


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """``'; did you mean "Relu"?'``, or nothing if no word is close."""
    close = get_close_matches(word, sorted(allowed), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def size(shape: Iterable[int]) -> str:
    """A shape as people write it: ``1×3×224×224``; ``scalar`` without dimensions."""
    return "×".join(map(str, shape)) or "scalar"


def reason(error: Exception) -> str:
    """The first sentence of an exception of onnx, without its own markers and context."""
    text = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return text.split("] ", 1)[-1].rstrip(". ")
