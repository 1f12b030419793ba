"""The transformer: told what it should be, pruned by hand, trained without a random draw of its own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DiTPipeline, DiTTransformer2DModel
from pipelines import announced
from torch import nn

from diffusion_credit.base.errors import UserError
from diffusion_credit.models import diffusion, optimising, training
from diffusion_credit.models.checkpoints import build, count_parameters, load_model, reinitialise, save_model
from diffusion_credit.models.given import dit as given
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.networks import dit, unet
from diffusion_credit.models.options import Training
from diffusion_credit.models.pruning import dit as pruning

OPTIONS = dict(width=16, patch=2, heads=4, layers=2)
NETWORK = dit.architecture(OPTIONS, (1, 8, 8))
X = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
FLOW = dict(timesteps=1000, schedule="flow", times="uniform", shift=1.0)
EPSILON = dict(timesteps=1000, schedule="linear", beta_start=1e-4, beta_end=0.02, prediction="epsilon")


def drawn(architecture: dict[str, Any] = NETWORK) -> DiTTransformer2DModel:
    """A network as a training leaves it: no weight is zero."""
    model = build(architecture, 1, {}).eval()
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=rng))
    return model


def predicted(model: nn.Module, times: float | list[float] = 500.0, **told: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return dit.denoiser(model, NETWORK, {}, guidance=1)(X, torch.tensor(times), **told)


def prune(model: nn.Module, ratio: float) -> dict[str, Any]:
    return pruning.prune(model, NETWORK, {"ratio": ratio})


def test_the_output_is_that_of_plain_diffusers(tmp_path: Path) -> None:
    """Read by its own class, from a checkpoint of ours; told its only class."""
    model = drawn()
    save_model(tmp_path, model, {"architecture": NETWORK, "diffusion": {}}, {})
    theirs = DiTTransformer2DModel.from_pretrained(tmp_path).eval()
    times, classes = [3.25, 500.0, 999.0], torch.zeros(3, dtype=torch.long)
    with torch.inference_mode():
        expected = theirs(X, torch.tensor(times), class_labels=classes).sample
    assert expected.shape == X.shape  # of the images alone, without variances
    assert torch.equal(predicted(model, times), expected)
    assert torch.equal(predicted(load_model(tmp_path)[0], times), expected)


def test_times_between_two_steps_are_told() -> None:
    """As flow matching has them: the sines of the embedding are those of the time itself."""
    model, times = drawn(), torch.tensor([0.5, 2.25, 998.9])
    frequencies = 10000 ** (-torch.arange(128, dtype=torch.float64) / 127)
    angles = times.double()[:, None] * frequencies
    found = model.transformer_blocks[0].norm1.emb.time_proj(times)
    assert torch.allclose(found.double(), torch.cat([angles.cos(), angles.sin()], 1), atol=1e-4)
    each = [predicted(model, time) for time in (2.0, 2.5, 3.0)]
    assert not torch.allclose(each[0], each[1], atol=1e-4) and not torch.allclose(each[1], each[2], atol=1e-4)


def test_initialisation_is_the_papers() -> None:
    """Blocks that change nothing and an output of zero; all else of the stated spread, and by the seed alone."""
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    model = build(dit.architecture({**OPTIONS, "width": 64}, (1, 8, 8)), 1, {})
    assert torch.equal(torch.rand(3), expected)  # the caller's random state is left alone
    assert not predicted(model).any()
    tokens = model.pos_embed(X)
    block = model.transformer_blocks[0]
    classes = torch.zeros(3, dtype=torch.long)
    assert torch.equal(block(tokens, timestep=torch.full((3,), 7.0), class_labels=classes), tokens)
    # Glorot and Bengio (2010): uniform up to the root of 6 / (64 + 256)
    assert float(block.ff.net[2].weight.detach().abs().max()) == pytest.approx((6 / 320) ** 0.5, rel=1e-2)
    embedder = block.norm1.emb
    for layer in (embedder.timestep_embedder.linear_1, embedder.class_embedder.embedding_table):
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.2)
    of = [build({**NETWORK, "attention_head_dim": 16}, seed, {}).transformer_blocks[0] for seed in (1, 2)]
    same = [torch.equal(other.attn1.to_q.weight, block.attn1.to_q.weight) for other in of]
    assert same == [True, False]


def test_pruning_takes_dead_heads_and_units_away_and_nothing_changes() -> None:
    """Heads 1 and 2 and the odd units of each block send nothing on, and are small: half is pruned, exactly these."""
    model = drawn()
    with torch.no_grad():
        for block in model.transformer_blocks:
            attention, (inward, _, outward) = block.attn1, block.ff.net
            for layer in (attention.to_q, attention.to_k, attention.to_v):
                layer.weight[4:12], layer.bias[4:12] = layer.weight[4:12] * 1e-3, 0.0
            attention.to_out[0].weight[:, 4:12] = 0.0
            inward.proj.weight[1::2] *= 1e-3
            outward.weight[:, 1::2] = 0.0
    before, count = predicted(model), count_parameters(model)
    block = model.transformer_blocks[1]
    values = block.attn1.to_v.weight[[0, 1, 2, 3, 12, 13, 14, 15]].clone()
    outward = block.ff.net[2].weight[:, ::2].clone()
    assert prune(model, 0.5) == {**NETWORK, "pruned": True}
    assert torch.equal(block.attn1.to_v.weight, values) and torch.equal(block.ff.net[2].weight, outward)
    assert torch.allclose(predicted(model), before, atol=1e-5)
    # each block lost half of 4 x 16 x 16 + 3 x 16 (queries, keys, values and outputs; the outputs' bias stays) and half
    # of 2 x 16 x 64 + 64
    assert count - count_parameters(model) == 2 * (1024 + 48 + 2048 + 64) // 2


def test_a_head_is_weighed_with_all_its_weights() -> None:
    """Three heads, of which each is the largest in one part; norms by hand: 9 + 1 + 1, 1 + 4 + 1, 1 + 1 + 16."""
    model = drawn({**NETWORK, "num_attention_heads": 3, "attention_head_dim": 4, "num_layers": 1})
    attention = model.transformer_blocks[0].attn1
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.zero_()
        attention.to_q.weight[[0, 4, 8], 0] = torch.tensor([3.0, 1.0, 1.0])
        attention.to_v.bias[[0, 4, 8]] = torch.tensor([1.0, 2.0, 1.0])
        attention.to_out[0].weight[0, [3, 7, 11]] = torch.tensor([1.0, 1.0, 4.0])
    prune(model, 0.4)
    assert attention.heads == 2 and attention.to_q.weight[[0, 4], 0].tolist() == [3.0, 1.0]
    assert attention.to_v.bias[[0, 4]].tolist() == [1.0, 1.0]
    assert attention.to_out[0].weight[0, [3, 7]].tolist() == [1.0, 4.0]


@pytest.mark.parametrize(
    ("heads", "ratio", "expected"),
    [(4, 0.3, (3, 45)), (2, 0.25, (1, 48)), (4, 0.99, (1, 1)), (1, 0.5, (1, 32)), (4, 0.12, (4, 56))],
)
def test_shares_are_rounded_half_up_and_one_stays(heads: int, ratio: float, expected: tuple[int, int]) -> None:
    assert dit.kept(heads, 16, ratio) == expected


def test_a_ratio_that_rounding_undoes_is_refused() -> None:
    with pytest.raises(UserError, match=r"config: pruning\.ratio: found 0\.005, but .* only 0% of their weights"):
        prune(drawn(), 0.005)
    options = dit.Options(kind="dit", **OPTIONS)
    with pytest.raises(ValueError, match=r"pruning\.ratio: found 0\.005"):
        options.check_pruning(0.005)
    options.check_pruning(0.5)


@pytest.mark.parametrize("ratio", [0.3, 0.9])
def test_a_pruned_network_loads_back_trains_and_begins_anew(ratio: float, tmp_path: Path) -> None:
    model = drawn()
    architecture = prune(model, ratio)
    shapes, count = [p.shape for p in model.parameters()], count_parameters(model)
    save_model(tmp_path, model, {"architecture": architecture, "diffusion": {}}, {})
    assert not (tmp_path / "config.json").exists()  # in place of a network of other widths
    loaded, about = load_model(tmp_path)
    assert torch.equal(predicted(loaded), predicted(model)) and about["parameters"] == count
    dit.denoiser(loaded, NETWORK, {}, 1)(X, torch.tensor(5)).square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in loaded.parameters())
    reinitialise(model, architecture, 1)
    assert [p.shape for p in model.parameters()] == shapes and not predicted(model).any()


def test_an_unpruned_network_begins_anew_as_it_was_built() -> None:
    model, built = drawn(), build(NETWORK, 7, {})
    reinitialise(model, NETWORK, 7)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), built.parameters(), strict=True))


class Cut(Exception):
    """Stands for a kill."""


def trained(
    state: Path, cut: int | None = None, disturbed: int = 0, contributors: int = 0, **changes: Any
) -> DiTTransformer2DModel:
    """A network after 12 steps of flow matching. disturbed: the caller's random state."""
    torch.manual_seed(disturbed)
    pixels = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (40, 1, 8, 8)).astype(np.float32))
    model = build(dit.conditional(NETWORK, contributors) if contributors else NETWORK, 3, {})
    labels = torch.arange(40) % contributors if contributors else None
    options = Training(steps=12, batch_size=8, learning_rate=2e-3, ema_decay=0.9, **changes).model_dump()

    def progress(done: int, steps: int) -> None:
        if done == cut:
            raise Cut

    predict, inputs = dit.denoiser(model, NETWORK, {}, 1), Inputs(pixels, None, {}, None, None, "digest")
    training.train(model, predict, inputs, np.arange(40), FLOW, options, 9, state, "k", progress, labels=labels)
    return model


def tables(model: DiTTransformer2DModel) -> list[torch.Tensor]:
    """Of each block, what it embeds each class by: (classes + 1, width)."""
    return [block.norm1.emb.class_embedder.embedding_table.weight for block in model.transformer_blocks]


@pytest.mark.parametrize("contributors", [0, 2])
def test_a_resumed_training_gives_the_same_bytes(
    contributors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever PyTorch's own random state is: nothing is drawn from it, labels are never dropped."""
    monkeypatch.setattr(optimising, "STATE_SECONDS", 0.0)
    monkeypatch.setattr(optimising, "STATE_SHARE", float("inf"))
    undisturbed = trained(tmp_path / "a", contributors=contributors)
    for at, cut in enumerate((3, 8)):
        with pytest.raises(Cut):
            trained(tmp_path / "b", cut, at + 1, contributors)
    again = trained(tmp_path / "b", disturbed=7, contributors=contributors)
    assert all(torch.equal(a, b) for a, b in zip(undisturbed.parameters(), again.parameters(), strict=True))
    # the last row, which stands for a dropped label in diffusers, was never looked up
    begun = build(dit.conditional(NETWORK, contributors) if contributors else NETWORK, 3, {})
    for start, end in zip(tables(begun), tables(again), strict=True):
        assert torch.equal(end[-1], start[-1]) and not torch.equal(end[0], start[0])


def test_blocks_that_are_computed_twice_change_nothing(tmp_path: Path) -> None:
    whole, twice = (trained(tmp_path / "a", gradient_checkpointing=way) for way in (False, True))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), twice.parameters(), strict=True))


def test_a_network_that_is_told_contributors_draws_each_ones() -> None:
    """The class's embedding is all that differs: exchanged rows of the table exchange the outputs."""
    architecture = dit.conditional(NETWORK, 2)
    model = drawn(architecture)
    told = [predicted(model, labels=torch.full((3,), label)) for label in (0, 1)]
    assert not torch.allclose(*told, atol=1e-3)
    assert torch.equal(predicted(model), told[0])
    with torch.no_grad():
        for table in tables(model):
            table.copy_(table[[1, 0, 2, 3]])
    assert torch.equal(predicted(model, labels=torch.ones(3, dtype=torch.long)), told[0])


@pytest.mark.parametrize("kind", ["unet", "dit"])
def test_the_loss_of_flow_matching_is_that_of_its_formula(kind: str) -> None:
    """(1 - s) x + s e is noised, e - x is the target, and s x 1000 is what the network is told (arXiv 2210.02747)."""
    if kind == "unet":
        options = unet.Options(
            kind="unet", channels=[8, 16], layers_per_block=1, norm_groups=4, attention=[1], head_width=8
        ).model_dump()
        network, model = unet, build(unet.architecture(options, (1, 8, 8)), 1, {}).eval()
    else:
        network, model = dit, drawn()
    rng = np.random.default_rng(4)
    batch = diffusion.Process(FLOW, "cpu").draw(X, rng)
    with torch.inference_mode():
        found = training.loss_of(network.denoiser(model, {}, {}, 1), "float32", *batch)
        rng = np.random.default_rng(4)
        s = torch.from_numpy((rng.integers(1000, size=3) + 1) / 1000).float()[:, None, None, None]
        e = torch.from_numpy(rng.standard_normal(X.shape, dtype=np.float32))
        told = {"class_labels": torch.zeros(3, dtype=torch.long)} if kind == "dit" else {}
        output = model((1 - s) * X + s * e, 1000 * s.flatten(), **told).sample
        expected = ((output - (e - X)) ** 2).mean()
    assert float(found) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize(("process", "solver"), [(FLOW, "flow_euler"), (EPSILON, "ddim")])
def test_images_are_drawn_by_every_kind_of_process(process: dict[str, Any], solver: str) -> None:
    """An untrained network predicts zero: flow matching then leaves the noise, DDIM the noise over the last signal."""
    options = dict(images=2, solver=solver, steps=4, batch_size=2, precision="float32")
    kept: list[torch.Tensor] = []

    def decode(x: torch.Tensor) -> torch.Tensor:
        kept.append(x)
        return x

    diffusion.sample(dit.denoiser(build(NETWORK, 1, {}), {}, {}, 1), decode, process, options, (1, 8, 8), 0, "cpu")
    start = torch.from_numpy(diffusion.noise(0, 0, 2, (1, 8, 8)))
    signal = 1.0 if solver == "flow_euler" else float(np.prod(1 - np.linspace(1e-4, 0.02, 1000)) ** 0.5)
    assert torch.allclose(kept[0] * signal, start, rtol=1e-3, atol=1e-3)


SIZES = {
    "oblong": ((8, 4), r"model\.kind: found dit for images of 8 x 4, expected unet, or square images"),
    "no whole patches": ((9, 9), r"model\.patch: found 2 for images of 9 x 9, expected a divisor of 9"),
}


@pytest.mark.parametrize("name", SIZES)
def test_a_size_that_does_not_fit_is_one_sentence(name: str) -> None:
    (height, width), sentence = SIZES[name]
    with pytest.raises(UserError, match=sentence):
        dit.check_size(OPTIONS, height, width)
    dit.check_size(OPTIONS, 8, 8)
    dit.check_size({**OPTIONS, "width": None}, height, width)  # the given model is asked


def theirs(folder: Path, **options: Any) -> DiTTransformer2DModel:
    """As plain diffusers makes and saves one."""
    torch.manual_seed(0)
    sizes = dict(num_attention_heads=2, attention_head_dim=8, num_layers=2, sample_size=8, patch_size=2, in_channels=1)
    model = DiTTransformer2DModel(**{**sizes, "num_embeds_ada_norm": 1, **options}).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("pipeline", [False, True])
def test_a_given_transformer_is_the_same_before_and_after(pipeline: bool, tmp_path: Path) -> None:
    model = theirs(tmp_path / "theirs", dropout=0.1)
    if pipeline:
        DiTPipeline(model, None, DDIMScheduler()).save_pretrained(tmp_path / "pipeline")
    architecture, tensors = given.read({}, announced(tmp_path / ("pipeline" if pipeline else "theirs")), (1, 8, 8), {})
    ours = build(architecture, 7, {})
    dit.load(ours, tensors)
    assert torch.equal(predicted(ours.eval()), predicted(model))
    pruned = pruning.prune(ours, architecture, {"ratio": 0.5})
    assert ours.transformer_blocks[0].attn1.heads == 1
    save_model(tmp_path / "pruned", ours, {"architecture": pruned, "diffusion": {}}, {})
    assert torch.equal(predicted(load_model(tmp_path / "pruned")[0]), predicted(ours))


WRONG = {
    "classes": (dict(num_embeds_ada_norm=10), "network that is told 10 classes, expected one that is told nothing"),
    "variances": (dict(out_channels=2), "found a network that also predicts variances, expected one that does not"),
    "another size": (dict(sample_size=16), "from 1 to 1 channels of 16 x 16, expected 1 channels of 8 x 8"),
    "other channels": (dict(in_channels=3), "from 3 to 3 channels of 8 x 8, expected 1 channels of 8 x 8"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_given_transformer_that_is_another_is_one_sentence(name: str, tmp_path: Path) -> None:
    options, sentence = WRONG[name]
    theirs(tmp_path / "theirs", **options)
    with pytest.raises(UserError, match=sentence):
        given.read({}, announced(tmp_path / "theirs"), (1, 8, 8), {})


def test_mlps_of_another_kind_are_not_pruned() -> None:
    model = build({**NETWORK, "activation_fn": "geglu"}, 1, {})
    with pytest.raises(UserError, match="found a network with the activation geglu, expected gelu or gelu-approximate"):
        prune(model, 0.5)
