"""More images for repair: shifted copies, and the validation part once all choices are made."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")

from soc_sim.config.loader import load
from soc_sim.config.prune import Data, Prune
from soc_sim.errors import InputError
from soc_sim.explore.pruning.data import with_copies
from soc_sim.explore.pruning.job import search_of

QUICK = ["target={sparsity: 0.5}", "pruning.step=0.3", "pruning.saving=none", "repair.rectified_passes=3"]


def test_copies_are_the_images_moved_by_at_most_a_pixel() -> None:
    images = np.random.default_rng(0).random((40, 1, 6, 7)).astype(np.float32)
    found = with_copies(images, Data(source="digits", shifted_copies=2, seed=3))
    assert found.shape == (120, 1, 6, 7)
    assert (found[:40] == images).all()
    moves = set()
    for copy, image in zip(found[40:], np.concatenate((images, images)), strict=True):
        padded = np.pad(image[0], 1, mode="edge")
        fitting = [(y, x) for y in range(3) for x in range(3) if (padded[y : y + 6, x : x + 7] == copy[0]).all()]
        assert len(fitting) == 1
        moves.add(fitting[0])
    assert len(moves) == 9
    assert (with_copies(images, Data(source="digits", shifted_copies=2, seed=3)) == found).all()


def test_no_copies_unless_asked_for_and_none_of_lists_of_numbers() -> None:
    images = np.zeros((40, 36), np.float32)
    assert with_copies(images, Data(source="digits")) is images
    with pytest.raises(InputError, match=r"data\.shifted_copies: images of 'digits' have no rows and columns"):
        with_copies(images, Data(source="digits", shifted_copies=1))


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
