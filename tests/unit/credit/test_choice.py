"""What to measure next, against processes that have really seen the choice and against brute force."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from math import comb

import numpy as np
import pytest

from diffusion_credit.credit.process.choice import POINTS, Belief, choose, uncertainty
from diffusion_credit.credit.process.likelihood import Alike, Data
from diffusion_credit.credit.process.posterior import Process, Semivalues
from diffusion_credit.credit.semivalues import banzhaf, shapley
from diffusion_credit.subsets.frame import Frame
from diffusion_credit.subsets.offers import offers
from diffusion_credit.subsets.reserved import Reserved

N = 6
NONE = np.zeros((1, N + 1))
PROPER = np.array([row for row in product([False, True], repeat=N) if 0 < sum(row) < N])
SINGLES = PROPER[:, None]
PAIRS = np.stack([PROPER[:31], ~PROPER[:31]], axis=1)


def process(rows: int = 20, seed: int = 0, points: int = 3) -> Process:
    """A noisy game with interactions; few points of the hyperparameters, so that all of them take part."""
    rng = np.random.default_rng(seed)
    members = rng.permutation(PROPER)[:rows]
    gain = np.triu(rng.normal(size=(N, N)), 1)
    value = members @ rng.normal(size=N) + np.einsum("ri,ij,rj->r", members, gain, members) + rng.normal(size=rows)
    found = Process(N, Data(members, value, rng.integers(1, 3, rows), NONE, NONE, np.zeros(rows, dtype=int)))
    order = np.argsort(-found.weights)[:points]
    found.points, found.weights = found.points[order], found.weights[order] / found.weights[order].sum()
    return found


def variances(known: Process, members: np.ndarray, predecessors: np.ndarray, point: int) -> float:
    """Of the values less their mean, with a measurement more of each of the members, from all subsets one by one."""
    weights = np.zeros((N, len(PROPER)))  # of the proper subsets in the semivalue, by its definition
    for i, (at, subset) in product(range(N), enumerate(PROPER)):
        others = int(subset.sum() - subset[i])
        weights[i, at] = (1 if subset[i] else -1) * predecessors[others] / comb(N - 1, others)
    weights -= weights.mean(axis=0)
    tables = known.likelihood.family.tables(known.points[point])
    seen = np.concatenate([np.repeat(known.data.members, known.data.rows, axis=0), members])
    most = len(tables.orders) - 1
    among = Alike(N, most, seen, seen).covariance(tables) + np.diag(tables.noise[seen.sum(axis=1) - 1])
    cross = weights @ Alike(N, most, PROPER, seen).covariance(tables)
    prior = weights @ Alike(N, most, PROPER, PROPER).covariance(tables) @ weights.T
    return float(np.trace(prior - cross @ np.linalg.solve(among, cross.T))) * known.likelihood.scale**2


@pytest.mark.parametrize("semivalue", [shapley, banzhaf])
@pytest.mark.parametrize("together", [SINGLES, PAIRS], ids=["subsets", "pairs"])
def test_every_choice_is_the_best_of_all_after_those_before(
    together: np.ndarray, semivalue: Callable[[int], np.ndarray]
) -> None:
    known, predecessors = process(), semivalue(N)
    chosen = choose([(known, 1.0)], together, predecessors, 4)
    before = np.empty((0, N), dtype=bool)
    for at in chosen:
        left = [
            sum(
                weight * variances(known, np.concatenate([before, offer]), predecessors, point)
                for point, weight in enumerate(known.weights)
            )
            for offer in together
        ]
        assert left[at] == pytest.approx(min(left), rel=1e-9)
        before = np.concatenate([before, together[at]])


@pytest.mark.parametrize("together", [SINGLES, PAIRS], ids=["subsets", "pairs"])
def test_what_is_promised_is_what_a_process_believes_that_has_seen_the_choice(together: np.ndarray) -> None:
    known, predecessors = process(points=1), shapley(N)
    belief = Belief(known, known.points[0], together, predecessors)
    promised = uncertainty(known, predecessors)
    chosen = choose([(known, 1.0)], together, predecessors, 5)
    for at in chosen:
        promised -= belief.gains()[at] * known.likelihood.scale**2
        belief.measure(at, Alike(N, belief.most, together.reshape(-1, N), together[at]))

    rows = {row.tobytes(): int(count) for row, count in zip(known.data.members, known.data.rows, strict=True)}
    for row in together[chosen].reshape(-1, N):
        rows[row.tobytes()] = rows.get(row.tobytes(), 0) + 1
    members = np.array([np.frombuffer(row, dtype=bool) for row in rows])
    seen = process(points=1)  # its hyperparameters stay; the utilities that are found do not matter
    seen.data = Data(
        members, np.zeros(len(members)), np.array(list(rows.values())), NONE, NONE, np.zeros(len(members), dtype=int)
    )
    seen.likelihood.data = seen.data
    seen.likelihood.y = np.zeros(len(members))
    seen.likelihood.alike = Alike(N, seen.likelihood.family.most, members, members)
    assert promised == pytest.approx(uncertainty(seen, predecessors), rel=1e-8)


def test_uncertainty_is_the_variance_of_all_differences() -> None:
    known, predecessors = process(), shapley(N)
    _, covariance = known.answer(Semivalues(predecessors))
    variance = np.diag(covariance)
    differences = variance[:, None] + variance - 2 * covariance
    assert uncertainty(known, predecessors) == pytest.approx(differences.sum() / (2 * N))


def test_without_noise_the_only_subset_that_was_not_measured_comes_first() -> None:
    whole = process(len(PROPER), points=1)
    data = whole.data
    left = replace(data, members=data.members[1:], mean=data.mean[1:], rows=data.rows[1:], regime=data.regime[1:])
    known = Process(N, left)
    known.points, known.weights = whole.points, whole.weights
    known.likelihood.family = replace(known.likelihood.family, exact=True)
    first = choose([(known, 1.0)], SINGLES, shapley(N), 1)[0]
    assert (PROPER[first] == data.members[0]).all()


def test_an_offer_may_come_again() -> None:
    assert (choose([(process(), 1.0)], SINGLES[:1], shapley(N), 3) == 0).all()


def test_a_property_that_counts_nothing_changes_nothing() -> None:
    one, other = process(seed=1), process(seed=2)
    alone = choose([(one, 1.0)], SINGLES, shapley(N), 6)
    assert (choose([(one, 1.0), (other, 0.0)], SINGLES, shapley(N), 6) == alone).all()
    assert (choose([(one, 7.0)], SINGLES, shapley(N), 6) == alone).all()
    assert (choose([(one, 0.0), (other, 1.0)], SINGLES, shapley(N), 6) != alone).any()


def test_many_points_of_the_hyperparameters_are_left_out() -> None:
    known = process(points=32)
    first = choose([(known, 1.0)], SINGLES, shapley(N), 3)
    order = np.argsort(-known.weights)[:POINTS]
    known.points, known.weights = known.points[order], known.weights[order]
    assert (choose([(known, 1.0)], SINGLES, shapley(N), 3) == first).all()


def test_what_is_held_out_is_never_chosen() -> None:
    reserved = Reserved(N, (2, 3), 0)
    found = offers(Frame(N, 0, reserved), 0).reshape(-1, 1, N)
    chosen = choose([(process(), 1.0)], found, shapley(N), 60)
    assert not any(row in reserved for row in found[chosen, 0])
    assert (chosen == choose([(process(), 1.0)], found, shapley(N), 60)).all()
