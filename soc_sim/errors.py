"""Every error a user can meet, with the exit code of the command line.

SimPy re-raises by ``type(exc)(*exc.args)``: constructors take positional arguments only and keep them as ``args``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SocSimError(Exception):
    """Base of all errors that are reported as a message, never as a traceback."""

    exit_code = 1


class InputError(SocSimError):
    """Faults in what the user handed in: one line each, all of them at once."""

    exit_code = 2

    def __init__(self, *faults: str) -> None:
        super().__init__(*faults)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(self.faults)


class ConfigurationError(InputError):
    """A description (YAML, ``--set``, Python) that is wrong."""


class NetworkError(InputError):
    """A network that cannot be read or contains something nobody knows."""


class MappingError(InputError):
    """A network that cannot be mapped onto an SoC, for example because one tile exceeds a buffer."""


class MissingExtraError(InputError):
    """An optional library is needed; the message names the extra that installs it."""


class DeadlockError(SocSimError):
    """The simulation can make no progress; the lines say who waits for what."""

    exit_code = 3

    def __init__(self, *waits: str) -> None:
        super().__init__(*waits)
        self.waits = waits

    def __str__(self) -> str:
        return "\n".join(("the simulation can make no progress:", *self.waits))


class VerificationError(SocSimError):
    """Numbers that should agree do not."""

    exit_code = 4


def suggestion(word: str, choices: Iterable[str]) -> str:
    """The end of a message about an unknown name: the closest known one, if any is close.

    >>> suggestion("rws", ["rows", "cols"])
    "; did you mean 'rows'?"
    """
    known = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f"; did you mean '{known[close[0]]}'?" if close else ""
