"""Which weights go, and what the others become, against direct computation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from soc_sim.config.sparsity import PatternName
from soc_sim.sparsity.patterns import PATTERNS
from soc_sim.sparsity.pruning import Bounds, Moments, Order, fit, second_order, select, sorted_order, units_of

RNG = np.random.default_rng(0)


def samples(k: int, count: int = 400) -> np.ndarray:
    """Correlated inputs with a constant 1 at their end."""
    x = RNG.standard_normal((count, k)) @ RNG.standard_normal((k, k))
    return np.column_stack((x, np.ones(count)))


@pytest.mark.parametrize(
    ("pattern", "height", "width"),
    [
        ("unstructured", 1, 1),
        ("tile_columns", 8, 1),
        ("tile_rows", 1, 8),
        ("channels", 1, 20),
        ("blocks", 8, 4),
        ("n_of_m", 1, 1),
    ],
)
def test_units_have_the_size_of_the_array(pattern: PatternName, height: int, width: int) -> None:
    units = units_of(pattern, 12, 20, rows=8, cols=4)
    assert (units.height, units.width) == (height, width)
    assert (units.heights.sum(), units.widths.sum()) == (12, 20)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_mask_of_units_gives_these_units_back(pattern: PatternName) -> None:
    units = units_of(pattern, 11, 13, rows=4, cols=4)
    kept = RNG.random((len(units.heights), len(units.widths))) < 0.5
    assert (units.kept(units.mask(kept)) == kept).all()


def test_least_squares_finds_weights_that_reproduce_the_outputs_exactly() -> None:
    """y depends on three inputs only: without the others the fit is perfect, from any prior."""
    x = samples(6)
    w = np.zeros((2, 7))
    w[:, [0, 2, 5, 6]] = RNG.standard_normal((2, 4))
    moments = Moments(x.T @ x / len(x), (x @ w.T).T @ x / len(x))
    mask = np.zeros((2, 6), bool)
    mask[:, [0, 2, 5]] = True
    found = fit(moments, mask, np.zeros_like(w), ridge=0.0)
    assert found == pytest.approx(w, abs=1e-6)
    assert not found[:, :-1][~mask].any()


def test_least_squares_equals_numpy() -> None:
    x, y = samples(5), RNG.standard_normal((400, 3))
    mask = RNG.random((3, 5)) < 0.6
    found = fit(Moments(x.T @ x / 400, y.T @ x / 400), mask, np.zeros((3, 6)), ridge=0.0)
    for row in range(3):
        columns = np.flatnonzero(np.append(mask[row], True))
        expected = np.linalg.lstsq(x[:, columns], y[:, row], rcond=None)[0]
        assert found[row, columns] == pytest.approx(expected, abs=1e-6)


def test_a_strong_ridge_keeps_the_prior() -> None:
    x, prior = samples(5), RNG.standard_normal((3, 6))
    moments = Moments(x.T @ x / 400, np.zeros((3, 6)))
    found = fit(moments, np.ones((3, 5), bool), prior, ridge=1e9)
    assert found == pytest.approx(prior, rel=1e-6)


def test_a_fixed_bias_stays() -> None:
    x, prior = samples(4), RNG.standard_normal((2, 5))
    y = RNG.standard_normal((400, 2))
    mask = np.ones((2, 4), bool)
    found = fit(Moments(x.T @ x / 400, y.T @ x / 400), mask, prior, ridge=0.0, bias=False)
    expected = np.linalg.lstsq(x[:, :-1], y - prior[:, -1], rcond=None)[0].T
    assert found[:, -1] == pytest.approx(prior[:, -1])
    assert found[:, :-1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("pattern", ["tile_columns", "tile_rows", "unstructured", "blocks"])
def test_the_first_unit_is_the_one_whose_loss_the_others_make_up_for_best(pattern: PatternName) -> None:
    """By trying every unit and solving least squares again."""
    x, w = samples(8), RNG.standard_normal((4, 9))
    gram = x.T @ x / len(x)
    units = units_of(pattern, 4, 8, rows=4, cols=2)
    block = w[units.rows(0)]
    order = second_order(units, block, np.ones(len(units.widths), bool), gram)
    errors = []
    for unit in range(len(units.widths)):
        columns = np.append(units.unit_of_column != unit, True)
        rest, *_ = np.linalg.lstsq(x[:, columns], x @ block.T, rcond=None)
        errors.append(((x[:, columns] @ rest - x @ block.T) ** 2).sum() / len(x))
    assert order.units[0] == np.argmin(errors)
    size = len(block) * units.width
    assert order.costs[0] * size == pytest.approx(min(errors), rel=1e-6)


def test_greedy_removal_tells_the_error_that_least_squares_reaches() -> None:
    """The sum of the losses on the way is the error of the best fit of what is left (single columns)."""
    x, w = samples(8), RNG.standard_normal((4, 9))
    gram = x.T @ x / len(x)
    units = units_of("tile_columns", 4, 8, rows=4, cols=4)
    order = second_order(units, w, np.ones(8, bool), gram)
    mask = np.ones((4, 8), bool)
    mask[:, order.units[:3]] = False
    found = fit(Moments(gram, w @ gram), mask, w, ridge=0.0)
    error = (((found - w) @ gram) * (found - w)).sum()
    assert error <= (order.costs[:3] * order.sizes[:3]).sum() * (1 + 1e-9)  # costs never fall, errors of a step may


def test_norms_go_from_small_to_large() -> None:
    units = units_of("tile_columns", 2, 4, rows=2, cols=2)
    w = np.array([[3.0, 0.0, 1.0, 2.0], [4.0, 0.5, 1.0, 0.0]])
    order = sorted_order(units, w, np.ones(4, bool))
    assert order.units.tolist() == [1, 2, 3, 0]
    assert order.costs.tolist() == pytest.approx([0.25, 2**0.5 / 2, 1.0, 2.5])
    strong = sorted_order(units, w, np.ones(4, bool), rms=np.array([0.01, 10.0, 1.0, 1.0]))
    assert strong.units.tolist() == [0, 2, 3, 1]


def test_two_of_four_leaves_two_of_each_four() -> None:
    units = units_of("n_of_m", 3, 12, rows=4, cols=4, level=0.5)
    x = samples(12)
    for block in range(3):
        order = second_order(units, RNG.standard_normal((1, 13)), np.ones(12, bool), x.T @ x / len(x))
        kept = np.ones(12, bool)
        kept[order.units] = False
        assert kept.reshape(3, 4).sum(axis=1).tolist() == [2, 2, 2], block


def order(costs: list[float], size: int = 1) -> Order:
    return Order(np.arange(len(costs)), np.array(costs), np.full(len(costs), size))


def test_selection_takes_the_cheapest_of_all_layers() -> None:
    orders = {"a": [order([1, 2, 9]), order([3, 4, 5])], "b": [order([0.5, 6, 7])]}
    assert select(orders, 4) == {"a": [2, 1], "b": [1]}


def test_a_price_moves_pruning_to_other_layers() -> None:
    orders = {"a": [order([1, 2, 3])], "b": [order([1, 2, 3])]}
    assert select(orders, 3, price={"a": 100, "b": 1}) == {"a": [0], "b": [3]}


def test_bounds_hold() -> None:
    orders = {"a": [order([1, 2, 3])], "b": [order([10, 20, 30])]}
    bounds = {"a": Bounds(0, 1), "b": Bounds(2, 3)}
    assert select(orders, 3, bounds=bounds) == {"a": [1], "b": [2]}


def test_selection_is_as_good_as_the_best_of_all_choices() -> None:
    """With units of one size, the greedy choice is the cheapest of that many (costs never fall within a block)."""
    costs = [sorted(RNG.random(3).tolist()) for _ in range(3)]
    taken = select({"a": [order(row) for row in costs]}, 4)["a"]
    total = sum(sum(row[:count]) for row, count in zip(costs, taken, strict=True))
    choices = [c for c in itertools.product(range(4), repeat=3) if sum(c) == 4]
    assert total == pytest.approx(min(sum(sum(r[:n]) for r, n in zip(costs, c, strict=True)) for c in choices))
