"""Weight formats: exact round trips, and sizes from the definition, from the encoded arrays and from SciPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from soc_sim.sparsity.formats import FORMATS

EACH = pytest.mark.parametrize("weight_format", list(FORMATS.values()), ids=list(FORMATS))
GRID = st.integers(1, 8)


@st.composite
def matrices(draw: Any) -> Any:
    """Matrices with single zeros, zero rows and zero columns, from none to all of it, in several number types."""
    m, k = draw(st.integers(1, 25)), draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    matrix = rng.integers(-127, 128, (m, k)).astype(draw(st.sampled_from(["int8", "int64", "float32"])))
    for shape in ((m, k), (m, 1), (1, k)):
        matrix = matrix * (rng.random(shape) < draw(st.sampled_from([0.0, 0.3, 0.8, 1.0])))
    return matrix


@EACH
@given(matrix=matrices(), rows=GRID, cols=GRID)
def test_decoding_gives_back_what_was_encoded(weight_format: Any, matrix: Any, rows: int, cols: int) -> None:
    decoded = weight_format.encode(matrix, rows, cols).decode()
    np.testing.assert_array_equal(decoded, matrix)
    assert decoded.dtype == matrix.dtype


@EACH
@given(matrix=matrices(), rows=GRID, cols=GRID)
def test_the_size_from_the_bitmap_is_that_of_the_encoded_arrays(
    weight_format: Any, matrix: Any, rows: int, cols: int
) -> None:
    assert weight_format.size(matrix != 0, rows, cols) == weight_format.encode(matrix, rows, cols).size


def tiles(matrix: Any, rows: int, cols: int) -> list[Any]:
    m, k = matrix.shape
    return [matrix[i : i + rows, j : j + cols] for i in range(0, m, rows) for j in range(0, k, cols)]


@given(matrix=matrices(), rows=GRID, cols=GRID)
def test_a_bitmap_tile_takes_its_columns_its_kept_columns_and_its_values(matrix: Any, rows: int, cols: int) -> None:
    # C + R·cols + b·nnz of every tile of R × C, b = 8
    expected = sum(
        tile.shape[1] + tile.shape[0] * int((tile != 0).any(axis=0).sum()) + 8 * np.count_nonzero(tile)
        for tile in tiles(matrix, rows, cols)
    )
    assert FORMATS["two_stage_bitmap"].size(matrix != 0, rows, cols).bits(8) == expected


@given(matrix=matrices(), rows=GRID, cols=GRID)
def test_a_structured_block_takes_its_indices_its_counters_and_its_kernel(matrix: Any, rows: int, cols: int) -> None:
    expected = 0
    for tile in tiles(matrix, rows, cols):
        p, q = int((tile != 0).any(axis=1).sum()), int((tile != 0).any(axis=0).sum())
        expected += p * math.ceil(math.log2(rows)) + q * math.ceil(math.log2(cols)) + p * q * 8
        expected += math.ceil(math.log2(rows + 1)) + math.ceil(math.log2(cols + 1))
    assert FORMATS["csb"].size(matrix != 0, rows, cols).bits(8) == expected


@given(matrix=matrices())
def test_compressed_rows_hold_the_arrays_of_scipy(matrix: Any) -> None:
    sparse = csr_array(matrix)
    encoded: Any = FORMATS["csr"].encode(matrix, 4, 4)
    np.testing.assert_array_equal(encoded.columns, sparse.indices)
    np.testing.assert_array_equal(encoded.row_pointers, sparse.indptr)
    np.testing.assert_array_equal(encoded.values, sparse.data)
    column_bits, pointer_bits = math.ceil(math.log2(matrix.shape[1])), math.ceil(math.log2(sparse.nnz + 1))
    assert encoded.size.metadata_bits == sparse.indices.size * column_bits + sparse.indptr.size * pointer_bits


def test_dense_stores_every_element() -> None:
    assert FORMATS["dense"].size(np.eye(3, 5, dtype=bool), 2, 2).bits(8) == 3 * 5 * 8
