"""Seeded weights beside those of trained networks: their spread, and what pruning by norm leaves of either."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soc_sim.sparsity import realistic
from soc_sim.sparsity.patterns import prune
from soc_sim.sparsity.realistic import realistic_weights

MODELS = ("ch_PP-OCRv4_det_infer", "ch_PP-OCRv4_rec_infer", "ch_ppocr_mobile_v2.0_cls_infer")
Floats = NDArray[np.float64]


@cache
def trained() -> list[Floats]:
    """m × channels × kernel of each layer of at least 16 × 16 and 4,096 weights."""
    onnx = pytest.importorskip("onnx")
    package = find_spec("rapidocr_onnxruntime")  # to import it would need more than its models
    if package is None or package.origin is None:
        pytest.skip("rapidocr-onnxruntime is not installed")
    found = []
    for model in MODELS:
        graph = onnx.load(Path(package.origin).parent / "models" / f"{model}.onnx").graph
        values = {entry.name: entry for entry in graph.initializer}
        values |= {node.output[0]: node.attribute[0].t for node in graph.node if node.op_type == "Constant"}
        for node in graph.node:
            groups = next((entry.i for entry in node.attribute if entry.name == "group"), 1)
            if node.op_type not in ("Conv", "MatMul") or node.input[1] not in values or groups > 1:
                continue
            w = onnx.numpy_helper.to_array(values[node.input[1]]).astype(np.float64)
            if node.op_type == "MatMul" and w.ndim != 2:
                continue
            w = w.reshape(*w.shape[:2], -1) if node.op_type == "Conv" else w.T[:, :, None]
            if min(w.shape[:2]) >= 16 and w.size >= 4096:
                found.append(w)
    return found


@cache
def seeded() -> list[Floats]:
    """The same shapes."""
    return [
        realistic_weights(1, *w.shape, seed).astype(np.float64).reshape(w.shape) for seed, w in enumerate(trained())
    ]


def spreads(w: Floats) -> tuple[float, float, float, float]:
    """Scale, output channels, input channels, kurtosis, as ``realistic`` defines them."""
    outputs, inputs = (np.sqrt((w**2).mean(axis)).clip(1e-9) for axis in ((1, 2), (0, 2)))
    single = w / outputs[:, None, None] / inputs[:, None]
    single = single - single.mean()
    return (
        float(np.log(w.std() * np.sqrt(w[0].size / 2))),
        float(np.log(outputs).std()),
        float(np.log(inputs).std()),
        float((single**4).mean() / (single**2).mean() ** 2),
    )


def test_constants_are_the_medians_of_trained_layers() -> None:
    measured = np.array([spreads(w) for w in trained()])
    assert len(measured) == 62
    scale, outputs, inputs, kurtosis = np.median(measured, axis=0)
    assert scale == pytest.approx(realistic.LOG_SCALE[0], abs=0.005)
    assert 1.4826 * np.median(np.abs(measured[:, 0] - scale)) == pytest.approx(realistic.LOG_SCALE[1], abs=0.005)
    assert outputs == pytest.approx(realistic.OUTPUT_SPREAD, abs=0.005)
    assert inputs == pytest.approx(realistic.INPUT_SPREAD, abs=0.005)
    assert kurtosis == pytest.approx(realistic.KURTOSIS, abs=0.05)


def test_a_large_seeded_layer_spreads_as_it_should() -> None:
    scale, outputs, inputs, kurtosis = spreads(
        realistic_weights(1, 512, 512, 9, 1).astype(np.float64).reshape(512, 512, 9)
    )
    assert abs(scale - realistic.LOG_SCALE[0]) < 3 * realistic.LOG_SCALE[1]
    assert outputs == pytest.approx(realistic.OUTPUT_SPREAD, rel=0.1)
    assert inputs == pytest.approx(realistic.INPUT_SPREAD, rel=0.1)
    assert kurtosis == pytest.approx(realistic.KURTOSIS, rel=0.1)


@pytest.mark.parametrize("level", [0.5, 0.7])
@pytest.mark.parametrize("rows", [8, 16])
def test_pruned_row_blocks_are_as_unequal_as_those_of_trained_layers(rows: int, level: float) -> None:
    """Spread of the tile columns that blocks keep: the median lies between the quartiles of the trained layers, where
    random zeros of the same level do not."""

    def spread(w: Floats, weights: Floats | None) -> float:
        m, k = w.shape[0], w[0].size
        kept = prune("tile_columns", m, k, level, rows=rows, cols=rows, seed=1, weights=weights)
        of_block = kept[::rows].sum(axis=1)
        return float(of_block.std() / of_block.mean())

    layers = [(real, made) for real, made in zip(trained(), seeded(), strict=True) if len(real) >= 4 * rows]
    real = [spread(w, w.reshape(len(w), -1)) for w, _ in layers]
    low, high = np.quantile(real, [0.25, 0.75])
    assert low < np.median([spread(w, w.reshape(len(w), -1)) for _, w in layers]) < high
    assert np.median([spread(w, None) for w, _ in layers]) < low
