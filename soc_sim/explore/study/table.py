"""The rows of a study, kept as CSV from entry to entry; several processes may write into one file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soc_sim.config.study import Study
from soc_sim.errors import InputError
from soc_sim.explore.study.entries import Entry, Key, keys_of
from soc_sim.observe.replacing import replacing

try:
    import fcntl
except ImportError:  # Windows: one process at a time
    fcntl = None  # type: ignore[assignment]

COLUMNS = (
    "network", "array", "pattern", "level", "sparsity", "accuracy_drop",
    "speedup_compute", "speedup_dram", "speedup_host",
    "dense_compute_cycles", "compute_cycles", "dense_array_s", "array_s", "dense_latency_s", "latency_s",
    "dense_energy_j", "energy_j", "dense_dataflows", "dataflows",
)  # fmt: skip


class Table:
    """The entries of one folder; every new one is written at once, so that an interrupted study goes on later."""

    def __init__(self, path: Path) -> None:
        """Reads ``path``, if it is there.

        Raises:
            InputError: it is no table of a study.
        """
        self.path = path
        self.rows: dict[Key, dict[str, str]] = {}
        self.read()

    def __contains__(self, key: Key) -> bool:
        return key in self.rows

    def read(self) -> None:
        """Take in what other processes have written.

        Raises:
            InputError: the file is no table of a study.
        """
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise InputError(f"{self.path}: is no table of a study; name another folder, or remove the file")
            for row in reader:
                try:
                    key = Key(row["network"], int(row["array"]), row["pattern"], float(row["level"]))  # type: ignore[arg-type]
                except (TypeError, ValueError):
                    raise InputError(
                        f"{self.path}:{reader.line_num}: is no entry of a study; remove the line"
                    ) from None
                self.rows[key] = row

    def add(self, entry: Entry, study: Study) -> None:
        """Keep one entry, in the order of the study."""
        order = {key: position for position, key in enumerate(keys_of(study))}
        with _alone(self.path):
            self.read()
            self.rows[entry.key] = {name: _text(value) for name, value in _row(entry).items()}
            with replacing(self.path) as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(
                    self.rows[key] for key in sorted(self.rows, key=lambda key: (order.get(key, len(order)), key))
                )

    def curve(self, network: str, array: int, pattern: str, scope: str) -> list[tuple[float, float]]:
        """(level, speedup) of what is there, rising levels, dense included."""
        points = [
            (key.level, float(row[f"speedup_{scope}"]))
            for key, row in self.rows.items()
            if (key.network, key.array, key.pattern) == (network, array, pattern)
        ]
        return [(0.0, 1.0), *sorted(points)]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process is in here for the same file; a lock that ends with the process that holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f".{path.name}.lock").open("w") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _row(entry: Entry) -> dict[str, Any]:
    key, dense, sparse = entry.key, entry.dense, entry.sparse
    return {
        "network": key.network,
        "array": key.array,
        "pattern": key.pattern,
        "level": key.level,
        "sparsity": entry.sparsity,
        "accuracy_drop": entry.accuracy_drop,
        "speedup_compute": dense.compute_cycles / max(1, sparse.compute_cycles),
        "speedup_dram": dense.array_s / sparse.array_s,
        "speedup_host": dense.latency_s / sparse.latency_s,
        "dense_compute_cycles": dense.compute_cycles,
        "compute_cycles": sparse.compute_cycles,
        "dense_array_s": dense.array_s,
        "array_s": sparse.array_s,
        "dense_latency_s": dense.latency_s,
        "latency_s": sparse.latency_s,
        "dense_energy_j": dense.energy_j,
        "energy_j": sparse.energy_j,
        "dense_dataflows": dense.dataflows,
        "dataflows": sparse.dataflows,
    }


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
