"""Writes and reads a trace as Parquet: one table, a row group for each block. Needs the extra ``trace``."""

from __future__ import annotations

from typing import Any, BinaryIO, Final

import numpy as np

from soc_sim.errors import MissingExtraError
from soc_sim.observe.trace.columns import Samples, Slices, Tables
from soc_sim.observe.trace.head import head_of

HEAD: Final = b"soc_sim"
"""Key of the file's metadata under which its head lies."""
_TEXTS: Final = ("detail", "track", "name", "layer")
_NUMBERS: Final = ("start_ps", "duration_ps", "instruction", "waited_for")


def arrow() -> Any:
    """PyArrow, with its Parquet module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'soc_sim[trace]'") from None
    return pa


class ParquetWriter:
    """A sink that writes row groups: texts with dictionaries, numbers as differences, compressed with zstd."""

    def __init__(self, file: BinaryIO) -> None:
        self._arrow = pa = arrow()
        text = pa.dictionary(pa.int32(), pa.string())
        self._schema = pa.schema(
            [
                *(pa.field(name, text) for name in _TEXTS),
                *(pa.field(name, pa.int64()) for name in _NUMBERS),
                pa.field("value", pa.float64()),
            ]
        )
        self._writer = pa.parquet.ParquetWriter(
            file,
            self._schema,
            compression="zstd",
            use_dictionary=list(_TEXTS),
            column_encoding=dict.fromkeys(_NUMBERS, "DELTA_BINARY_PACKED"),
            store_schema=True,
        )

    def open(self, tables: Tables) -> None:
        """Note the names."""
        self._tables = tables

    def slices(self, block: Slices) -> None:
        """Write a row group."""
        pa, tables, rows = self._arrow, self._tables, len(block)
        self._write(
            rows,
            **self._tracks(block.tracks),
            name=self._texts(block.names, tables.names),
            layer=self._texts(block.layers, tables.layers),
            start_ps=pa.array(block.starts_ps),
            duration_ps=pa.array(block.ends_ps - block.starts_ps),
            instruction=pa.array(block.instructions, mask=block.instructions < 0),
            waited_for=pa.array(block.waited_for, mask=block.waited_for < 0),
        )

    def samples(self, block: Samples) -> None:
        """Write a row group."""
        self._write(
            len(block),
            **self._tracks(block.tracks),
            name=self._texts(block.tracks, [track.unit for track in self._tables.tracks]),
            start_ps=self._arrow.array(block.times_ps),
            value=self._arrow.array(block.values),
        )

    def close(self, end_ps: int) -> None:
        """Write the head, which Parquet has at the end, and the index of row groups."""
        self._writer.add_key_value_metadata({HEAD: head_of(self._tables, end_ps).to_json().encode()})
        self._writer.close()

    def _tracks(self, numbers: Any) -> dict[str, Any]:
        tracks = self._tables.tracks
        return {
            "detail": self._texts(numbers, [track.detail for track in tracks]),
            "track": self._texts(numbers, [track.name for track in tracks]),
        }

    def _texts(self, numbers: Any, texts: Any) -> Any:
        pa = self._arrow
        missing = (numbers < 0) | (numbers >= len(texts))
        indices = pa.array(numbers.astype(np.int32), mask=missing)
        return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))

    def _write(self, rows: int, **columns: Any) -> None:
        pa = self._arrow
        arrays = [
            columns[field.name] if field.name in columns else pa.nulls(rows, field.type) for field in self._schema
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=rows)
