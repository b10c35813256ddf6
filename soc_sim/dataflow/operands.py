"""The operands of a GEMM: from ``.npy`` files, or random integers from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soc_sim.dataflow.execute import largest_sum
from soc_sim.errors import InputError

Matrix = npt.NDArray[Any]


def load_operands(weights: Path, inputs: Path) -> tuple[Matrix, Matrix]:
    """W (m × k) and X (k × n) from files, both as int64 if both are integers, else both as float64.

    Raises:
        InputError: A file is missing, is no ``.npy`` array of finite numbers in two dimensions, the sizes do not fit
            together, or integer sums could exceed 63 bits.
    """
    faults: list[str] = []
    loaded = []
    for option, path in (("--weights", weights), ("--inputs", inputs)):
        try:
            loaded.append(_load(f"{option} {path}", path))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(*faults)
    w, x = loaded
    if w.shape[1] != x.shape[0]:
        raise InputError(
            f"--inputs {inputs}: {x.shape[0]} rows do not match the {w.shape[1]} columns of {weights}; "
            "allowed: weights M×K and inputs K×N"
        )
    if w.dtype != x.dtype:
        return w.astype(np.float64), x.astype(np.float64)
    if w.dtype.kind == "i" and largest_sum(w, x) >= 2**63:
        raise InputError(
            f"--weights {weights}: sums with {inputs} could exceed 63 bits; allowed: smaller integers, or float64"
        )
    return w, x


def random_operands(m: int, k: int, n: int, seed: int) -> tuple[Matrix, Matrix]:
    """W (m × k) and X (k × n) of int8 values without zero, as int64: the same for the same seed.

    Raises:
        InputError: A size is not positive, the seed is negative, or the matrices do not fit in memory.
    """
    faults = [
        f"-{name}: {size} is out of range; allowed: a whole number, at least 1"
        for name, size in (("m", m), ("k", k), ("n", n))
        if size < 1
    ]
    if seed < 0:
        faults.append(f"--seed: {seed} is out of range; allowed: a whole number, at least 0")
    if faults:
        raise InputError(*faults)
    rng = np.random.default_rng(seed)
    try:
        return _without_zero(rng, m, k), _without_zero(rng, k, n)
    except (MemoryError, ValueError):
        raise InputError(f"-m {m} -k {k} -n {n}: the matrices do not fit in memory; allowed: smaller sizes") from None


def _without_zero(rng: np.random.Generator, rows: int, cols: int) -> Matrix:
    # 0 … 253 onto −127 … −1 and 1 … 127
    values = rng.integers(0, 254, (rows, cols)) - 127
    values[values >= 0] += 1
    return values


def _load(what: str, path: Path) -> Matrix:
    try:
        with path.open("rb") as file:
            matrix: Matrix = np.lib.format.read_array(file, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{what}: no such file") from None
    except OSError as error:
        raise InputError(f"{what}: cannot be read: {error.strerror}") from None
    except (ValueError, EOFError, MemoryError):
        raise InputError(f"{what}: not a readable .npy file; allowed: an array written by numpy.save") from None
    if matrix.dtype.kind not in "biuf":
        raise InputError(f"{what}: elements of type {matrix.dtype}; allowed: integers and real numbers")
    if matrix.ndim != 2:
        raise InputError(f"{what}: {matrix.ndim} dimensions; allowed: 2")
    if matrix.size == 0:
        raise InputError(
            f"{what}: no elements, its shape is {matrix.shape[0]}×{matrix.shape[1]}; allowed: at least 1×1"
        )
    if matrix.dtype.kind == "f":
        with np.errstate(over="ignore"):  # wider than float64: beyond its range is as bad as infinity
            matrix = matrix.astype(np.float64)
        if not np.isfinite(matrix).all():
            raise InputError(f"{what}: contains NaN or infinity; allowed: finite numbers")
        return matrix
    if matrix.dtype.kind == "u" and matrix.max() >= 2**63:
        raise InputError(f"{what}: contains integers beyond 63 bits; allowed: up to {2**63 - 1}")
    return matrix.astype(np.int64)
