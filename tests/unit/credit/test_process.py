"""The Gaussian process on subsets, against brute force over all subsets and against scikit-learn."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice, product
from math import comb

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Kernel

from diffusion_credit.base.errors import UserError
from diffusion_credit.credit.estimators import banzhaf as banzhaf_estimator
from diffusion_credit.credit.estimators import exact, gaussian_process
from diffusion_credit.credit.prediction import predict
from diffusion_credit.credit.process.corrected import Corrected
from diffusion_credit.credit.process.covariance import ORDERS
from diffusion_credit.credit.process.harmonics import harmonic
from diffusion_credit.credit.process.likelihood import Alike, Data, Likelihood
from diffusion_credit.credit.process.posterior import Process, Semivalues, Subsets
from diffusion_credit.credit.semivalues import banzhaf, beta_shapley, leave_one_out, shapley
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.subsets.draws import paired_stratified
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import Reserved

SHAPLEY = {"of": "shapley"}

SEMIVALUES = {
    "shapley": shapley,
    "banzhaf": banzhaf,
    "beta-shapley": lambda n: beta_shapley(n, 4.0, 1.0),
    "leave-one-out": leave_one_out,
}


def proper(n: int) -> np.ndarray:
    return np.array([row for row in product([False, True], repeat=n) if 0 < sum(row) < n])


def data(n: int, rows: int, seed: int, regimes: int = 1) -> Data:
    """A game with interactions, measured with noise on some subsets, several times on some of these.

    In a second regime with half as many subsets, some of them of the first.
    """
    rng = np.random.default_rng(seed)
    members = rng.permutation(proper(n))[:rows]
    gain = np.triu(rng.normal(size=(n, n)), 1)
    mean = (
        members @ rng.normal(size=n) + np.einsum("ri,ij,rj->r", members, gain, members) + rng.normal(size=len(members))
    )
    regime = np.zeros(len(members), dtype=int)
    if regimes == 2:
        again = rng.permutation(len(proper(n)))[: len(members) // 2 + 1]
        other = 0.7 * proper(n)[again] @ rng.normal(size=n) - 5
        members, mean = np.concatenate([members, proper(n)[again]]), np.append(mean, other)
        regime = np.append(regime, np.ones(len(again), dtype=int))
    freedom = np.tile(np.where((np.arange(n + 1) > 0) & (np.arange(n + 1) < n), 3, 0), (regimes, 1))
    squares = freedom * rng.gamma(2, 0.5, (regimes, n + 1))
    return Data(members, mean, rng.integers(1, 4, len(members)), squares, freedom, regime)


def coefficients(n: int, predecessors: np.ndarray) -> np.ndarray:
    """A semivalue by its definition, but for the ends: (n, proper subsets)."""
    found = []
    for i in range(n):
        row = []
        for subset in proper(n):
            others = int(subset.sum() - subset[i])
            row.append((1 if subset[i] else -1) * predecessors[others] / comb(n - 1, others))
        found.append(row)
    return np.array(found)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_harmonics_are_projections_on_the_orders(n: int) -> None:
    members = np.array(list(product([0, 1], repeat=n)))
    size, common = members.sum(axis=1), members @ members.T
    everything = [harmonic(n, j, size[:, None], size[None], common) for j in range(n // 2 + 1)]
    for j, one in enumerate(everything):
        dimension = comb(n, j) - (comb(n, j - 1) if j else 0)  # of the order, the same at every size that has it
        assert np.linalg.matrix_rank(one, tol=1e-8) == dimension
        assert np.linalg.eigvalsh(one).min() > -1e-9
        has = (size >= j) & (size <= n - j)
        assert np.allclose(np.diag(one), has, atol=1e-12)
        for other in everything[:j]:
            assert np.allclose(one @ other, 0, atol=1e-8)


@pytest.mark.parametrize("regimes", [1, 2])
@pytest.mark.parametrize("rows", [5, 30])
@pytest.mark.parametrize("n", [3, 4, 7])
def test_the_gradient_is_that_of_the_loss(n: int, rows: int, regimes: int) -> None:
    likelihood = Likelihood(n, data(n, rows, 1, regimes))
    mean, deviation = likelihood.family.prior
    v = mean + 0.5 * deviation * np.random.default_rng(2).normal(size=len(mean))
    step = 1e-5
    differences = [
        (likelihood.loss(v + each)[0] - likelihood.loss(v - each)[0]) / (2 * step) for each in np.eye(len(v)) * step
    ]
    found = likelihood.loss(v)[1]
    assert np.allclose(found, differences, atol=1e-6 * np.abs(found).max())


@pytest.mark.parametrize("regimes", [1, 2])
@pytest.mark.parametrize("name", SEMIVALUES)
@pytest.mark.parametrize("n", [2, 3, 6, 8])
def test_semivalues_in_closed_form_equal_those_over_all_subsets(n: int, name: str, regimes: int) -> None:
    known = data(n, 20, 3, regimes)
    process = Process(n, known)
    predecessors = SEMIVALUES[name](n)
    weights = coefficients(n, predecessors)
    mean, covariance = process.answer(Semivalues(predecessors))

    means, spreads = [], []
    for v in process.points:
        tables = process.likelihood.family.tables(v)
        every, most, last = proper(n), len(tables.orders) - 1, regimes - 1
        prior = Alike(n, most, every, every, last, last).covariance(tables)
        cross = Alike(n, most, every, known.members, last, known.regime).covariance(tables)
        among = Alike(n, most, known.members, known.members, known.regime, known.regime).covariance(tables)
        among += np.diag(tables.noise[known.place] / known.rows)
        f = cross @ np.linalg.solve(among, process.likelihood.y)
        means.append(weights @ (f * process.likelihood.scale + process.likelihood.center[-1]))
        left = prior - cross @ np.linalg.solve(among, cross.T)
        spreads.append(weights @ left @ weights.T * process.likelihood.scale**2)
    expected = process.weights @ means
    away = np.array(means) - expected
    spread = np.tensordot(process.weights, np.array(spreads) + away[:, :, None] * away[:, None], 1)
    size = np.abs(expected).max()
    assert np.allclose(mean, expected, rtol=0, atol=1e-8 * size)
    assert np.allclose(covariance, spread, rtol=0, atol=1e-8 * np.abs(spread).max())


def test_values_of_both_regimes_at_once_are_those_of_a_game_twice_as_wide() -> None:
    """Of the joint posterior of all subsets in both regimes, by the definition."""
    n, predecessors = 4, shapley(4)
    known = data(n, 12, 6, regimes=2)
    process = Process(n, known)
    mean, covariance = process.answer(Semivalues(predecessors, everywhere=True))
    every, weights = proper(n), coefficients(n, predecessors)
    both, regime = np.concatenate([every, every]), np.repeat([0, 1], len(every))
    wide = np.block([[weights, np.zeros_like(weights)], [np.zeros_like(weights), weights]])
    means, spreads = [], []
    for v in process.points:
        tables = process.likelihood.family.tables(v)
        most = len(tables.orders) - 1
        prior = Alike(n, most, both, both, regime, regime).covariance(tables)
        cross = Alike(n, most, both, known.members, regime, known.regime).covariance(tables)
        among = Alike(n, most, known.members, known.members, known.regime, known.regime).covariance(tables)
        among += np.diag(tables.noise[known.place] / known.rows)
        f = cross @ np.linalg.solve(among, process.likelihood.y)
        means.append(wide @ (f * process.likelihood.scale + process.likelihood.center[regime]))
        left = prior - cross @ np.linalg.solve(among, cross.T)
        spreads.append(wide @ left @ wide.T * process.likelihood.scale**2)
    expected = process.weights @ means
    away = np.array(means) - expected
    spread = np.tensordot(process.weights, np.array(spreads) + away[:, :, None] * away[:, None], 1)
    assert np.allclose(mean, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    assert np.allclose(covariance, spread, rtol=0, atol=1e-8 * np.abs(spread).max())


class Fixed(Kernel):
    """The covariance of a process at one point of its hyperparameters, for scikit-learn."""

    def __init__(self, process: Process, at: int) -> None:
        self.process, self.at = process, at

    def __call__(self, x: np.ndarray, y: np.ndarray | None = None, eval_gradient: bool = False) -> np.ndarray:
        tables = self.process.likelihood.family.tables(self.process.points[self.at])
        other = x if y is None else y
        return Alike(x.shape[1], len(tables.orders) - 1, x > 0, other > 0).covariance(tables)

    def diag(self, x: np.ndarray) -> np.ndarray:
        return np.diag(self(x))

    def is_stationary(self) -> bool:
        return False


def test_predictions_equal_those_of_scikit_learn() -> None:
    n, known = 7, data(7, 40, 5)
    process = Process(n, known)
    asked = proper(n)
    mean, variance = process.answer(Subsets(asked))

    means, variances = [], []
    for at, v in enumerate(process.points):
        noise = process.likelihood.family.tables(v).noise[known.place] / known.rows
        peer = GaussianProcessRegressor(Fixed(process, at), alpha=noise, optimizer=None)
        peer.fit(known.members.astype(float), process.likelihood.y)
        f, deviation = peer.predict(asked.astype(float), return_std=True)
        means.append(f * process.likelihood.scale + process.likelihood.center[0])
        variances.append((deviation * process.likelihood.scale) ** 2)
    expected = process.weights @ means
    assert np.allclose(mean, expected, rtol=0, atol=1e-8 * np.abs(expected).max())
    between = process.weights @ (np.array(means) - expected) ** 2
    assert np.allclose(variance, process.weights @ variances + between, rtol=0, atol=1e-8 * variance.max())


def test_two_regimes_are_a_multiple_of_one_process_and_another() -> None:
    n = 5
    likelihood = Likelihood(n, data(n, 20, 4, regimes=2))
    mean, deviation = likelihood.family.prior
    v = mean + 0.5 * deviation * np.random.default_rng(5).normal(size=len(mean))
    assert isinstance(likelihood.family, Corrected)
    parts = [f.tables(w) for f, w in ((likelihood.family.cheap, v[:17]), (likelihood.family.difference, v[17:34]))]
    every, most = proper(n), likelihood.family.most
    cheap, difference = (Alike(n, most, every, every).covariance(part) for part in parts)
    both, regime = np.concatenate([every, every]), np.repeat([0, 1], len(every))
    joint = Alike(n, most, both, both, regime, regime).covariance(likelihood.family.tables(v))
    multiple = v[-1]
    expected = np.block([[cheap, multiple * cheap], [multiple * cheap, multiple**2 * cheap + difference]])
    assert np.allclose(joint, expected, rtol=1e-12, atol=1e-12 * expected.max())


def game_of(n: int, rows: int, f: Callable[[np.ndarray], np.ndarray], noise: float, seed: int) -> Utilities:
    """A game on the default design, with five measurements of either end."""
    rng = np.random.default_rng(seed)
    members = np.array(list(islice(paired_stratified.stream(Frame(n, seed, Reserved(n, [], seed))), rows)))
    ends = [f(np.full((5, n), there)) + noise * rng.normal(size=5) for there in (True, False)]
    return Utilities([f"c{i}" for i in range(n)], members, f(members) + noise * rng.normal(size=rows), *ends)


def test_an_additive_game_without_noise_is_solved_from_few_subsets() -> None:
    worth = np.arange(1.0, 13)
    found = gaussian_process.estimate(game_of(12, 40, lambda x: x @ worth, 0, 0), SHAPLEY)
    assert found.value == pytest.approx(worth, abs=0.01)
    assert found.interval and found.interval.half_width().max() < 0.2  # of values from 1 to 12


def test_effects_that_fall_twentyfold_with_the_size_are_learnt() -> None:
    """Pairs of sizes 1 and n - 1 alone say nothing of sizes between; the amplitude by size has to be found."""
    rng = np.random.default_rng(0)
    n, worth, late = 10, rng.normal(size=10), rng.normal(size=10)
    weight = np.exp(-3 * np.linspace(0, 1, n + 1))

    def f(x: np.ndarray) -> np.ndarray:
        size = x.sum(axis=1)
        return 20 * weight[size] * (x @ worth) / np.maximum(size, 1) + x @ late / 10

    every = np.array(list(product([False, True], repeat=n)))
    truth = np.zeros(n)
    values = dict(zip(map(bytes, np.packbits(every, axis=1)), f(every), strict=True))
    for i in range(n):
        for subset in every[~every[:, i]]:
            bigger = subset.copy()
            bigger[i] = True
            gain = values[bytes(np.packbits(bigger))] - values[bytes(np.packbits(subset))]
            truth[i] += gain / n / comb(n - 1, int(subset.sum()))
    found = gaussian_process.estimate(game_of(n, 150, f, 0.01, 1), SHAPLEY)
    error = np.linalg.norm(found.value - truth) / np.linalg.norm(truth - truth.mean())
    assert error < 0.1
    assert found.interval and (np.abs(found.value - truth) <= found.interval.simultaneous_half_width()).all()


def test_noise_alone_ends_at_equal_shares_with_wide_intervals() -> None:
    n = 30
    game = game_of(n, 60, lambda x: x.sum(axis=1) * 1.0, 5.0, 3)
    found = gaussian_process.estimate(game, SHAPLEY)
    contrasts = found.value - found.value.mean()
    assert found.interval is not None
    assert found.interval.covers_equal_share().all()
    assert np.abs(contrasts).max() < 1  # a single measurement is off by 5, and everyone's true value is 1
    assert found.interval.half_width().min() > 3 * np.abs(contrasts).mean()


def test_values_lie_in_their_intervals() -> None:
    rng = np.random.default_rng(0)
    gain = np.triu(rng.normal(size=(8, 8)), 1)
    game = game_of(8, 60, lambda x: np.einsum("ri,ij,rj->r", x, gain, x), 0.5, 0)
    for name in SEMIVALUES:
        found = gaussian_process.estimate(game, {"of": name, "alpha": 4.0, "beta": 1.0})
        assert found.interval and found.fit == found.interval.fit
        assert np.array_equal(found.value, found.interval.center)


def test_semivalues_of_all_subsets_are_those_of_the_definition() -> None:
    """Where every subset is measured without noise, nothing is left to believe."""
    n = 6
    rng = np.random.default_rng(1)
    members = np.repeat(proper(n), 2, axis=0)
    table = {bytes(row): value for row, value in zip(np.packbits(proper(n), axis=1), rng.normal(size=62), strict=True)}
    value = np.array([table[bytes(row)] for row in np.packbits(members, axis=1)])
    game = Utilities([f"c{i}" for i in range(n)], members, value, np.full(3, 2.0), np.full(3, -1.0))
    for name, module in {"shapley": exact, "banzhaf": banzhaf_estimator}.items():
        expected = module.estimate(game, {}).value
        assert gaussian_process.estimate(game, {"of": name}).value == pytest.approx(expected, abs=1e-4)


def test_too_many_subsets_are_refused_before_memory_is_taken() -> None:
    members = np.random.default_rng(0).random((9_000, 40)) < 0.5
    game = Utilities([f"c{i}" for i in range(40)], members, members.sum(axis=1) * 1.0, np.ones(2), np.zeros(2))
    with pytest.raises(UserError, match="found 9000 different subsets, expected at most 8000"):
        gaussian_process.estimate(game, SHAPLEY)


def test_orders_beyond_three_are_left_to_each_subset() -> None:
    assert len(Likelihood(12, data(12, 50, 0)).alike.harmonics) == ORDERS + 1


@pytest.mark.parametrize(("n", "rows"), [(4, 60), (5, 60), (5, 10), (8, 60)])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_units_and_orders_of_rows_and_columns_change_no_interval(n: int, rows: int, noise: float) -> None:
    """With few contributors many eigenvalues of the curvature are equal, and their basis is any."""
    rng = np.random.default_rng(n)
    gain = np.triu(rng.normal(size=(n, n)), 1)
    game = game_of(n, rows, lambda x: x @ gain[0] + np.einsum("ri,ij,rj->r", x, gain, x), noise, n)
    value, deviation = answer(game)
    factor, order, columns = 1.0000001, rng.permutation(rows), rng.permutation(n)
    ends = {"everyone": game.everyone * factor, "empty": game.empty * factor}
    for other, place in (
        (replace(game, value=game.value * factor, **ends), np.arange(n)),
        (replace(game, value=game.value[order], members=game.members[order]), np.arange(n)),
        (replace(game, members=game.members[:, columns]), columns),
    ):
        again, spread = answer(other)
        assert spread == pytest.approx(deviation[place], rel=1e-3)
        assert again == pytest.approx(value[place], rel=1e-6, abs=1e-3 * deviation.max())


def answer(game: Utilities) -> tuple[np.ndarray, np.ndarray]:
    """Values and their standard errors."""
    found = gaussian_process.estimate(game, SHAPLEY)
    assert found.interval is not None
    return found.value, found.interval.standard_error


def test_replicates_that_differ_by_rounding_have_no_noise() -> None:
    """Three equal numbers have a mean that may differ from them by their last digit."""
    game = game_of(6, 40, lambda x: x @ np.arange(6.0) + 0.1 * x[:, 0] * x[:, 1], 0.0, 0)
    members, value = (np.concatenate([each] * 3) for each in (game.members, game.value))
    replicated = replace(game, members=members, value=value)
    moved = replace(replicated, value=value * (1 + 1e-15 * np.random.default_rng(0).integers(-2, 3, len(value))))
    for one, other in zip(answer(replicated), answer(moved), strict=True):
        assert other == pytest.approx(one, abs=1e-4)


@pytest.mark.parametrize("without", [1, 3])
def test_sizes_that_the_table_lacks_are_not_estimable(without: int) -> None:
    """Singles alone do not say what the same contributors add to others. With the other sizes they do."""
    n, worth = 6, np.arange(6.0)
    members = np.concatenate([np.eye(n, dtype=bool)] * 3)
    rng = np.random.default_rng(0)
    ends = (worth.sum() + rng.normal(size=3), rng.normal(size=3))
    game = Utilities([f"c{i}" for i in range(n)], members, members @ worth + 0.1 * rng.normal(size=len(members)), *ends)
    found = gaussian_process.estimate(game, SHAPLEY)
    assert found.interval is None
    assert "not estimable: no subsets of sizes 2 to 5, 74% of the weight" in found.note  # of 1 / s + 1 / (6 - s)
    asked = np.ones((1, n), dtype=bool)
    asked[0, :without] = False
    predicted = predict(game, asked)
    assert "not estimable: no subsets of sizes 2 to 5" in predicted.note[0]
    assert np.isnan([predicted.expected, predicted.change_high]).all() and predicted.cells(0) == [""] * 6
    assert predict(game, np.eye(n, dtype=bool)[:1]).note == [""]
