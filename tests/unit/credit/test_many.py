"""Thousands of contributors, such as single images: scikit-learn, theory, memory, and what is shown."""

import json
import tracemalloc
from collections.abc import Callable
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LassoCV, RidgeCV

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.tables import KEY, Subsets, read_subsets, write_csv, write_subsets
from diffusion_credit.credit import wide
from diffusion_credit.credit.attribution import check_contributors, credit, estimate
from diffusion_credit.credit.estimates import Estimate
from diffusion_credit.credit.estimators import ESTIMATORS, datamodel, exact, ridge
from diffusion_credit.credit.printed import print_attribution
from diffusion_credit.credit.utilities import Utilities
from diffusion_credit.evaluation.counterfactual import rows as counterfactual_rows
from diffusion_credit.evaluation.lds import predicted
from diffusion_credit.report import figures
from diffusion_credit.subsets.design import counterfactual, sampled
from diffusion_credit.subsets.frame import frame_of
from diffusion_credit.subsets.reserved import Reserved

PLANTED = 10


def names(n: int) -> list[str]:
    return [f"image {i:05d}" for i in range(n)]


def small(seed: int, rows: int = 40, n: int = 90, alpha: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """A wide table with a few replicates, and standardised values with some noise."""
    rng = np.random.default_rng(seed)
    members = rng.random((rows, n)) < alpha
    members[-3:] = members[:3]
    y = members @ (rng.normal(size=n) + 6 * (np.arange(n) < 4)) + rng.normal(size=rows)
    return members, (y - y.mean()) / y.std()


def planted(n: int, rows: int, strength: float, noise: float) -> tuple[Utilities, np.ndarray]:
    """Random halves of n images with normal effects, the first ones stronger. noise: share of the variance of F."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=n)
    truth[:PLANTED] = strength
    design = sampled(names(n), "datamodel", rows, frame_of(names(n), 0, Reserved(n, [n // 2], 0), {"alpha": 0.5}))
    value = design.members @ truth
    value += rng.normal(size=rows) * sqrt(noise) * value.std()
    return Utilities(names(n), design.members, value, truth.sum(keepdims=True), np.zeros(1)), truth


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9])
def test_ridge_in_the_dual_form_is_scikit_learns(alpha: float) -> None:
    for seed in range(3):
        members, y = small(seed, alpha=alpha)
        found = datamodel.ridge(members, y)
        expected = RidgeCV(alphas=np.logspace(-6, 6, 121) * len(y)).fit(members.astype(float), y).coef_
        assert found == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9])
def test_lasso_by_strong_rules_is_scikit_learns(alpha: float, monkeypatch: pytest.MonkeyPatch) -> None:
    for tight in ("COARSE", "FINE"):
        monkeypatch.setattr(wide, tight, 1e-10)
    for seed in range(2):
        members, y = small(seed, alpha=alpha)
        found = datamodel.lasso(members, y)
        model = LassoCV(cv=datamodel.FOLDS, eps=wide.LEAST, tol=1e-10, max_iter=100_000)
        expected = model.fit(members.astype(float), y).coef_
        # of two contributors who are always in together either may have the coefficient
        assert members @ (found - expected) == pytest.approx(
            np.full(len(y), (members @ (found - expected)).mean()), abs=1e-6
        )
        assert found.sum() == pytest.approx(expected.sum(), abs=1e-6)


def test_rows_that_say_nothing_give_no_differences() -> None:
    members, y = small(0)
    assert not datamodel.ridge(np.repeat(members[:1], len(y), axis=0), y).any()
    assert not datamodel.lasso(np.repeat(members[:1], len(y), axis=0), y).any()
    assert not datamodel.lasso(members, np.zeros(len(y))).any()


def test_ridge_finds_as_much_of_5000_images_as_theory_allows() -> None:
    """The marginal effects in m random halves correlate with the truth by sqrt(m / (m + n (1 + noise)))."""
    n, rows, noise = 5000, 800, 0.25
    game, truth = planted(n, rows, 40.0, noise)
    found = datamodel.estimate(game, {"penalty": "ridge"}).value
    theory = sqrt(rows / (rows + n * (1 + noise)))
    correlation = np.corrcoef(found, truth)[0, 1]
    assert 0.9 * theory < correlation < sqrt(rows / n)  # and no estimator linear in F can pass the upper end
    assert set(np.argsort(-found)[:PLANTED]) == set(range(PLANTED))  # expected at 7 standard errors each
    fresh = np.random.default_rng(2).random((1000, n)) < 0.5  # the LDS of such values is their correlation
    held = Subsets(names(n), [str(i) for i in range(1000)], [0] * 1000, [0] * 1000, fresh, fresh @ truth)
    (row,) = predicted({"0.5": held}, {"ridge": found}, 0)["ridge"]
    assert row[1] == pytest.approx(correlation, abs=0.08)


def test_lasso_singles_out_the_strong_ones_of_5000_images() -> None:
    game, _ = planted(5000, 300, 60.0, 0.1)
    estimate = datamodel.estimate(game, {"penalty": "lasso"})
    found = estimate.value
    assert set(np.argsort(-found)[:PLANTED]) == set(range(PLANTED))
    assert np.count_nonzero(found) < 300
    assert f"{np.count_nonzero(found)} of 5000 contributors have a coefficient" in estimate.note


@pytest.mark.parametrize(("fit", "tables"), [(datamodel.ridge, 2.0), (datamodel.lasso, 4.0)])
def test_memory_is_a_few_tables_in_bytes(
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray], tables: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide, "PATH", 30)  # as close to each other as the 100, but the first ones only
    monkeypatch.setattr(wide, "LEAST", 0.2)
    members, y = small(0, rows=60, n=20_000)
    fit(members[:20], y[:20])  # imports
    tracemalloc.start()
    fit(members, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < tables * members.nbytes  # a float64 copy is eight


@pytest.mark.parametrize("odd", ["plain", 'a "quoted", name', "two\nlines", "a\rreturn"])
@pytest.mark.parametrize("valued", [False, True])
def test_a_table_of_5000_columns_is_the_csv_it_was(odd: str, valued: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows, contributors = 12, [odd, *names(4999)]
    value = rng.normal(size=rows) if valued else None
    ids = [f"{i:05d}" for i in range(rows)]
    table = Subsets(contributors, ids, [0] * rows, [*range(rows)], rng.random((rows, 5000)) < 0.5, value)
    cells = [*zip(table.subset, table.replicate, table.seed, *table.members.astype(int).T.tolist(), strict=True)]
    if value is not None:
        cells = [(*row, float(x)) for row, x in zip(cells, value, strict=True)]
    write_csv(tmp_path / "plain.csv", [*KEY, *contributors, *(["value"] if valued else [])], cells)
    write_subsets(tmp_path / "ours.csv", table)
    assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()
    again = read_subsets(tmp_path / "ours.csv", valued)
    assert again.contributors == contributors and again.subset == ids and again.seed == table.seed
    assert (again.members == table.members).all()
    assert value is None or (again.value == value).all()


def test_a_figure_and_a_list_show_the_best_and_the_worst(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    value = np.random.default_rng(0).permutation(5000) - 1000.0
    game = Utilities(names(5000), np.zeros((0, 5000), bool), np.zeros(0), np.ones(1), np.zeros(1))
    result = credit(game.contributors, game.total, Estimate(value, "by hand"), True, 1)
    figure = figures.attribution_bars(result, "many", True)
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    order = np.argsort(-value)
    assert shown == [names(5000)[i] for i in [*order[:20], *order[-20:]]]
    assert "4,960 others" in "".join(text.get_text() for text in figure.axes[0].texts)
    figures.save(figure, tmp_path / "many.png")
    width, height = Image.open(tmp_path / "many.png").size
    assert width < 1500 and height < 2500
    print_attribution(result)
    printed = capsys.readouterr().out
    assert printed.count("image ") == 40 and "4,960 others" in printed and names(5000)[order[-1]] in printed


def test_sixty_contributors_are_all_shown() -> None:
    game = Utilities(names(60), np.zeros((0, 60), bool), np.zeros(0), np.ones(1), np.zeros(1))
    figure = figures.attribution_bars(
        credit(game.contributors, game.total, Estimate(np.arange(60.0), "by hand"), True, 1), "few", True
    )
    assert len(figure.axes[0].get_yticklabels()) == 60 and not figure.axes[0].texts


@pytest.mark.parametrize("kind", [kind for kind in ESTIMATORS if kind != "datamodel"])
def test_too_many_contributors_are_refused_before_memory_is_taken(kind: str) -> None:
    n = 50_000
    members = np.random.default_rng(0).random((20, n)) < 0.5
    game = Utilities(names(n), members, np.arange(20.0), np.ones(2), np.zeros(2))
    tracemalloc.start()
    with pytest.raises(UserError, match=f"estimator {kind}: not estimable: found 50000 contributors, expected at most"):
        estimate(game, {"kind": kind})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6
    check_contributors("datamodel", n)


def test_exact_says_so_in_a_number_for_people() -> None:
    members = np.random.default_rng(0).random((20, 5000)) < 0.5
    game = Utilities(names(5000), members, np.arange(20.0), np.ones(2), np.zeros(2))
    with pytest.raises(UserError, match=r"all but 22 of the 2\^5000 subsets of 5000 contributors are missing"):
        exact.estimate(game, {})


def test_sizes_with_more_subsets_than_a_float_can_count() -> None:
    n = 1100  # 1100 choose 550 is about 1e329
    members = np.random.default_rng(0).permuted(np.arange(n) < n // 2, axis=0)
    halves = np.stack([np.random.default_rng(i).permutation(members) for i in range(12)])
    value = halves.sum(axis=1) + np.repeat(np.arange(6.0), 2)
    game = Utilities(names(n), np.repeat(halves[:6], 2, axis=0), value, np.array([5.0]), np.array([1.0]))
    assert ridge.estimate(game, {}).value.sum() == pytest.approx(4.0)


def test_a_counterfactual_of_many_counts_them(tmp_path: Path) -> None:
    removed = counterfactual(names(5000), 0, list(range(5000)), 0.4, 2)
    anchors = Subsets(names(5000), ["everyone"] * 2, [0, 1], [0, 1], np.ones((2, 5000), bool), np.array([1.0, 1.1]))
    measured = Subsets(*[getattr(removed, key) for key in ("contributors", *KEY, "members")], np.arange(6.0))
    found = {row[0]: json.loads(row[1]) for row in counterfactual_rows(anchors, measured)}
    assert found == {"everyone": 5000, "without_top": 3000, "only_top": 2000, "without_bottom": 3000}
