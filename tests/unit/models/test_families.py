"""Families of base models: losses and samples equal the formulas and pipelines of diffusers, adapters go both ways."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline
from peft import LoraConfig, get_peft_model_state_dict
from pipelines import BASES, DENOISERS, LAYERS, PROCESS, announced, load_pipeline, loss_by_formula, write_flux

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import generator, noise
from diffusion_credit.models.checkpoints import build, load_model, parameters, save_model
from diffusion_credit.models.diffusion import Process, sample
from diffusion_credit.models.given import lora as read_adapters
from diffusion_credit.models.inputs import encode, read_inputs
from diffusion_credit.models.latents import Autoencoder
from diffusion_credit.models.networks import lora
from diffusion_credit.models.options import Training
from diffusion_credit.models.prompts import prompts_of, read_prompts, write_prompts
from diffusion_credit.models.pruning import lora as rank_pruning
from diffusion_credit.models.texts import Encoder
from diffusion_credit.models.training import loss_of, train
from diffusion_credit.models.weights import open_weights

GUIDED = {"stable_diffusion": 3.0, "sdxl": 3.0, "sd3": 3.0, "flux": 3.5}
DDPM = {"timesteps": 1000, "schedule": "scaled_linear", "prediction": "epsilon", **{
    key: PROCESS[key] for key in ("beta_start", "beta_end")
}}  # fmt: skip
FLOW = {"timesteps": 1000, "schedule": "flow", "times": "uniform"}
DIFFUSION = {
    "stable_diffusion": DDPM,
    "sdxl": DDPM,
    "sd3": {**FLOW, "times": "logit_normal", "shift": 3.0},
    "flux": {**FLOW, "shift": 1.0},
}
CAPTIONS = ["a red cat", "two dogs", "a red cat", "three birds"]
PIXELS = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
SHAPE = (4, 8, 8)


class Base(SimpleNamespace):
    """A base of a family, as files and as the pipeline that its users load."""

    name: str
    options: dict[str, Any]
    weights: dict[str, Path]
    architecture: dict[str, Any]

    def pipeline(self) -> Any:
        return load_pipeline(self.name, open_weights(self.weights["base"]))

    def denoiser(self, pipeline: Any) -> Any:
        return getattr(pipeline, DENOISERS[self.name])


@pytest.fixture(scope="module", params=BASES)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    name = request.param
    manifest = announced(BASES[name](tmp_path_factory.mktemp("bases") / name))
    options = {
        "kind": "lora",
        "family": name,
        "base": "base",
        "base_precision": "float32",
        "rank": 4,
        "prompt": "a cat",
    }
    return Base(name=name, options=options, weights={"base": manifest}, architecture=lora.architecture(options, SHAPE))


def written(base: Base, folder: Path, captions: list[str]) -> Any:
    index = SimpleNamespace(pixels_digest="pixels")
    encode(
        PIXELS,
        {"model": base.options, "diffusion": DIFFUSION[base.name], "device": "cpu"},
        base.weights,
        folder,
        captions,
    )
    return read_inputs(index, PIXELS, folder / "manifest.json", "cpu")  # type: ignore[arg-type]


def trained(base: Base, std: float = 0.2) -> Any:
    """Adapters as a training leaves them: none is zero."""
    model = build(base.architecture, 1, base.weights)
    torch.manual_seed(5)
    for parameter in parameters(model):
        torch.nn.init.normal_(parameter, std=std)
    return model.eval()


def test_the_loss_is_that_of_the_familys_own_formulas(base: Base, tmp_path: Path) -> None:
    """Latents with scale and shift, captions, noise and times of one batch."""
    inputs = written(base, tmp_path, CAPTIONS)
    pipeline, rng = base.pipeline(), generator(3, "step", 0)
    with torch.no_grad():
        x = pipeline.vae.encode(torch.from_numpy(PIXELS.transpose(0, 3, 1, 2) / 127.5 - 1).float()).latent_dist.mean
        x = (x - (pipeline.vae.config.shift_factor or 0)) * pipeline.vae.config.scaling_factor
        assert torch.allclose(inputs.images, x, atol=1e-5)
        process = Process(DIFFUSION[base.name], "cpu")
        if process.logit_normal:  # arXiv 2403.03206, section 3.1
            t = torch.from_numpy((1000 / (1 + np.exp(-rng.standard_normal(4)))).astype(int))
        else:
            t = torch.from_numpy(rng.integers(1000, size=4))
        e = torch.from_numpy(rng.standard_normal((4, *SHAPE), dtype=np.float32))
        expected = loss_by_formula(base.name, pipeline, inputs.images, e, t, CAPTIONS)
        predict = lora.denoiser(build(base.architecture, 0, base.weights), base.architecture, inputs.conditions, 1)
        drawn = process.draw(inputs.images, generator(3, "step", 0))
        found = loss_of(predict, "float32", *drawn, inputs.labels)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_samples_are_those_of_the_familys_own_pipeline(base: Base, tmp_path: Path) -> None:
    """Two prompts, guidance, adapters that `load_lora_weights` takes, from the same noise."""
    options = {"generation": {"prompts": ["a red cat", "two dogs"], "images": 3}, "model": base.options}
    write_prompts(
        prompts_of(options, None), Encoder(base.options, base.weights, "cpu"), (16, 16), 3, 9, tmp_path / "prompts"
    )
    conditions, labels = read_prompts(tmp_path / "prompts/manifest.json")
    model = trained(base)
    save_model(tmp_path / "ours", model, {"architecture": base.architecture, "diffusion": {}, "latents": None}, {})
    asked = {
        "images": 3, "steps": 4, "batch_size": 2, "precision": "float32",
        "solver": "flow_euler" if DIFFUSION[base.name]["schedule"] == "flow" else "ddim",
    }  # fmt: skip
    ends: list[torch.Tensor] = []

    def decode(x: torch.Tensor) -> torch.Tensor:
        ends.append(x)
        return x

    sample(
        lora.denoiser(model, base.architecture, conditions, GUIDED[base.name]), decode, DIFFUSION[base.name], asked,
        SHAPE, 3, "cpu", labels=labels, levels=lora.levels(base.architecture, base.weights, 4),
    )  # fmt: skip

    pipeline = base.pipeline()
    pipeline.load_lora_weights(tmp_path / "ours")
    prompts = (tmp_path / "prompts/prompts.csv").read_text().splitlines()[1:]
    texts, start = [row.split(",")[1] for row in prompts], torch.from_numpy(noise(3, 0, 3, SHAPE))
    assert set(texts) == {"a red cat", "two dogs"}  # both, though there are three images
    if base.name == "flux":
        start = FluxPipeline._pack_latents(start, 3, *SHAPE)
    theirs = pipeline(
        texts, latents=start, height=16, width=16, num_inference_steps=4, guidance_scale=GUIDED[base.name],
        output_type="latent",
    ).images  # fmt: skip
    if base.name == "flux":
        theirs = FluxPipeline._unpack_latents(theirs, 16, 16, 2)
    assert torch.allclose(torch.cat(ends), theirs, atol=1e-4 * float(theirs.abs().max()))
    assert not torch.allclose(ends[0][0], ends[0][1], atol=0.1)


def test_latents_decode_as_the_pipelines_do(base: Base) -> None:
    pipeline, x = base.pipeline(), torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        of = pipeline.vae.config
        expected = pipeline.vae.decode(x / of.scaling_factor + (of.shift_factor or 0)).sample
        assert torch.allclose(Autoencoder(base.weights["base"], None, "cpu").decode(x), expected, atol=1e-5)


def states(base: Base) -> dict[str, torch.Tensor]:
    """What a network of a family is told of one text."""
    rng, widths = torch.Generator().manual_seed(0), {"stable_diffusion": 16, "sdxl": 28, "sd3": 32, "flux": 32}
    found = {"states": torch.randn(1, 7, widths[base.name], generator=rng)}
    if base.name != "stable_diffusion":
        pooled = {"sdxl": 12, "sd3": 28, "flux": 16}[base.name]
        found |= {"pooled": torch.randn(1, pooled, generator=rng), "sizes": torch.full((1, 6), 16.0)}
    return found


def told(base: Base, model: Any, architecture: dict[str, Any] | None = None) -> torch.Tensor:
    """A network's output for noise and states that are the same for every model."""
    x, t = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(1)), torch.tensor([3.0, 900.0])
    with torch.inference_mode():
        predict = lora.denoiser(model.eval(), architecture or base.architecture, states(base), 1)
        return predict(x, t, torch.tensor([0, 0])).float()


def test_adapters_by_plain_peft_do_the_same_in_both_directions(base: Base, tmp_path: Path) -> None:
    """Rank 3 with doubled outputs on the layers that the family's example names; then pruned to 2."""
    pipeline, layers = base.pipeline(), LAYERS[base.name]
    network = base.denoiser(pipeline)
    config = LoraConfig(r=3, lora_alpha=6, target_modules=layers)
    network.add_adapter(config)
    torch.manual_seed(4)
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    part = DENOISERS[base.name]
    about = {"r": 3, "lora_alpha": 6, "target_modules": sorted(layers)}
    type(pipeline).save_lora_weights(
        tmp_path / "theirs",
        **{f"{part}_lora_layers": get_peft_model_state_dict(network), f"{part}_lora_adapter_metadata": about},
    )
    options = {**base.options, "rank": None}
    architecture, tensors = read_adapters.read(options, announced(tmp_path / "theirs"), SHAPE, base.weights)
    assert architecture["rank"] == 3
    ours = build(architecture, 7, base.weights)
    lora.load(ours, tensors)
    assert torch.allclose(told(base, ours), told(base, network), atol=1e-4)
    assert not torch.allclose(told(base, ours), told(base, base.denoiser(base.pipeline())), atol=1e-2)
    for name in ("whole", "pruned"):
        if name == "pruned":
            architecture = rank_pruning.prune(ours, architecture, {"ratio": 0.34})
            assert architecture["rank"] == 2
        save_model(tmp_path / name, ours, {"architecture": architecture, "diffusion": {}, "latents": None}, {})
        other = base.pipeline()
        other.load_lora_weights(tmp_path / name)
        assert torch.allclose(told(base, base.denoiser(other)), told(base, ours), atol=1e-4)
        assert torch.equal(told(base, load_model(tmp_path / name, weights=base.weights)[0]), told(base, ours))


def test_adapters_of_another_family_are_refused(base: Base, tmp_path: Path) -> None:
    other = "flux" if base.name == "stable_diffusion" else "stable_diffusion"
    folder, of = BASES[other](tmp_path / other), {**base.options, "family": other}
    model = build(lora.architecture(of, SHAPE), 1, {"base": announced(folder)})
    save_model(
        tmp_path / "mine", model, {"architecture": lora.architecture(of, SHAPE), "diffusion": {}, "latents": None}, {}
    )
    with pytest.raises(UserError, match=r"expected (adapters of this base|names that begin with)|no adapters") as error:
        read_adapters.read({**base.options, "rank": None}, announced(tmp_path / "mine"), SHAPE, base.weights)
    assert "\n" not in str(error.value)


def test_a_base_of_another_family_is_refused(base: Base, tmp_path: Path) -> None:
    other = "flux" if base.name != "flux" else "sd3"
    weights = {"base": announced(BASES[other](tmp_path / other))}
    with pytest.raises(UserError, match=f"{tmp_path}/{other}"):
        build(base.architecture, 1, weights)
    with pytest.raises(UserError, match=r"config: diffusion\.|scheduler_config\.json: found"):
        encode(PIXELS, {"model": base.options, "diffusion": DIFFUSION[base.name], "device": "cpu"}, weights, tmp_path)


def test_captions_reach_their_images(base: Base, tmp_path: Path) -> None:
    """Swapping the captions of images 1 and 3 swaps what the network is told of them, and nothing else."""
    plain = written(base, tmp_path / "plain", CAPTIONS)
    swapped = written(base, tmp_path / "swapped", [CAPTIONS[0], CAPTIONS[3], CAPTIONS[2], CAPTIONS[1]])
    encoder = Encoder(base.options, base.weights, "cpu")
    for name in plain.conditions:
        rows = [inputs.conditions[name][inputs.labels] for inputs in (plain, swapped)]
        assert torch.equal(rows[0], rows[1][[0, 3, 2, 1]])
        assert torch.equal(rows[0], encoder.embed(CAPTIONS, (16, 16))[name][1:])
        assert len(plain.conditions[name]) == 4  # three different ones, and the empty one
    assert not torch.equal(plain.conditions["states"][plain.labels[0]], plain.conditions["states"][plain.labels[1]])
    assert plain.digest != swapped.digest


def test_dropped_captions_are_the_empty_text_and_accumulation_changes_rounding_alone(
    base: Base, tmp_path: Path
) -> None:
    inputs, seen = written(base, tmp_path, CAPTIONS), []
    training = Training(
        steps=2, batch_size=4, learning_rate=1e-3, warmup=0.0, decay="constant", ema_decay=0.0, caption_dropout=0.5
    ).model_dump()

    def ended(**other: Any) -> list[torch.Tensor]:
        model = build(base.architecture, 0, base.weights)
        denoise = lora.denoiser(model, base.architecture, inputs.conditions, 1)

        def predict(x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            seen.extend(labels.tolist())
            return denoise(x, t, labels)

        train(model, predict, inputs, np.arange(4), DIFFUSION[base.name], {**training, **other}, 1, tmp_path / "s", "k")
        return [parameter.detach().clone() for parameter in parameters(model)]

    once = ended()
    assert 0 in seen and set(seen) <= {0, 1, 2, 3} and len(seen) == 8
    seen.clear()
    for other in (ended(accumulation=4), ended(gradient_checkpointing=True)):
        assert all(torch.allclose(a, b, atol=2e-5) for a, b in zip(once, other, strict=True))
    seen.clear()
    ended(caption_dropout=0.0)
    assert sorted(seen) == [1, 1, 1, 1, 2, 2, 3, 3]


def test_half_precision_is_the_bases_alone(base: Base, tmp_path: Path) -> None:
    """Adapters stay in float32 when they are built, given and pruned; nobody who calls the network need know."""
    half = {**base.architecture, "base_precision": "bf16"}

    def precisions(model: Any) -> set[torch.dtype]:
        return {parameter.dtype for parameter in parameters(model)}

    model, full = build(half, 0, base.weights), build(base.architecture, 0, base.weights)
    assert {p.dtype for p in model.parameters() if not p.requires_grad} == {torch.bfloat16}
    config = {"diffusion": {}, "latents": None}
    save_model(tmp_path / "mine", trained(base), {**config, "architecture": base.architecture}, {})
    read = [
        read_adapters.read({**base.options, "base_precision": of}, announced(tmp_path / "mine"), SHAPE, base.weights)[1]
        for of in ("bf16", "float32")
    ]
    assert all(torch.equal(tensor, read[1][name]) for name, tensor in read[0].items())
    lora.load(model, read[0])
    lora.load(full, read[0])
    expected = told(base, full)
    assert torch.allclose(told(base, model, architecture=half), expected, atol=0.05 * float(expected.abs().max()))
    assert precisions(model) == {torch.float32}
    rank_pruning.prune(model, half, {"ratio": 0.5})
    assert precisions(model) == {torch.float32}


def test_adapters_lie_on_the_layers_whose_names_they_have_in_full(base: Base) -> None:
    """Also where the name is the end of another's, such as FLUX's proj_out."""
    model = base.denoiser(base.pipeline())
    found = sorted(name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear))
    by_ending = min(found, key=lambda name: (-sum(other.endswith("." + name) for other in found), name))
    lora.add_adapters(model, 2, [by_ending])
    assert {name.split(".lora_")[0] for name, p in model.named_parameters() if p.requires_grad} == {by_ending}


def test_a_tokenizer_without_its_vocabulary_is_refused(base: Base, tmp_path: Path) -> None:
    """transformers makes one up, in which every text is alike."""
    folder = shutil.copytree(open_weights(base.weights["base"]), tmp_path / "base")
    part, _ = module_of("families", base.name).READS
    for name in ("tokenizer.json", "vocab.json"):
        (folder / part / name).unlink(missing_ok=True)
    with pytest.raises(
        UserError, match=rf"{folder}/{part}: found no vocabulary of a tokenizer, expected tokenizer\.json"
    ):
        Encoder(base.options, {"base": announced(folder)}, "cpu")


def test_a_tokenizer_that_does_not_say_its_length_has_its_encoders(base: Base, tmp_path: Path) -> None:
    folder = shutil.copytree(open_weights(base.weights["base"]), tmp_path / "base")
    file = folder / "tokenizer/tokenizer_config.json"
    said = json.loads(file.read_text())
    file.write_text(json.dumps({key: value for key, value in said.items() if key != "model_max_length"}))
    found = Encoder(base.options, {"base": announced(folder)}, "cpu").embed(["a red cat"], (16, 16))
    expected = Encoder(base.options, base.weights, "cpu").embed(["a red cat"], (16, 16))
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items())


OTHER_FLOWS = {
    "shift_terminal": 0.1, "use_karras_sigmas": True, "use_beta_sigmas": True, "time_shift_type": "linear",
}  # fmt: skip


@pytest.mark.parametrize("key", OTHER_FLOWS)
def test_a_process_that_samples_in_another_way_is_refused(key: str, tmp_path: Path) -> None:
    folder = write_flux(tmp_path / "flux")
    file = folder / "scheduler/scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), key: OTHER_FLOWS[key]}))
    options = {"kind": "lora", "family": "flux", "base": "base", "base_precision": "float32", "rank": 4, "prompt": "a"}
    everything = {"model": options, "diffusion": DIFFUSION["flux"], "device": "cpu"}
    with pytest.raises(UserError, match=rf"scheduler_config\.json: found {key} = "):
        encode(PIXELS, everything, {"base": announced(folder)}, tmp_path / "out")


def test_the_family_that_is_not_said_is_told_apart_from_sdxl(tmp_path: Path) -> None:
    """Both have a U-Net of the same class and the same process."""
    weights = {"base": announced(BASES["sdxl"](tmp_path / "sdxl"))}
    options = {"family": "stable_diffusion", "base": "base", "base_precision": "float32", "rank": 4}
    with pytest.raises(UserError, match=r"found a network with addition_embed_type text_time, .*model\.family"):
        build(lora.architecture(options, SHAPE), 0, weights)


def test_flux_without_guidance_refuses_it(tmp_path: Path) -> None:
    options = {"family": "flux", "base": "base", "base_precision": "float32", "rank": 2}
    architecture = lora.architecture(options, SHAPE)
    model = build(architecture, 0, {"base": announced(write_flux(tmp_path / "schnell", guidance=False))})
    lora.denoiser(model, architecture, {}, 1)
    with pytest.raises(UserError, match=r"generation\.guidance .*: found 3\.5, expected 1"):
        lora.denoiser(model, architecture, {}, 3.5)
