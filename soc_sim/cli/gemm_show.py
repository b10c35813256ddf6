"""``soc-sim gemm --reference --show``: the grid in every cycle, as text or as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from soc_sim.config.array import Array
from soc_sim.dataflow import GemmCounts
from soc_sim.dataflow.reference import Film
from soc_sim.errors import InputError
from soc_sim.observe.plot.grid import MOST_FRAMES, draw_grid
from soc_sim.observe.plot.picture import FORMATS
from soc_sim.observe.replacing import replacing

MOST_PES = 256
MOST_CYCLES = 2000
SUFFIXES = (".txt", *FORMATS)


def faults(target: str | None, *, reference: bool, as_json: bool) -> Iterator[str]:
    """What is wrong with ``--show``."""
    if target is None:
        return
    if not reference:
        yield "--show: shows the register-level model; allowed: together with --reference"
    if target == "-" and as_json:
        yield "--show: prints text beside the JSON document; allowed: a file, or without --json"
    if target != "-":
        path = Path(target)
        if path.suffix.lower() not in SUFFIXES:
            yield f"--show {target}: '{path.suffix}' is no format of pictures; allowed: {', '.join(SUFFIXES)}"
        if not path.absolute().parent.is_dir() or (path.exists() and not path.is_file()):
            yield f"--show {target}: cannot be written; allowed: a file in an existing folder"


def film(target: str | None, array: Array, name: str, gemm: GemmCounts) -> Film | None:
    """What collects the pictures; None where none are wanted.

    Raises:
        InputError: there would be too many of them, or they would be too large.
    """
    if target is None:
        return None
    if array.rows * array.cols > MOST_PES:
        raise InputError(f"--show: a grid of {array.rows} × {array.cols} PEs; allowed: {MOST_PES} PEs")
    most = MOST_CYCLES if target == "-" or Path(target).suffix.lower() == ".txt" else MOST_FRAMES
    if gemm.cycles > most:
        raise InputError(f"--show: {gemm.cycles} cycles; allowed: {most} for this kind of picture")
    return Film(name)


def show(film: Film, target: str) -> None:
    """Prints or writes the pictures.

    Raises:
        InputError: the file cannot be written.
        MissingExtraError: a picture was asked for and matplotlib is not installed.
    """
    if target == "-":
        print("\n".join(film.lines()))
    elif target.lower().endswith(".txt"):
        with replacing(Path(target)) as file:
            file.writelines(f"{line}\n" for line in film.lines())
    else:
        draw_grid(film).save(target)
