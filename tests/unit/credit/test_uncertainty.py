"""Standard errors, intervals, ranks and budgets against textbook numbers, explicit matrices and coverage."""

from itertools import islice
from typing import Any

import numpy as np
import pytest
from scipy import stats

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import Subsets
from diffusion_credit.credit.attribution import credit, read_attribution, write_attribution
from diffusion_credit.credit.estimates import Estimate, Interval
from diffusion_credit.credit.estimators import paper, ridge
from diffusion_credit.credit.regression import Regression, kernel, sampling_distribution
from diffusion_credit.credit.semivalues import shapley
from diffusion_credit.credit.utilities import Utilities, ends_variance, noise_rows
from diffusion_credit.evaluation.budget import curve, look
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import Reserved


def independent(center: list[float], variance: float, freedom: float = 1e7, level: float = 0.0) -> Interval:
    n = len(center)
    return Interval(np.array(center), variance * np.eye(n), np.full(n, freedom), level, 4.0, level, "by hand")


def drawn(
    n: int, rows: int, seed: int, noise: float, design: str = "paired-stratified"
) -> tuple[Utilities, np.ndarray]:
    """A saturating game with noise and five rows of either end, and its contributors' strengths."""
    rng = np.random.default_rng(seed)
    worth = rng.gamma(2, 1, n)
    members = np.array(list(islice(module_of("designs", design).stream(Frame(n, seed, Reserved(n, [], seed))), rows)))

    def f(x: np.ndarray) -> np.ndarray:
        return 1 + x @ worth + noise * rng.normal(size=len(x))

    ends = f(np.ones((5, n))), f(np.zeros((5, n)))
    return Utilities([f"c{i}" for i in range(n)], members, f(members), *ends), worth


def test_the_interval_adds_both_variances_by_satterthwaite() -> None:
    found = independent([0.0, 1.0], variance=3.0, freedom=10, level=1.0)
    assert found.standard_error == pytest.approx([2, 2])
    # (3 + 1)^2 / (9 / 10 + 1 / 4) degrees of freedom
    assert found.half_width() == pytest.approx([2 * stats.t.ppf(0.975, 16 / 1.15)] * 2)
    # against the equal share the common error cancels: half a difference of 1 against t with 10
    half = stats.t.ppf(0.975, 10) * np.sqrt(1 / 2)
    assert not independent([0, 2 * half + 0.01], 1.0, 10).covers_equal_share().any()
    assert independent([0, 2 * half - 0.01], 1.0, 10, level=9.0).covers_equal_share().all()


@pytest.mark.parametrize("n", [3, 12])
def test_simultaneous_intervals_are_sidaks_for_independent_values(n: int) -> None:
    found = independent([0.0] * n, variance=4.0).simultaneous_half_width()
    assert found == pytest.approx(np.full(n, 2 * stats.norm.ppf((1 + 0.95 ** (1 / n)) / 2)), rel=0.03)


@pytest.mark.parametrize(("n", "freedom"), [(4, 12.0), (10, 1000.0)])
def test_ranks_are_told_apart_by_tukeys_studentised_range(n: int, freedom: float) -> None:
    margin = stats.studentized_range.ppf(0.95, n, freedom)  # in units of one value's error
    for gap, ranks in ((1.05 * margin, (1, 2)), (0.95 * margin, (1, n))):
        low, high = independent([gap, *[0.0] * (n - 1)], 1.0, freedom).ranks(higher_is_better=True)
        assert (low[0], high[0]) == (1, 1 if ranks[1] == 2 else n)
        assert (low[1], high[1]) == ((2, n) if ranks[1] == 2 else (1, n))
    low, high = independent([1.05 * margin, *[0.0] * (n - 1)], 1.0, freedom).ranks(higher_is_better=False)
    assert (low[0], high[0]) == (n, n)


def test_the_chance_to_be_on_top() -> None:
    found = independent([1.0, 0.0], variance=0.5).probability_top(1, higher_is_better=True)
    assert found == pytest.approx([stats.norm.cdf(1), 1 - stats.norm.cdf(1)], abs=0.02)
    assert independent([0.0] * 8, 1.0).probability_top(3, True) == pytest.approx(np.full(8, 3 / 8), abs=0.03)
    assert independent([9.0, 5.0, 0.0], 1e-6).probability_top(2, False).tolist() == [0, 1, 1]


@pytest.mark.parametrize("design", ["paired-stratified", "paper"])
def test_the_sandwich_equals_the_one_from_explicit_matrices(design: str) -> None:
    """Few sizes, so the size functions are one column each: least squares written out with projections."""
    n = 5
    game, _ = drawn(n, 60, 0, 1.0, design)
    regression = Regression.of(game.members, game.value, kernel(shapley(n)))
    columns = np.eye(n - 1)[regression.size - 1]
    mirrored = np.eye(n - 1)[n - regression.size - 1]
    columns = np.where(regression.paired[:, None], (columns - mirrored) / 2, columns)
    # contrasts by all differences to the last contributor: z beta with beta_n = - the others
    free = regression.z[:, :-1] - regression.z[:, -1:]
    root = np.sqrt(regression.weight)[:, None]
    x = np.hstack([root * free, root * columns[:, np.linalg.norm(columns, axis=0) > 0]])
    y = root[:, 0] * regression.y
    inverse = np.linalg.pinv(x.T @ x)
    hat = x @ inverse @ x.T
    residual = y - hat @ y
    to_values = np.vstack([np.eye(n - 1), -np.ones(n - 1)]) @ (inverse @ x.T)[: n - 1]  # (n, rows)
    leverage = np.diag(hat)
    expected = (to_values * residual**2 / (1 - leverage)) @ to_values.T
    found = sampling_distribution(regression)
    assert not isinstance(found, str)
    assert found[0] == pytest.approx(to_values @ y, abs=1e-9)
    assert found[1] == pytest.approx(expected, abs=1e-9)
    annihilator = np.eye(len(y)) - hat
    for player in range(n):
        form = annihilator @ np.diag(to_values[player] ** 2 / (1 - leverage)) @ annihilator
        assert found[2][player] == pytest.approx(np.trace(form) ** 2 / np.sum(form**2), rel=1e-6)


@pytest.mark.parametrize(("n", "rows"), [(10, 100), (20, 100)])
def test_intervals_cover(n: int, rows: int) -> None:
    hits, together = [], []
    for seed in range(60):
        game, worth = drawn(n, rows, seed, 3.0)
        found = ridge.estimate(game, {}).interval
        assert found is not None
        hits.append(np.abs(found.center - worth) <= found.half_width())
        together.append((np.abs(found.center - worth) <= found.simultaneous_half_width()).all())
    assert 0.92 <= np.mean(hits) <= 0.98
    assert np.mean(together) >= 0.9


def keys(members: np.ndarray) -> np.ndarray:
    return members @ (1 << np.arange(members.shape[1]))


def test_too_few_pairs_are_not_estimable() -> None:
    game, _ = drawn(10, 200, 0, 1.0)
    different = [len({min(key, 1023 - key) for key in keys(game.members[:rows])}) for rows in range(201)]
    whole = game
    for count, estimable in ((19, False), (20, True)):
        game = whole.head(2 * (different.index(count) // 2 + 1))  # the first whole pairs of which so many differ
        found = ridge.estimate(game, {})
        assert (found.interval is not None) == estimable
        assert ("19 different pairs or single subsets, needs 20" in found.note) != estimable


def test_the_ends_variance_and_noise_by_hand() -> None:
    members = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], dtype=bool)
    value = np.array([1.0, 3, 5, 6, 7])
    game = Utilities(["a", "b"], members, value, np.array([10.0, 12]), np.array([0.0, 0, 3]))
    # 2 / 2 + 3 / 3; freedom 4 / (1 / 1 + 1 / 2)
    assert ends_variance(game) == (pytest.approx(2), pytest.approx(8 / 3), "")
    rows = {row[0]: row for row in noise_rows(game)}
    assert rows["everyone"][3:6] == [11, pytest.approx(np.sqrt(2)), 1]
    assert rows["empty"][3:6] == [1, pytest.approx(np.sqrt(3)), 2]
    # replicates: (1 + 1) + (1 + 0 + 1) over 5 - 2
    assert rows["sampled"][1:3] == [5, 2]
    assert rows["sampled"][4:6] == [pytest.approx(np.sqrt(4 / 3)), 3]
    one = Utilities(["a", "b"], members[1:3], value[1:3], np.array([10.0]), np.array([0.0]))
    assert ends_variance(one)[0] == 0
    assert "single row" in ends_variance(one)[2]
    assert ["not estimable" in row[6] for row in noise_rows(one)[:3]] == [True] * 3


@pytest.mark.parametrize("sure", [True, False])
def test_the_attribution_file_keeps_every_column(tmp_path: Any, sure: bool) -> None:
    game, _ = drawn(10, 60 if sure else 20, 0, 1.0)
    result = credit(game.contributors, game.total, ridge.estimate(game, {}), higher_is_better=False, top=3)
    write_attribution(tmp_path / "a.csv", result)
    back = read_attribution(tmp_path / "a.csv")
    for name, column in vars(result).items():
        assert np.array_equal(getattr(back, name), column) or np.isnan(column).all(), name
    assert result.rank[int(np.argmin(result.value))] == 1
    assert result.value.sum() == pytest.approx(game.total, abs=1e-10)
    assert result.share.sum() == pytest.approx(1, abs=1e-10)
    if sure:
        assert (result.simultaneous_low <= result.low).all()
        assert (result.rank_low <= result.rank_high).all()
        assert result.probability_top.sum() == pytest.approx(3)
    else:
        assert result.note == ["interval not estimable: 10 different pairs or single subsets, needs 20"] * 10


def stub(game: Utilities, options: dict[str, float]) -> Estimate:
    """An estimator whose squared error is `part` / rows + `floor`."""
    n = game.n
    parts = np.full(n, options["part"] / len(game.value))
    found = Interval(np.zeros(n), np.diag(parts), np.full(n, 9.0), options["floor"], 4.0, options["floor"], "stub")
    return Estimate(np.zeros(n), "stub", found if options["part"] else None, "" if options["part"] else "not estimable")


def utilities(rows: int, n: int = 6) -> Subsets:
    game, _ = drawn(n, rows, 0, 1.0)
    members = np.vstack([game.members, np.ones((2, n), bool), np.zeros((2, n), bool)])
    value = np.concatenate([game.value, game.everyone[:2], game.empty[:2]])
    ids = [str(i) for i in range(len(members))]
    return Subsets(game.contributors, ids, [0] * len(members), [0] * len(members), members, value)


@pytest.mark.parametrize(
    ("part", "floor", "target", "following", "reason"),
    [
        (100.0, 0.0, 1.5, None, "met"),  # 100 / 50 = 2 = 1.41^2
        (100.0, 0.0, 1.0, 10, "not met"),  # 100 rows of 10 a batch
        (100.0, 0.5, 1.1, 10, "not met"),  # 50 * (2.5 - 0.5) / (1.21 - 0.5) = 141 rows, but at most twice as many
        (51.0, 0.0, 1.0, 6, "not met"),  # 51 rows want one batch more
        (60.0, 0.5, 1.1, 9, "not met"),  # 50 * 1.2 / 0.71 = 84.5 rows
        (100.0, 0.0, 0.1, 10, "not met"),  # 10,000 rows
        (100.0, 1.0, 0.9, 40, "out of reach, the ends alone give 1 "),
        (0.0, 0.0, 1.0, 6, "not estimable"),
    ],
)
def test_the_look_says_how_many_batches_come_next(
    part: float, floor: float, target: float, following: int | None, reason: str
) -> None:
    found = look({"p": utilities(50)}, stub, {"part": part, "floor": floor}, {"p": target}, 10, 400)
    assert found["subsets"] == 50
    assert found["next_batches"] == following
    assert reason in found["reasons"]["p"]


def test_the_look_waits_for_the_slowest_property_and_stops_at_the_maximum() -> None:
    tables, options = {"a": utilities(50), "b": utilities(50)}, {"part": 100.0, "floor": 0.0}
    assert look(tables, stub, options, {"a": 2.0, "b": 1.1}, 10, 1000)["next_batches"] == 9
    assert look(tables, stub, options, {"a": 2.0, "b": 0.5}, 10, 50)["next_batches"] is None


def test_the_budget_curve_is_that_of_every_shorter_design() -> None:
    game, worth = drawn(8, 80, 0, 1.0)
    rng = np.random.default_rng(0)
    members = np.array([np.isin(np.arange(8), rng.choice(8, 4, replace=False)) for _ in range(12)]).repeat(2, axis=0)
    ids = [str(i // 2) for i in range(24)]
    held = Subsets(game.contributors, ids, [0, 1] * 12, [0] * 24, members, members @ worth + rng.normal(size=24))
    estimators = {"ridge": (ridge.estimate, {}), "paper": (paper.estimate, {})}
    rows = curve(game, {"0.5": held}, estimators, 20, 0.5, seed=0)
    assert [row[:2] for row in rows] == [[m, name] for m in (20, 40, 60, 80) for name in ("ridge", "paper")]
    assert rows[0][2] == ""
    assert "needs 16" in rows[0][-1]
    for row in rows[2:]:
        alone = estimators[row[1]][0](game.head(row[0]), {})
        assert alone.interval is not None
        assert row[2] == pytest.approx(alone.interval.standard_error.max())
        predicted, measured = members[::2] @ alone.value, held.value.reshape(12, 2).mean(1)  # type: ignore[union-attr]
        assert row[5] == pytest.approx(stats.spearmanr(predicted, measured).statistic)


def test_exact_ties_share_the_places_at_the_top() -> None:
    """Of the two best among nine, one is first for sure, and eight with the same data share the other place."""
    contrasts = np.full((9, 9), 1.0)  # all errors are one error
    center = np.array([5.0, *[1.0] * 8])
    interval = Interval(center, contrasts, np.full(9, 1e6), 0.0, 1.0, 0.0, "by hand")
    assert interval.probability_top(2, True) == pytest.approx([1, *[1 / 8] * 8])
    assert interval.probability_top(2, False) == pytest.approx([0, *[2 / 8] * 8])


@pytest.mark.parametrize("rows", [300, 3000])
def test_papers_standard_errors_are_those_of_independent_draws(rows: int) -> None:
    """The largest of ten costs: on 3,000 draws of 1,022 subsets most come again, and still each draw is a sample."""
    n, repeats = 10, 60
    cost = np.random.default_rng(0).gamma(2, 1, n)
    found, errors, covered = [], [], []
    order = np.argsort(cost)
    truth = np.empty(n)
    truth[order] = np.cumsum(np.diff(cost[order], prepend=0) / np.arange(n, 0, -1))
    for seed in range(repeats):
        frame = Frame(n, seed, Reserved(n, [], seed))
        members = np.array(list(islice(module_of("designs", "paper").stream(frame), rows)))
        ends = np.full(3, cost.max()), np.zeros(3)
        game = Utilities([f"c{i}" for i in range(n)], members, (members * cost).max(axis=1), *ends)
        estimate = paper.estimate(game, {})
        assert estimate.interval is not None
        found.append(estimate.value)
        errors.append(estimate.interval.standard_error)
        covered.append(np.abs(estimate.value - truth) <= estimate.interval.half_width())
    real = np.sqrt(((np.array(found) - truth) ** 2).mean())
    assert np.sqrt((np.array(errors) ** 2).mean()) / real == pytest.approx(1, abs=0.12)
    assert 0.9 < np.mean(covered) < 0.99
