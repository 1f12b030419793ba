"""The published estimator against brute force, a bordered linear system, and games with known values."""

from fractions import Fraction
from itertools import combinations, permutations
from math import comb, factorial

import numpy as np
import pytest

from diffusion_credit.attribution import attribute
from diffusion_credit.errors import UserError
from diffusion_credit.estimators.paper import estimate
from diffusion_credit.tables import Subsets


def lattice(n: int) -> np.ndarray:
    return np.array([[i >> k & 1 for k in range(n)] for i in range(2**n)], dtype=bool)


def brute_force(values: np.ndarray, n: int) -> np.ndarray:
    """Mean marginal contribution, by the definition. values: indexed by the subset's bits."""
    phi = np.zeros(n)
    for player in range(n):
        others = [k for k in range(n) if k != player]
        for size in range(n):
            weight = factorial(size) * factorial(n - 1 - size) / factorial(n)
            for chosen in combinations(others, size):
                bits = sum(1 << k for k in chosen)
                phi[player] += weight * (values[bits | 1 << player] - values[bits])
    return phi


def kernel_rows(n: int) -> np.ndarray:
    """How often each subset must be listed so that the list is exactly the Shapley kernel's distribution."""
    weight = {k: Fraction(n - 1, comb(n, k) * k * (n - k)) for k in range(1, n)}
    common = np.lcm.reduce([w.denominator for w in weight.values()])
    counts = {k: int(w * int(common)) for k, w in weight.items()}
    shared = np.gcd.reduce(list(counts.values()))
    members = lattice(n)
    middle = [i for i in range(2**n) if 0 < members[i].sum() < n]
    return np.repeat(middle, [counts[int(members[i].sum())] // shared for i in middle])


@pytest.mark.parametrize("n", [2, 3, 5, 10])
def test_all_subsets_by_the_kernel_give_brute_force_values(n: int) -> None:
    values = np.random.default_rng(n).normal(size=2**n) + 3  # F(empty) is not 0
    rows = kernel_rows(n)
    phi = estimate(lattice(n)[rows], values[rows], values[-1], values[0], {})
    assert phi == pytest.approx(brute_force(values, n), abs=1e-9)


def test_glove_game() -> None:
    # players 0, 1 hold left gloves, 2, 3, 4 right ones; a pair is worth 1: 13/20 twice, 7/30 three times
    members = lattice(5)
    values = np.minimum(members[:, :2].sum(1), members[:, 2:].sum(1)).astype(float)
    phi = estimate(members[kernel_rows(5)], values[kernel_rows(5)], values[-1], values[0], {})
    assert phi == pytest.approx([13 / 20] * 2 + [7 / 30] * 3, abs=1e-9)


def test_airport_game() -> None:
    costs = np.array([1, 2, 2, 5, 9.0])
    members = lattice(5)
    values = (members * costs).max(axis=1)
    phi = estimate(members[kernel_rows(5)], values[kernel_rows(5)], values[-1], values[0], {})
    assert phi == pytest.approx([1 / 5, 9 / 20, 9 / 20, 39 / 20, 119 / 20], abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_the_constrained_least_squares_of_a_sample(seed: int) -> None:
    """Minimise the squared error subject to the total, solved as one bordered system instead."""
    rng = np.random.default_rng(seed)
    n, m = 6, 80
    members = rng.random((m, n)) < 0.5
    values, everyone, empty = rng.normal(size=m), 2.5, -0.5
    x = members.astype(float)
    system = np.block([[2 * x.T @ x, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    expected = np.linalg.solve(system, np.r_[2 * x.T @ (values - empty), everyone - empty])[:n]
    assert estimate(members, values, everyone, empty, {}) == pytest.approx(expected, abs=1e-8)


def random_table(n: int = 5, m: int = 40, seed: int = 0) -> Subsets:
    rng = np.random.default_rng(seed)
    proper = rng.permuted(np.arange(n) < rng.integers(1, n, size=(m, 1)), axis=1)
    members = np.vstack([proper, np.ones((2, n), bool), np.zeros((2, n), bool)])
    rows = len(members)
    names = [f"c{i}" for i in range(n)]
    return Subsets(names, [str(i) for i in range(rows)], [0] * rows, [0] * rows, members, rng.normal(size=rows))


def test_the_values_sum_to_everyone_minus_empty() -> None:
    table = random_table()
    assert table.value is not None
    total = table.value[-4:-2].mean() - table.value[-2:].mean()
    result = attribute(table, estimate, {}, higher_is_better=True)
    assert result.value.sum() == pytest.approx(total, abs=1e-10)
    assert result.share.sum() == pytest.approx(1, abs=1e-10)


def test_scaling_and_renaming_do_what_they_should() -> None:
    table = random_table()
    assert table.value is not None
    phi = attribute(table, estimate, {}, True).value
    scaled = Subsets(table.contributors, table.subset, table.replicate, table.seed, table.members, 3 * table.value + 7)
    assert attribute(scaled, estimate, {}, True).value == pytest.approx(3 * phi, abs=1e-9)
    for order in list(permutations(range(5)))[::17]:
        moved = Subsets(
            table.contributors, table.subset, table.replicate, table.seed, table.members[:, order], table.value
        )
        assert attribute(moved, estimate, {}, True).value == pytest.approx(phi[list(order)], abs=1e-9)


def test_ranks_follow_the_direction_of_the_property() -> None:
    table = random_table()
    up, down = attribute(table, estimate, {}, True), attribute(table, estimate, {}, False)
    assert up.rank[int(np.argmax(up.value))] == 1
    assert down.rank[int(np.argmin(up.value))] == 1
    assert up.order == down.order[::-1]


def test_a_table_without_its_ends_is_refused() -> None:
    with pytest.raises(UserError, match="everyone"):
        attribute(random_table().rows(range(40)), estimate, {}, True)
