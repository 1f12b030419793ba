"""LDS, fidelity and counterfactual against numbers that can be known."""

import numpy as np
import pytest
from scipy import stats

from diffusion_credit.base.tables import Subsets
from diffusion_credit.evaluation import counterfactual, fidelity, lds
from diffusion_credit.evaluation.resampling import interval, pearson, ranks, spearman

N = 8


def held_out(values: np.ndarray, noise: float, subsets: int, replicates: int, size: int = 4, seed: int = 0) -> Subsets:
    """An additive game on random subsets, with noise that differs by replicate."""
    rng = np.random.default_rng(seed)
    members = np.array([np.isin(np.arange(N), rng.choice(N, size, replace=False)) for _ in range(subsets)])
    members = np.repeat(members, replicates, axis=0)
    rows = len(members)
    ids = [str(i // replicates) for i in range(rows)]
    measured = members @ values + rng.normal(0, noise, rows)
    return Subsets(
        [f"c{i}" for i in range(N)], ids, [i % replicates for i in range(rows)], [0] * rows, members, measured
    )


def row(rows: list[list[object]], alpha: str, predictor: str) -> list[object]:
    (found,) = [r for r in rows if r[:2] == [alpha, predictor]]
    return found


def test_correlations_equal_scipys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 40), rng.normal(size=40)  # with ties
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert pearson(a, b) == pytest.approx(stats.pearsonr(a, b).statistic)
    assert np.isnan(spearman(np.ones(4), np.arange(4)))
    draws = rng.integers(40, size=(5, 40))
    each = [stats.spearmanr(a[drawn], b[drawn]).statistic for drawn in draws]
    assert spearman(a[draws], b[draws]) == pytest.approx(each)


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 1), (50, 24), (3, 4, 30)])
@pytest.mark.parametrize("different", [2, 5, 1000])
def test_ranks_equal_scipys(shape: tuple[int, ...], different: int) -> None:
    values = np.random.default_rng(0).integers(different, size=shape).astype(float)
    assert np.array_equal(ranks(values), stats.rankdata(values, axis=-1))
    values[..., 0] = np.nan
    assert np.array_equal(ranks(values), stats.rankdata(values, axis=-1), equal_nan=True)


def test_the_bootstrap_interval_equals_scipys() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    ours = interval(lambda subsets: spearman(x[subsets], y[subsets]), 60, seed=0)
    theirs = stats.bootstrap(
        (x, y), lambda a, b: spearman(a, b), paired=True, vectorized=False, method="percentile",
        n_resamples=4000, rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_the_interval_covers_the_truth_with_the_seeds_noise_in() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(60):
        signal = rng.normal(size=24)
        predicted = 0.85 * signal + np.sqrt(1 - 0.85**2) * rng.normal(size=24)
        measured = (signal[:, None] + rng.normal(size=(24, 2))).mean(axis=1)
        low, high = interval(lambda subsets, p=predicted, m=measured: pearson(p[subsets], m[subsets]), 24, seed=0)
        hits += low <= 0.85 / np.sqrt(1.5) <= high  # the noise of two seeds halves to 1/2
    assert 52 <= hits <= 60  # nominal 57


def test_lds_of_the_true_values_is_one_and_of_their_negative_minus_one() -> None:
    values = np.arange(N) ** 1.5
    table = held_out(values, 0.0, 30, 2)
    alone = lds.references(N, np.full(N, 7), higher_is_better=True)
    rows = lds.scores({"0.5": table}, {"true": values, "wrong": -values, **alone}, seed=0)
    assert row(rows, "0.5", "true")[4:7] == pytest.approx([1, 1, 1])
    assert row(rows, "0.5", "wrong")[4] == pytest.approx(-1)
    assert row(rows, "0.5", "noise_floor")[4] == pytest.approx(1)
    # at one size neither the number of contributors nor that of equal image counts can tell subsets apart
    for name in ("subset_size", "image_count"):
        assert row(rows, "0.5", name)[4] == ""
        assert "not estimable" in str(row(rows, "0.5", name)[-1])


def test_subset_size_is_scored_when_sizes_are_pooled() -> None:
    """Whichever way is better, equal contributors are worth as much as their number."""
    for sign in (1.0, -1.0):
        values = np.full(N, sign)
        tables = {str(size): held_out(values, 0.01, 12, 2, size=size) for size in (2, 4, 6)}
        alone = lds.references(N, np.full(N, 3), higher_is_better=sign > 0)
        rows = lds.scores(tables, {"equal": values, **alone}, seed=0)
        expected = row(rows, "pooled", "equal")
        assert float(expected[4]) > 0.9  # type: ignore[arg-type]
        for name in ("subset_size", "image_count"):
            assert row(rows, "pooled", name)[4:7] == expected[4:7]


def test_the_noise_floor_is_the_reliability_of_one_retraining() -> None:
    # signal variance = noise variance, so two retrainings correlate with 1/2 (Pearson; Spearman is 6/pi asin(1/4))
    values = np.random.default_rng(5).normal(size=N)
    clean = held_out(values, 0.0, 2000, 2)
    assert clean.value is not None
    table = held_out(values, float(np.std(clean.value)), 2000, 2)
    rows = lds.scores({"0.5": table}, {"true": values}, seed=0)
    floor = 6 / np.pi * np.arcsin(0.25)
    assert row(rows, "0.5", "noise_floor")[4] == pytest.approx(floor, abs=0.05)
    # the mean of two seeds has reliability 2r / (1 + r); what is left of the truth's own LDS of 1 is its root
    found = row(rows, "0.5", "true")
    assert found[7] == pytest.approx(found[4] / np.sqrt(2 * floor / (1 + floor)), abs=0.03)  # type: ignore[operator]
    assert found[7] == pytest.approx(1, abs=0.06)


def test_fidelity_uses_the_same_subsets_and_averages_seeds() -> None:
    values = np.arange(N, dtype=float)
    truth, cheap = held_out(values, 0.5, 25, 2), held_out(2 * values, 0.5, 25, 2)
    rows = fidelity.correlations({"0.5": truth}, {"sparse": {"0.5": cheap}}, seed=0)
    assert truth.value is not None
    assert cheap.value is not None
    a, b = truth.value.reshape(25, 2).mean(1), cheap.value.reshape(25, 2).mean(1)
    assert rows[0][5] == pytest.approx(stats.pearsonr(a, b).statistic)
    assert rows[1][5] == pytest.approx(stats.spearmanr(a, b).statistic)
    assert rows[0][6] < rows[0][5] < rows[0][7]


def test_the_relative_change_by_hand() -> None:
    change, low, high = counterfactual.relative_change(np.array([7.0, 9]), np.array([10.0, 10]))
    # mean 8 against 10; variance of the mean 2/2 = 1, relative 0.1; one degree of freedom: t = 12.706
    assert change == pytest.approx(-20)
    assert (low, high) == pytest.approx((-20 - 127.06, -20 + 127.06), abs=0.01)
    assert all(np.isnan(counterfactual.relative_change(np.array([1.0, 2]), np.array([-1.0, 1]))))


def test_the_interval_of_the_change_covers_the_truth() -> None:
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(1000):
        _, low, high = counterfactual.relative_change(rng.normal(8, 0.5, 3), rng.normal(10, 0.5, 5))
        hits += low <= -20 <= high
    assert 925 <= hits <= 985  # nominal 950


def test_a_negative_base_keeps_the_direction_of_the_change() -> None:
    assert counterfactual.relative_change(np.array([-8.0, -8]), np.array([-10.0, -10]))[0] == pytest.approx(20)


def test_a_score_that_rests_on_one_contributor_is_seen_to() -> None:
    """Values that know a free rider and nothing else: what is left of their LDS among subsets alike is zero."""
    truth = np.array([-20.0, *range(1, N)])
    table = held_out(truth, 0.0, 60, 2)
    known = np.array([-20.0, *[0.001 * (i % 2) for i in range(1, N)]])
    rows = lds.scores({"0.5": table}, {"true": truth, "rider": known}, seed=0)
    name = lds.HEADER.index
    true, rider = row(rows, "0.5", "true"), row(rows, "0.5", "rider")
    for found in (true, rider):
        assert found[name("singled_out")] == table.contributors[0]
        members, measured = table.members[::2], table.value.reshape(-1, 2).mean(axis=1)  # type: ignore[union-attr]
        assert found[name("presence")] == pytest.approx(stats.spearmanr(-1.0 * members[:, 0], measured).statistic)
    assert true[name("within")] == pytest.approx(1)
    assert float(rider[name("lds")]) > 0.7  # type: ignore[arg-type]
    assert float(rider[name("within_low")]) < 0 < float(rider[name("within_high")])  # type: ignore[arg-type]


def test_ranks_within_kinds_are_those_of_each_kind_alone() -> None:
    rng = np.random.default_rng(0)
    values, chosen = rng.normal(size=(1, 30)), rng.random((1, 30)) < 0.4
    found = lds._ranks_within(values, chosen)[0]
    for kind in (chosen[0], ~chosen[0]):
        expected = stats.rankdata(values[0, kind])
        assert found[kind] == pytest.approx(expected - expected.mean())


def test_the_score_by_seed_is_the_mean_of_single_ones() -> None:
    values = np.arange(N, dtype=float)
    table = held_out(values, 2.0, 30, 3)
    assert table.value is not None
    sums, measured = table.members[::3] @ values, table.value.reshape(-1, 3)
    expected = np.mean([stats.spearmanr(sums, measured[:, seed]).statistic for seed in range(3)])
    found = row(lds.scores({"0.5": table}, {"true": values}, seed=0), "0.5", "true")
    assert found[lds.HEADER.index("by_seed")] == pytest.approx(expected)


def test_a_change_of_logarithms_is_that_of_the_geometric_mean() -> None:
    """By hand: logarithms of 8 and 2 against those of 1 and 1: from a geometric mean of 1 to 4, by 300 percent."""
    change, low, high = counterfactual.relative_change(np.log([8.0, 2.0]), np.log([1.0, 1.0]), "log")
    assert change == pytest.approx(300)
    half = 12.7062 * np.log(2)  # of the mean of two, of one degree of freedom
    assert (low, high) == pytest.approx((100 * (4 * np.exp(-half) - 1), 100 * (4 * np.exp(half) - 1)), rel=1e-4)
