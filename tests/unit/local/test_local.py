"""Local attribution: losses by hand, LDS against SciPy, candidates chosen on tuning subsets alone, images removed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from scipy import stats
from studies import ROOT, TRAINING

from diffusion_credit.base.errors import UserError
from diffusion_credit.data.images import Images
from diffusion_credit.data.index import Index, write_index
from diffusion_credit.local import influence, regeneration
from diffusion_credit.local.losses import SETS
from diffusion_credit.local.players import as_players
from diffusion_credit.models.diffusion import Process, sample
from diffusion_credit.models.training import loss_of_image
from diffusion_credit.study import plan
from diffusion_credit.study.checking import check
from diffusion_credit.study.config import read_study

DIFFUSION = dict(timesteps=100, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02, prediction="sample")


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "credit": (
        {"pruning": {"ratio": 0.5, "refit": TRAINING}},
        "pruning: found together with local, expected only one of them",
    ),
    "no methods": ({"baselines": {}}, "baselines: not found, expected at least one method, because"),
    "own score": (
        {"baselines": {"score": {"kind": "own_score", "extractor": "classifier", "of": "x"}}},
        "found 'x', expected a score|found own_score, expected another kind, because an own score",
    ),
    "chance": (
        {"baselines": {"random": {"kind": "similarity"}}},
        "baselines: found the name random, expected another name, because results use this one",
    ),
    "floor": (
        {"baselines": {"noise_floor": {"kind": "similarity"}}},
        "found the name noise_floor, expected another name",
    ),
    "ensemble": (
        {"gradients.squared_l2.models": "retrained"},
        r"gradients\.squared_l2\.models: found retrained, expected full or checkpoints in a study with local",
    ),
    "too few drawn": (
        {"local.generated": 101},
        r"local\.generated: found 101, expected at most generation\.images = 100",
    ),
    "again": (
        {"local.regeneration.images": 101},
        r"regeneration\.images: found 101, expected at most local\.generated",
    ),
    "extractor": (
        {"local.regeneration.extractor": "clip"},
        r"extractor: found 'clip', expected a name below extractors",
    ),
    "levels": (
        {"local.timesteps": 1001},
        r"local\.timesteps: found 1001, expected at most diffusion\.timesteps = 1000",
    ),
    "checkpoints": ({"local.retrain.checkpoints": 2}, r"local\.retrain\.checkpoints: found 2, expected 0"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_study_of_single_images_that_cannot_be_is_one_sentence(name: str) -> None:
    study = yaml.safe_load((ROOT / "config/studies/dtrak_digits.yaml").read_text())
    read_study(study)
    for key, value in MISTAKES[name][0].items():
        *sections, last = key.split(".")
        part = study
        for section in sections:
            part = part[section]
        part[last] = value
    with pytest.raises(UserError, match=MISTAKES[name][1]):
        read_study(study)


def test_checkpoints_are_kept_of_the_full_model_alone() -> None:
    study = yaml.safe_load((ROOT / "config/studies/dtrak_digits.yaml").read_text())
    study["training"]["checkpoints"] = 3
    del study["local"]["retrain"]
    trainings = plan.trainings(read_study(study))
    assert (trainings["full"].checkpoints, trainings["retrain"].checkpoints) == (3, 0)


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        ({"alpha": 0.001}, r"config: local\.alpha: found 0\.001, expected between 1/60 and 1 for 60 contributors"),
        ({"removed": 60}, r"config: local\.regeneration\.removed: found 60, expected less than 60, the number of"),
        (
            {"alpha": 0.017, "subsets": 31},
            r"config: local\.subsets: found 31, expected at most 30, half of the subsets",
        ),
        ({"alpha": 0.017, "subsets": 30, "tuning": 31}, r"config: local\.tuning: found 31, expected at most 30"),
    ],
)
def test_a_study_that_does_not_fit_its_images_is_one_sentence(
    tmp_path: Path, edit: dict[str, Any], complaint: str
) -> None:
    study = yaml.safe_load((ROOT / "config/studies/dtrak_digits.yaml").read_text())
    for key, value in edit.items():
        (study["local"]["regeneration"] if key == "removed" else study["local"])[key] = value
    images = Images(["a"], np.zeros(70, int), [f"s{i}" for i in range(70)], np.zeros((70, 8, 8, 1), np.uint8))
    players, _ = as_players(images, 10, None, 0)
    write_index(players, *(tmp_path / name for name in ("index.csv", "pixels.npy", "index.json")))
    with pytest.raises(UserError, match=complaint):
        check(read_study(study), Index(tmp_path / "index.json"))


def test_the_loss_of_an_image_is_the_mean_over_timesteps() -> None:
    """A network that predicts nothing has the mean square of the image as its loss, whatever the noise."""
    image, rng = torch.rand(1, 4, 4), np.random.default_rng(0)
    process = Process(DIFFUSION, "cpu")
    for batch_size in (1, 2, 64):
        found = loss_of_image(lambda x, t: torch.zeros_like(x), process, image, [0, 30, 60], rng, batch_size)
        assert found == pytest.approx(float(image.square().mean()), rel=1e-6)
    # and one that repeats its input, what the process adds
    noise = np.random.default_rng(5).standard_normal((2, 1, 4, 4), dtype=np.float32)
    found = loss_of_image(lambda x, t: x, process, image, [0, 60], np.random.default_rng(5), 64)
    each = []
    for t, e in zip((0, 60), torch.from_numpy(noise), strict=True):
        noised = process.signal[t] * image + process.noise[t] * e
        each.append(float((noised - image).square().mean()))
    assert found == pytest.approx(np.mean(each), rel=1e-5)


def test_correlations_are_spearmans() -> None:
    rng = np.random.default_rng(0)
    predicted, measured = rng.standard_normal((12, 5)), rng.integers(0, 4, (12, 5)).astype(float)
    measured[:, 3] = 1.0
    found = influence.correlations(predicted, measured)
    for query in range(5):
        expected = stats.spearmanr(predicted[:, query], measured[:, query]).statistic if query != 3 else np.nan
        assert found[query] == pytest.approx(expected, nan_ok=True)


def planted(
    subsets: int, seed: int, replicates: int = 2
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Members, losses that fall by the scores of the images that are there, and these scores."""
    rng = np.random.default_rng(seed)
    members = np.argsort(rng.random((subsets, 30)), axis=1) < 15
    truth = {of: np.random.default_rng(9).standard_normal((4, 30)) for of in SETS}
    losses = {
        of: -(members @ scores.T)[:, None] + 0.1 * rng.standard_normal((subsets, replicates, 4))
        for of, scores in truth.items()
    }
    return members, losses, truth


def module(truth: dict[str, np.ndarray]) -> Any:
    """A baseline with four candidates: a constant, the truth turned around, the truth, and noise."""

    def matrix(options: Any, sources: Any, sets: Any) -> Any:
        noise = dict.fromkeys(sets, np.random.default_rng(1).standard_normal((4, 30)))
        turned = {of: -scores for of, scores in truth.items()}
        constant = {of: np.full((4, 30), 0.1) for of in sets}
        for name, scores in (("constant", constant), ("turned", turned), ("true", truth), ("noise", noise)):
            yield name, {of: iter([scores[of][:3], scores[of][3:]]) for of in sets}, {}

    return SimpleNamespace(matrix=matrix)


def test_the_candidate_that_ranks_the_tuning_subsets_best_is_chosen() -> None:
    members, losses, truth = planted(20, 0)
    scores, about = influence.choose(module(truth), {}, {}, members, losses)
    assert about["chosen"] == "true"
    expected = [
        stats.spearmanr(members @ truth[of][query], -losses[of].mean(axis=1)[:, query]).statistic
        for of in SETS
        for query in range(4)
    ]
    assert about["tuning_lds"]["true"] == pytest.approx(np.mean(expected))
    assert about["tuning_lds"]["turned"] == pytest.approx(-np.mean(expected))
    assert about["tuning_lds"]["constant"] is None  # ranks nothing, whatever rounding makes of equal sums
    for of in SETS:
        np.testing.assert_array_equal(scores[of], truth[of].astype(np.float32))


def test_lds_is_averaged_over_images_with_a_floor_and_a_lead() -> None:
    members, losses, truth = planted(40, 1)
    half = {of: scores * (np.arange(30) < 15) for of, scores in truth.items()}
    rows = influence.rows(members, losses, {"half": half, "all": truth}, 0)
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
    most, least = influence.ends(scores, 2)
    assert most.tolist() == [[1, 3], [2, 3]] and least.tolist() == [[2, 0], [1, 0]]
    rows = influence.influential(scores, (most, least), ["a", "b", "c", "d"], ["s0", "s1", "s2", "s3"])
    assert rows[0] == [0, "most", 1, "b", "s1", 0.9] and rows[-1] == [1, "least", 2, "a", "s0", 2.0]


def test_the_best_training_images_are_removed(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    scores = np.random.default_rng(0).standard_normal((5, 20)).astype(np.float32)
    save_file({"generated": scores, "validation": scores}, tmp_path / "scores.safetensors")
    members = regeneration.best_removed(tmp_path / "scores.safetensors", 20, 3, 4, 6)
    assert members.shape == (4, 20) and (members.sum(axis=1) == 14).all()
    for row, kept in zip(scores, members, strict=False):
        assert row[~kept].min() > row[kept].max()
    chance = regeneration.best_removed(None, 20, 3, 4, 6)
    assert (chance.sum(axis=1) == 14).all() and len(np.unique(chance, axis=0)) == 4
    assert (regeneration.best_removed(None, 20, 3, 2, 6) == chance[:2]).all()


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
    assert sorted([*players.pixels.ravel(), *held_back.pixels.ravel()]) == list(range(10))
    assert held_back.source == [f"s{number}" for number in held_back.pixels.ravel()]
    assert len(held_back.pixels) == 3 and (players.owner == np.arange(7)).all()
    for number, name, source in zip(players.pixels.ravel(), players.contributors, players.source, strict=True):
        assert name == f"{number:05d} {'ann' if number < 4 else 'bob'}" and source == f"s{number}"
    assert players.labels is not None and players.labels.tolist() == [int(n >= 4) for n in players.pixels.ravel()]
    fewer, same = as_players(images, 3, 4, 1)
    assert len(fewer.contributors) == 4 and set(fewer.contributors) < set(players.contributors)
    assert np.array_equal(same.pixels, held_back.pixels)
    with pytest.raises(
        UserError, match=r"local\.validation: found 9 and two images for training, expected at most 10 images"
    ):
        as_players(images, 9, None, 1)
    with pytest.raises(
        UserError, match=r"found 5 and local\.training = 6 images for training, expected at most 10 images"
    ):
        as_players(images, 5, 6, 1)
