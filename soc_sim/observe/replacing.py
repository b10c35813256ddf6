"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soc_sim.errors import InputError


@contextmanager
def replacing(path: Path, *, binary: bool = False) -> Iterator[Any]:
    """A file that takes the place of ``path`` when the block ends well; else ``path`` stays as it was.

    It is a UTF-8 text file, or a binary one. Folders that do not exist are created.

    Raises:
        InputError: the place cannot be written, or holds something other than a file (a folder, a device).
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise InputError(f"{path}: is there already and is not a file; name a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") if binary else temporary.open("w", encoding="utf-8", newline="") as file:
                yield file
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
