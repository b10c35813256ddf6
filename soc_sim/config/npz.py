"""Arrays by name from a file that numpy has written."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.errors import InputError


def read_npz(path: str | Path, key: str) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an .npz file.

    Args:
        path: The file.
        key: What names it: an option, or the path of a configuration.

    Raises:
        InputError: there is no such file, or it is none that ``numpy.savez`` writes.
    """
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.lib.npyio.NpzFile):
            with file:
                return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"{key}: no such file: '{path}'") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        pass
    raise InputError(f"{key}: '{path}' is no readable .npz file; allowed: what numpy.savez writes")
