"""Every estimator against brute force by the definition, games with known values, and shapiq."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from math import comb

import games
import numpy as np
import pytest
import shapiq
from games import complete, lattice, random_game

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import module_of
from diffusion_credit.credit.attribution import estimate
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.estimators import (
    add_one_in,
    banzhaf,
    beta_shapley,
    datamodel,
    exact,
    gaussian_process,
    leave_one_out,
    owen,
    paper,
    permutation,
    ridge,
    surrogate,
)
from diffusion_credit.credit.regression import Regression, kernel, least_squares
from diffusion_credit.credit.semivalues import mean_value, shapley
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.reserved import Reserved

TABLES = {
    "glove": games.glove(),
    "airport": games.airport(),
    "majority": games.majority(),
    **{f"random {seed}": random_game(4 + seed % 7, seed) for seed in range(20)},
}
GROUPS = {"groups": {"a": ["c0", "c3"], "b": ["c1"], "c": ["c2", "c4"]}}
ESTIMATORS = {
    "exact": (exact, {}),
    "ridge": (ridge, {}),
    "paper": (paper, {}),
    "banzhaf": (banzhaf, {}),
    "beta-shapley": (beta_shapley, {"alpha": 4.0, "beta": 1.0}),
    "leave-one-out": (leave_one_out, {}),
    "add-one-in": (add_one_in, {}),
    "ridge datamodel": (datamodel, {"penalty": "ridge"}),
    "lasso datamodel": (datamodel, {"penalty": "lasso"}),
    "gaussian-process": (gaussian_process, {"of": "shapley"}),
    "surrogate": (surrogate, {"trees": 50, "depth": 3, "learning_rate": 0.1}),
}
EFFICIENT = ("exact", "ridge", "paper", "surrogate", "gaussian-process")
SEARCHED = {"lasso datamodel": 1e-5, "gaussian-process": 1e-4}  # name -> how near two searches end


def drawn(n: int, design: str, rows: int, noise: float = 0.0, seed: int = 0, **options: object) -> Utilities:
    """A random pairwise game evaluated on a design, with noise, and three rows of either end."""
    rng = np.random.default_rng(seed)
    worth, gain = rng.gamma(2, 1, n), np.triu(rng.normal(size=(n, n)), 1)
    frame = Frame(n, seed, Reserved(n, [], seed), **options)  # type: ignore[arg-type]
    members = np.array(list(islice(module_of("designs", design).stream(frame), rows)))

    def f(x: np.ndarray) -> np.ndarray:
        x = 1.0 * x
        return 2 + x @ worth + ((x @ gain) * x).sum(axis=1) + noise * rng.normal(size=len(x))

    ends = f(np.ones((3, n))), f(np.zeros((3, n)))
    return Utilities([f"c{i}" for i in range(n)], members, f(members), *ends)


@pytest.mark.parametrize("name", TABLES)
def test_exact_banzhaf_and_leave_one_out_equal_brute_force(name: str) -> None:
    values = TABLES[name]
    game = complete(values)
    everyone = len(values) - 1
    one_out = [values[-1] - values[everyone & ~(1 << i)] for i in range(game.n)]
    one_in = [values[1 << i] - values[0] for i in range(game.n)]
    assert exact.estimate(game, {}).value == pytest.approx(games.shapley(values), abs=1e-9)
    assert banzhaf.estimate(game, {}).value == pytest.approx(games.banzhaf(values), abs=1e-9)
    assert leave_one_out.estimate(game, {}).value == pytest.approx(one_out, abs=1e-9)
    assert add_one_in.estimate(game, {}).value == pytest.approx(one_in, abs=1e-9)
    assert exact.estimate(game, {}).value.sum() == pytest.approx(values[-1] - values[0], abs=1e-10)


def test_games_with_published_values() -> None:
    def phi(values: np.ndarray) -> np.ndarray:
        return exact.estimate(complete(values), {}).value

    assert phi(games.glove()) == pytest.approx([13 / 20] * 2 + [7 / 30] * 3, abs=1e-12)
    assert phi(games.airport()) == pytest.approx([1 / 5, 9 / 20, 9 / 20, 39 / 20, 119 / 20], abs=1e-12)
    # any two of the first three reach the quota
    assert phi(games.majority()) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0], abs=1e-12)
    assert banzhaf.estimate(complete(games.majority()), {}).value == pytest.approx([0.5, 0.5, 0.5, 0], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_symmetric_players_get_the_same_and_dummies_nothing(seed: int) -> None:
    n = 6
    base = random_game(n, seed)
    bits = np.arange(2**n)
    swapped = (bits & ~3) | (bits & 1) << 1 | (bits >> 1 & 1)
    values = (base + base[swapped])[bits & ~(1 << 5)]  # 0 and 1 are alike, 5 never matters
    for method in ("exact", "banzhaf"):
        phi = ESTIMATORS[method][0].estimate(complete(values), {}).value
        assert phi[0] == pytest.approx(phi[1], abs=1e-10)
        assert phi[5] == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_renaming_and_rescaling_do_what_they_should(name: str) -> None:
    module, options = ESTIMATORS[name]
    game = drawn(6, "all" if name == "exact" else "paired-stratified", 80, noise=0.3)
    first: Estimate = module.estimate(game, options)
    if name in EFFICIENT:
        assert first.value.sum() == pytest.approx(game.total, abs=1e-10)
    scaled = replace(game, value=3 * game.value + 7, everyone=3 * game.everyone + 7, empty=3 * game.empty + 7)
    then = module.estimate(scaled, options)
    assert then.value == pytest.approx(3 * first.value, abs=SEARCHED.get(name, 1e-9))
    if name == "surrogate":
        return  # trees break ties between equal splits by the order of columns
    order = np.array([3, 0, 5, 1, 4, 2])
    moved = module.estimate(replace(game, members=game.members[:, order]), options)
    assert moved.value == pytest.approx(first.value[order], abs=SEARCHED.get(name, 1e-9))


@pytest.mark.parametrize("name", ["ridge", "paper", "banzhaf", "beta-shapley", "gaussian-process"])
def test_intervals_follow_renaming_and_rescaling(name: str) -> None:
    module, options = ESTIMATORS[name]
    game = drawn(6, "paired-stratified", 80, noise=0.3)
    first = module.estimate(game, options).interval
    scaled = replace(game, value=3 * game.value + 7, everyone=3 * game.everyone + 7, empty=3 * game.empty + 7)
    then = module.estimate(scaled, options).interval
    near = SEARCHED.get(name, 1e-9)
    assert then.center == pytest.approx(3 * first.center, abs=near)
    assert then.half_width() == pytest.approx(3 * first.half_width(), abs=near)
    order = np.array([3, 0, 5, 1, 4, 2])
    moved = module.estimate(replace(game, members=game.members[:, order]), options).interval
    assert moved.half_width() == pytest.approx(first.half_width()[order], abs=near)


@pytest.mark.parametrize("n", [4, 5, 8])
def test_a_semivalue_is_least_squares_with_size_functions(n: int) -> None:
    """The identity that `ridge`, `banzhaf` and `beta-shapley` stand on, for any law of the number of predecessors."""
    values = random_game(n, n)
    law = np.random.default_rng(n).dirichlet(np.ones(n))
    expected = games.weighted_marginals(values, [law[k] / comb(n - 1, k) for k in range(n)])
    game = complete(values)
    contrasts = least_squares(Regression.of(game.members, game.value, kernel(law)))
    assert contrasts == pytest.approx(expected - expected.mean(), abs=1e-9)
    assert mean_value(game, law).value == pytest.approx(expected.mean(), abs=1e-9)


def test_beta_shapley_of_ones_is_shapley_and_favours_what_it_says() -> None:
    game = complete(random_game(6, 0))
    same = beta_shapley.estimate(game, {"alpha": 1.0, "beta": 1.0}).value
    assert same == pytest.approx(exact.estimate(game, {}).value, abs=1e-9)
    # n = 3, Beta(4, 1): B(k + 1, 6 - k) C(2, k) / B(1, 4) = 2/3, 4/15, 1/15 for k = 0, 1, 2, over C(2, k) subsets
    values = random_game(3, 1)
    expected = games.weighted_marginals(values, [2 / 3, 4 / 30, 1 / 15])
    assert beta_shapley.estimate(complete(values), {"alpha": 4.0, "beta": 1.0}).value == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(10))
def test_paper_is_the_published_formula(seed: int) -> None:
    """A = mean of x x', b = mean of x (y - F(0)); one row at a time, and the system solved with its constraint."""
    game = drawn(7, "paper", 150, noise=0.5, seed=seed)
    n = game.n
    a, b = np.zeros((n, n)), np.zeros(n)
    empty, everyone = sum(game.empty) / 3, sum(game.everyone) / 3
    for row, y in zip(game.members, game.value, strict=True):
        for i in range(n):
            b[i] += row[i] * (y - empty) / 150
            for j in range(n):
                a[i, j] += row[i] * row[j] / 150
    system = np.block([[2 * a, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    expected = np.linalg.solve(system, np.r_[2 * b, everyone - empty])[:n]
    assert paper.estimate(game, {}).value == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_paper_on_the_whole_kernel_is_brute_force(n: int) -> None:
    """All subsets, each listed as often as the kernel says."""
    values, members = random_game(n, n), lattice(n)
    weight = {k: Fraction(n - 1, comb(n, k) * k * (n - k)) for k in range(1, n)}
    common = int(np.lcm.reduce([w.denominator for w in weight.values()]))
    counts = {k: int(w * common) for k, w in weight.items()}
    shared = int(np.gcd.reduce(list(counts.values())))
    middle = [i for i in range(2**n) if 0 < members[i].sum() < n]
    rows = np.repeat(middle, [counts[int(members[i].sum())] // shared for i in middle])
    game = replace(complete(values), members=members[rows], value=values[rows])
    assert paper.estimate(game, {}).value == pytest.approx(games.shapley(values), abs=1e-9)


def test_ridge_recovers_a_pairwise_game_from_a_few_pairs() -> None:
    """Half the difference of a complementary pair is linear in such a game, so its values are exact without noise."""
    game = drawn(12, "paired-stratified", 40)
    rng = np.random.default_rng(0)
    worth, gain = rng.gamma(2, 1, 12), np.triu(rng.normal(size=(12, 12)), 1)
    assert ridge.estimate(game, {}).value == pytest.approx(worth + (gain + gain.T).sum(1) / 2, abs=1e-6)


def test_the_surrogate_is_exact_where_trees_are() -> None:
    # one contributor alone matters: a stump says it all
    game = drawn(5, "all", 30)
    game = replace(game, value=1.0 + 4 * game.members[:, 2], everyone=np.array([5.0]), empty=np.array([1.0]))
    options = {"trees": 400, "depth": 1, "learning_rate": 0.1}
    assert surrogate.estimate(game, options).value == pytest.approx([0, 0, 4, 0, 0], abs=1e-6)


def test_datamodels_recover_a_linear_game() -> None:
    game = drawn(8, "datamodel", 60)
    worth = np.arange(8.0)
    game = replace(game, value=game.members @ worth)
    for penalty in ("ridge", "lasso"):
        found = datamodel.estimate(game, {"penalty": penalty}).value
        # at one size a constant can be moved between the intercept and all coefficients
        assert found - found.mean() == pytest.approx(worth - worth.mean(), abs=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_owen_values_equal_brute_force(seed: int) -> None:
    values = random_game(5, seed)
    found = owen.estimate(complete(values), GROUPS)
    assert found.value == pytest.approx(games.owen(values, [[0, 3], [1], [2, 4]]), abs=1e-9)
    assert found.value.sum() == pytest.approx(values[-1] - values[0], abs=1e-10)


def test_owen_values_of_single_groups_or_one_group_are_shapley_values() -> None:
    values = random_game(5, 9)
    alone = {f"g{i}": [f"c{i}"] for i in range(5)}
    together = {"g": [f"c{i}" for i in range(5)]}
    for groups in (alone, together):
        found = owen.estimate(complete(values), {"groups": groups})
        assert found.value == pytest.approx(games.shapley(values), abs=1e-9)


def test_owen_values_from_their_design_cover_the_truth() -> None:
    names = [f"c{i}" for i in range(18)]
    groups = {"a": names[:6], "b": names[6:12], "c": names[12:]}
    number = owen.group_numbers(names, groups)
    hits = []
    for seed in range(40):
        game = drawn(18, "owen", 400, noise=2.0, seed=seed, groups=number)
        rng = np.random.default_rng(seed)
        worth, gain = rng.gamma(2, 1, 18), np.triu(rng.normal(size=(18, 18)), 1)
        truth = worth + (gain + gain.T).sum(1) / 2  # a pair's gain is halved in either level
        found = owen.estimate(game, {"groups": groups})
        assert found.interval is not None, found.note
        hits.append(np.abs(found.interval.center - truth) <= found.interval.half_width())
    assert 0.92 <= np.mean(hits) <= 0.99


def test_groups_must_divide_the_contributors() -> None:
    game = complete(random_game(5, 0))
    for groups, found in (
        ({"a": ["c0", "c1", "c2", "c3"]}, "'c4' 0 times"),
        ({"a": ["c0", "c1", "c2", "c3", "c4"], "b": ["c0"]}, "'c0' 2 times"),
        ({"a": ["c0", "c1", "c2", "c3", "c4"], "b": ["x"]}, "found 'x'"),
    ):
        with pytest.raises(UserError, match=found):
            owen.estimate(game, {"groups": groups})


@pytest.mark.parametrize("seed", range(3))
def test_permutation_is_the_mean_over_orders(seed: int) -> None:
    n = 5
    values = random_game(n, seed)
    game = drawn(n, "permutation", 10 * (n - 1) + 2, seed=seed)
    bits = game.members @ (1 << np.arange(n))
    game = replace(game, value=values[bits], everyone=values[-1:], empty=values[:1])
    expected = np.zeros(n)
    for chain in bits[: 10 * (n - 1)].reshape(10, n - 1):
        path = [0, *chain.tolist(), 2**n - 1]
        for before, after in pairwise(path):
            expected[int(np.log2(after ^ before))] += (values[after] - values[before]) / 10
    assert permutation.estimate(game, {}).value == pytest.approx(expected, abs=1e-10)
    with pytest.raises(UserError, match="proper subset 2 does not extend"):
        permutation.estimate(replace(game, members=game.members[[0, 3, 2, 1]], value=game.value[:4]), {})


def test_exact_says_how_many_subsets_are_missing() -> None:
    game = complete(random_game(5, 0))
    short = replace(game, members=np.delete(game.members, [3, 8, 9], axis=0), value=np.delete(game.value, [3, 8, 9]))
    with pytest.raises(UserError, match="3 of the 2\\^5 subsets of 5 contributors are missing"):
        exact.estimate(short, {})


def test_duplicates_are_replicates() -> None:
    """exact: the mean over a subset's rows, with the variance of the mean that their spread gives."""
    values = random_game(3, 0)
    game = complete(values)
    twice = replace(
        game,
        members=np.repeat(game.members, 2, axis=0),
        value=np.repeat(game.value, 2) + np.tile([-0.5, 0.5], 6),
        everyone=values[[-1, -1]] + [-0.5, 0.5],
        empty=values[[0, 0]] + [-0.5, 0.5],
    )
    found = exact.estimate(twice, {})
    assert found.value == pytest.approx(exact.estimate(game, {}).value, abs=1e-12)
    # every mean of two has variance 0.25; weights of a player: 1/3, 1/6, 1/6, 1/3, each once with + and with -
    assert found.interval is not None
    assert found.interval.standard_error**2 == pytest.approx([0.25 * 2 * (2 / 9 + 2 / 36)] * 3)
    assert "not estimable" in exact.estimate(game, {}).note


def test_leave_one_out_names_who_lacks_a_row() -> None:
    game = drawn(5, "leave-one-out", 4)
    with pytest.raises(UserError, match=r"no row of everyone but one for 1 contributor\(s\) such as c4"):
        leave_one_out.estimate(game, {})


@pytest.mark.parametrize("n", [6, 9])
def test_shapiq_agrees(n: int) -> None:
    values = random_game(n, 100 + n)

    def f(x: np.ndarray) -> np.ndarray:
        return values[x.astype(int) @ (1 << np.arange(n))]

    game = complete(values)
    oracle = shapiq.ExactComputer(game=f, n_players=n)
    for index, module in (("SV", exact), ("BV", banzhaf)):
        theirs = oracle(index, order=1)
        assert module.estimate(game, {}).value == pytest.approx([theirs[(i,)] for i in range(n)], abs=1e-9)
    # its regression with every subset in the budget is the least squares that ridge stands on
    theirs = shapiq.KernelSHAP(n, random_state=0).approximate(2**n, f)
    contrasts = least_squares(Regression.of(game.members, game.value, kernel(shapley(n))))
    total = (values[-1] - values[0]) / n
    assert contrasts + total == pytest.approx([theirs[(i,)] for i in range(n)], abs=1e-6)


def test_shapiqs_permutation_sampling_agrees_at_the_distance_of_chance() -> None:
    """Both are unbiased: over many orders they meet, at the distance that chance allows."""
    n, values = 6, random_game(6, 3)
    game = drawn(n, "permutation", 400 * (n - 1))

    def f(x: np.ndarray) -> np.ndarray:
        return values[np.atleast_2d(x).astype(int) @ (1 << np.arange(n))]

    game = replace(game, value=f(game.members), everyone=values[-1:], empty=values[:1])
    found = permutation.estimate(game, {})
    theirs = shapiq.PermutationSamplingSV(n, random_state=1).approximate(400 * (n - 1), f)
    assert found.interval is not None
    error = found.interval.standard_error
    assert np.abs(found.value - [theirs[(i,)] for i in range(n)]).max() < 6 * error.max()


def test_tables_that_say_nothing_of_contributors_give_equal_shares() -> None:
    """Four rows of four sizes: the size explains them all, and what rounding leaves is no signal."""
    members = np.array([np.arange(10) < size for size in (2, 4, 6, 7)])
    game = Utilities([f"c{i}" for i in range(10)], members, 1.0 * members.sum(axis=1), np.array([10.0]), np.zeros(1))
    found = ridge.estimate(game, {})
    assert found.value == pytest.approx(np.ones(10), abs=1e-9)
    assert "equal shares" in found.note
    assert found.interval is None


@pytest.mark.parametrize("design", ["leave-one-out", "add-one-in", "datamodel", "uniform"])
def test_tables_of_other_sizes_have_no_interval(design: str) -> None:
    found = ridge.estimate(drawn(20, design, 400, noise=0.3), {})
    assert found.interval is None
    assert ("a few heavy sizes" if design == "uniform" else "no subsets of sizes") in found.note


def test_replicates_are_not_new_subsets() -> None:
    """The same rows five times, each with its own noise: intervals hold the truth as often as they say."""
    hits = []
    for seed in range(60):
        game = drawn(10, "paired-stratified", 60, seed=seed)
        rng = np.random.default_rng([seed, 1])
        cubic = game.value + 3 * game.members[:, 0] * game.members[:, 1] * game.members[:, 2]
        value = np.repeat(cubic, 5) + rng.normal(size=300)
        members = np.repeat(game.members, 5, axis=0)
        found = ridge.estimate(replace(game, members=members, value=value, everyone=game.everyone + 3), {})
        draws = np.random.default_rng(seed)
        worth, gain = draws.gamma(2, 1, 10), np.triu(draws.normal(size=(10, 10)), 1)
        truth = worth + (gain + gain.T).sum(1) / 2 + np.where(np.arange(10) < 3, 1, 0)
        assert found.interval is not None, found.note
        hits.append(np.abs(found.interval.center - truth) <= found.interval.half_width())
    assert 0.92 <= np.mean(hits) <= 0.99


def test_the_order_of_rows_does_not_matter() -> None:
    game = drawn(10, "paired-stratified", 200, noise=0.5)
    order = np.random.default_rng(0).permutation(200)
    for module in (ridge, paper, banzhaf):
        first, then = (
            module.estimate(one, {})
            for one in (game, replace(game, members=game.members[order], value=game.value[order]))
        )
        assert then.value == pytest.approx(first.value, abs=1e-9)
        if first.interval:
            assert then.interval is not None
            assert then.interval.half_width() == pytest.approx(first.interval.half_width(), abs=1e-9)


def test_papers_interval_is_that_of_its_formula() -> None:
    """Around its own value, and over independent designs as wide as its errors are."""
    hits = []
    for seed in range(100):
        game = drawn(6, "paper", 200, noise=0.5, seed=seed)
        found = paper.estimate(game, {})
        assert found.interval is not None
        assert found.interval.center is found.value
        rng = np.random.default_rng(seed)
        worth, gain = rng.gamma(2, 1, 6), np.triu(rng.normal(size=(6, 6)), 1)
        truth = worth + (gain + gain.T).sum(1) / 2
        hits.append(np.abs(found.value - truth) <= found.interval.half_width())
    assert 0.91 <= np.mean(hits) <= 0.98


@pytest.mark.parametrize("rows", [60, 200])
def test_owen_says_when_a_level_has_no_interval(rows: int) -> None:
    names = [f"c{i}" for i in range(10)]
    groups = {"a": names[:5], "b": names[5:]}
    game = drawn(10, "owen", rows, noise=0.5, groups=owen.group_numbers(names, groups))
    game = replace(game, everyone=game.everyone[:1])  # a note of its own
    found = owen.estimate(game, {"groups": groups})
    assert (found.interval is None) == ("interval not estimable" in found.note)
    assert "single row" in found.note


def test_with_every_subset_the_interval_is_that_of_the_noise() -> None:
    """All 254 subsets three times: what is uncertain is training, as `exact` has it, and not which subsets came."""
    values, rng = random_game(8, 0), np.random.default_rng(1)
    game = complete(values)
    shape = {"everyone": values[-1] + rng.normal(size=5), "empty": values[0] + rng.normal(size=5)}
    for noise in (0.0, 0.3):
        members = np.repeat(game.members, 3, axis=0)
        value = np.repeat(game.value, 3) + noise * rng.normal(size=3 * 254)
        table = replace(game, members=members, value=value, **shape)
        ours, theirs = ridge.estimate(table, {}).interval, exact.estimate(table, {}).interval
        assert ours is not None
        assert theirs is not None
        assert ours.center == pytest.approx(theirs.center, abs=1e-9)
        spread = [np.sqrt(np.diag(x.contrasts - x.contrasts.mean())) for x in (ours, theirs)]
        assert spread[0] == pytest.approx(spread[1], rel=0.25, abs=1e-9)


def test_a_saturated_table_is_solved_or_called_too_small() -> None:
    """All subsets of an additive game of three are its values; single contributors alone say nothing of the rest."""
    add = complete(np.array([0.0, 1, 2, 3, 3, 4, 5, 6]))
    assert estimate(add, {"kind": "ridge"}).value == pytest.approx([1, 2, 3], abs=1e-9)
    alone = Utilities([f"c{i}" for i in range(8)], np.eye(8, dtype=bool), np.arange(8.0), np.full(2, 36.0), np.zeros(2))
    found = estimate(alone, {"kind": "ridge"})
    assert found.note.startswith("differences not estimable: too few different subsets")
    assert "no differences" not in found.note and found.interval is None


def test_whom_no_subset_tells_apart_is_named() -> None:
    game = drawn(6, "paired-stratified", 60)
    never = replace(game, members=game.members & (np.arange(6) != 2), contributors=[f"artist {i}" for i in range(6)])
    never = replace(never, members=np.where(np.arange(6) == 4, never.members[:, [0]], never.members))
    keep = never.members.any(axis=1)
    never = replace(never, members=never.members[keep], value=never.value[keep])
    for kind in ("ridge", "gaussian-process"):
        note = estimate(never, {"kind": kind, "of": "shapley"}).note
        assert "not identified: artist 2, in no subset but everyone" in note
        assert "not told apart by any subset: artist 0, artist 4" in note
    assert "not" not in estimate(game, {"kind": "gaussian-process", "of": "shapley"}).note
