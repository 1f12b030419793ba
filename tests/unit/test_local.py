"""Local attribution: losses by hand, LDS against SciPy, candidates chosen on tuning subsets alone, images removed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from diffusion_credit import local, regeneration
from diffusion_credit.diffusion import Process, sample
from diffusion_credit.errors import UserError
from diffusion_credit.images import Images, as_players
from diffusion_credit.losses import SETS
from diffusion_credit.model_losses import loss

DIFFUSION = dict(timesteps=100, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02, prediction="sample")


def test_the_loss_of_an_image_is_the_mean_over_timesteps() -> None:
    """A network that predicts nothing has the mean square of the image as its loss, whatever the noise."""
    image, rng = torch.rand(1, 4, 4), np.random.default_rng(0)
    process = Process(DIFFUSION, "cpu")
    for batch_size in (1, 2, 64):
        found = loss(lambda x, t: torch.zeros_like(x), process, image, [0, 30, 60], rng, batch_size)
        assert found == pytest.approx(float(image.square().mean()), rel=1e-6)
    # and one that repeats its input, what the process adds
    noise = np.random.default_rng(5).standard_normal((2, 1, 4, 4), dtype=np.float32)
    found = loss(lambda x, t: x, process, image, [0, 60], np.random.default_rng(5), 64)
    each = []
    for t, e in zip((0, 60), torch.from_numpy(noise), strict=True):
        noised = process.signal[t] * image + process.noise[t] * e
        each.append(float((noised - image).square().mean()))
    assert found == pytest.approx(np.mean(each), rel=1e-5)


def test_correlations_are_spearmans() -> None:
    rng = np.random.default_rng(0)
    predicted, measured = rng.standard_normal((12, 5)), rng.integers(0, 4, (12, 5)).astype(float)
    measured[:, 3] = 1.0
    found = local.correlations(predicted, measured)
    for query in range(5):
        expected = stats.spearmanr(predicted[:, query], measured[:, query]).statistic if query != 3 else np.nan
        assert found[query] == pytest.approx(expected, nan_ok=True)


def planted(
    subsets: int, seed: int, replicates: int = 2
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Members, losses that fall by the scores of the images that are there, and these scores."""
    rng = np.random.default_rng(seed)
    members = rng.random((subsets, 30)) < 0.5
    truth = {of: np.random.default_rng(9).standard_normal((4, 30)) for of in SETS}
    losses = {
        of: -(members @ scores.T)[:, None] + 0.1 * rng.standard_normal((subsets, replicates, 4))
        for of, scores in truth.items()
    }
    return members, losses, truth


def module(truth: dict[str, np.ndarray]) -> Any:
    """A baseline with three candidates: the truth turned around, the truth, and noise."""

    def matrix(options: Any, sources: Any, queries: str) -> Any:
        noise = np.random.default_rng(1).standard_normal((4, 30))
        for name, scores in (("turned", -truth[queries]), ("true", truth[queries]), ("noise", noise)):
            yield name, iter([scores[:3], scores[3:]]), {}

    return SimpleNamespace(matrix=matrix)


def test_the_candidate_that_ranks_the_tuning_subsets_best_is_chosen() -> None:
    members, losses, truth = planted(20, 0)
    chosen, about = local.choose(module(truth), {}, {}, members, losses)
    assert chosen == "true"
    expected = [
        stats.spearmanr(members @ truth[of][query], -losses[of].mean(axis=1)[:, query]).statistic
        for of in SETS
        for query in range(4)
    ]
    assert about["tuning_lds"]["true"] == pytest.approx(np.mean(expected))
    assert about["tuning_lds"]["turned"] == pytest.approx(-np.mean(expected))
    np.testing.assert_array_equal(
        local.score_matrix(module(truth), {}, {}, "generated", "true"), truth["generated"].astype(np.float32)
    )


def test_lds_is_averaged_over_images_with_a_floor_and_a_lead() -> None:
    members, losses, truth = planted(40, 1)
    half = {of: scores * (np.arange(30) < 15) for of, scores in truth.items()}
    rows = local.rows(members, losses, {"half": half, "all": truth}, 0)
    found = {(row[0], row[1]): row for row in rows}
    for of in SETS:
        for name, scores in (("half", half), ("all", truth)):
            each = [
                stats.spearmanr(members @ scores[of][query], -losses[of].mean(axis=1)[:, query]).statistic
                for query in range(4)
            ]
            row = found[of, name]
            assert row[5] == pytest.approx(np.mean(each)) and row[6] < row[5] < row[7]
        lead = found[of, "all"]
        assert lead[8] == pytest.approx(lead[5] - found[of, "half"][5]) and lead[9] > 0
        floor = [stats.spearmanr(losses[of][:, 0, q], losses[of][:, 1, q]).statistic for q in range(4)]
        assert found[of, "noise_floor"][5] == pytest.approx(np.mean(floor))


def test_the_ends_are_the_highest_and_the_lowest_scores() -> None:
    scores = np.array([[0.1, 0.9, -0.5, 0.3], [2.0, 1.0, 4.0, 3.0]])
    most, least = local.ends(scores, 2)
    assert most.tolist() == [[1, 3], [2, 3]] and least.tolist() == [[2, 0], [1, 0]]
    rows = local.influential(scores, (most, least), ["a", "b", "c", "d"], ["s0", "s1", "s2", "s3"])
    assert rows[0] == [0, "most", 1, "b", "s1", 0.9] and rows[-1] == [1, "least", 2, "a", "s0", 2.0]


def test_the_best_training_images_are_removed(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    scores = np.random.default_rng(0).standard_normal((5, 20)).astype(np.float32)
    save_file({"generated": scores, "validation": scores}, tmp_path / "scores.safetensors")
    members = regeneration.best_removed(str(tmp_path / "scores.safetensors"), 20, 3, 4, 6)
    assert members.shape == (4, 20) and (members.sum(axis=1) == 14).all()
    for row, kept in zip(scores, members, strict=False):
        assert row[~kept].min() > row[kept].max()
    chance = regeneration.best_removed("", 20, 3, 4, 6)
    assert (chance.sum(axis=1) == 14).all() and len(np.unique(chance, axis=0)) == 4
    assert (regeneration.best_removed("", 20, 3, 2, 6) == chance[:2]).all()


def test_changes_are_distances_and_cosines() -> None:
    black, white = np.zeros((1, 2, 2, 1), np.uint8), np.full((1, 2, 2, 1), 255, np.uint8)
    found = regeneration.changes(black, white, np.array([[1.0, 0.0]]), np.array([[1.0, 1.0]]))
    assert found["pixel_distance"] == pytest.approx([2.0]) and found["cosine"] == pytest.approx([0.5**0.5])
    rows = regeneration.change_rows(
        {"best": found, "random": {"pixel_distance": np.array([0.5]), "cosine": np.array([1.0])}}, 0
    )
    assert rows[0][:4] == ["best", "pixel_distance", 1, 2.0] and rows[0][6] == 1.5


def test_an_image_is_drawn_again_from_its_own_noise() -> None:
    options = dict(solver="ddim", steps=3, batch_size=2, precision="float32", images=5)

    def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return 0.5 * x

    def draw(**changes: Any) -> np.ndarray:
        first = changes.pop("first", 0)
        return sample(predict, lambda x: x, DIFFUSION, {**options, **changes}, (1, 4, 4), 7, "cpu", first=first)

    every = draw()
    for number in range(5):
        assert np.array_equal(draw(images=1, first=number)[0], every[number])
    assert regeneration.image_of("image00003-0") == 3


def test_every_image_becomes_a_player_but_those_held_back() -> None:
    pixels = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    images = Images(["ann", "bob"], np.array([0] * 4 + [1] * 6), [f"s{i}" for i in range(10)], pixels)
    players, held_back = as_players(images, 3, None, 1)
    assert sorted([*players.pixels.ravel(), *held_back.ravel()]) == list(range(10))
    assert len(held_back) == 3 and (players.owner == np.arange(7)).all()
    for number, name, source in zip(players.pixels.ravel(), players.contributors, players.source, strict=True):
        assert name == f"{number:05d} {'ann' if number < 4 else 'bob'}" and source == f"s{number}"
    assert players.labels is not None and players.labels.tolist() == [int(n >= 4) for n in players.pixels.ravel()]
    fewer, same = as_players(images, 3, 4, 1)
    assert len(fewer.contributors) == 4 and set(fewer.contributors) < set(players.contributors)
    assert np.array_equal(same, held_back)
    with pytest.raises(UserError, match=r"local\.validation: found 9 and two for training, expected at most 10 images"):
        as_players(images, 9, None, 1)
    with pytest.raises(UserError, match=r"found 5 and local\.training = 6 for training, expected at most 10 images"):
        as_players(images, 5, 6, 1)
