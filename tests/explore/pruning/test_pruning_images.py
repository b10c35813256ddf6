"""Images of the validation part that repair sees once all choices are made."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")

from soc_sim.config.loader import load
from soc_sim.config.prune import Prune
from soc_sim.explore.pruning.job import search_of

QUICK = ["target={sparsity: 0.5}", "pruning.step=0.3", "pruning.saving=none", "repair.rectified_passes=3"]


def test_the_chosen_level_is_reached_again_with_all_images() -> None:
    """The same sparsity within a unit, weights of another fit, and the accuracy of the walk that had not seen them."""
    search = search_of(load("prune_digits", Prune, QUICK))
    found = search.run()
    assert found is not None
    again = search.again(found)
    assert again.sparsity == pytest.approx(found.sparsity, abs=16 / 17_024)
    assert again.accuracy == found.accuracy
    layer = found.model.layers[0]
    assert (again.model.weights(layer)[~again.masks[layer.name]] == 0).all()
    assert not np.array_equal(again.model.weights(layer), found.model.weights(layer))
    assert [level.sparsity for level in search.levels] == pytest.approx([0, 0.3, 0.5], abs=0.001)
