"""Tiny, randomly initialised models of the real classes in the folders that published ones come in."""

import json
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PNDMScheduler,
    SD3Transformer2DModel,
    UNet2DConditionModel,
    VQModel,
)
from peft import LoraConfig, get_peft_model_state_dict
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

from diffusion_credit.models.weights import fetch

PROCESS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}  # Stable Diffusion's
FLOW = {"num_train_timesteps": 1000, "shift": 3.0}  # Stable Diffusion 3's
TOKENS = 40
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"


def announced(folder: Path) -> Path:
    """The manifest of a folder as the study's weights."""
    manifest = folder.with_name(f"{folder.name}-weights") / "manifest.json"
    fetch(folder.name, {"folder": str(folder), "files": ["*.safetensors", "*.json", "*.txt"], "sha256": {}}, manifest)
    return manifest


def write_vqvae(folder: Path) -> Path:
    """A VQ-VAE that halves the size twice, to 3 channels, as CompVis's for CelebA-HQ does."""
    torch.manual_seed(0)
    VQModel(
        block_out_channels=(8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=3,
        norm_num_groups=4,
        num_vq_embeddings=32,
    ).save_pretrained(folder)
    return folder


def write_tokenizer(folder: Path) -> Path:
    """CLIP's tokenizer with single characters for a vocabulary."""
    folder.mkdir(parents=True)
    words = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token="<|endoftext|>", model_max_length=TOKENS
    ).save_pretrained(folder)
    return folder


def write_stable_diffusion(folder: Path) -> Path:
    """The parts of a Stable Diffusion pipeline; its autoencoder halves the size once instead of three times."""
    torch.manual_seed(2)
    UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    ).save_pretrained(folder / "unet")
    write_vae(folder / "vae")
    write_tokenizer(folder / "tokenizer")
    write_clip_text(folder / "text_encoder", CLIPTextModel)
    PNDMScheduler(**PROCESS, skip_prk_steps=True, steps_offset=1).save_pretrained(folder / "scheduler")
    return folder


def write_clip_text(folder: Path, kind: Any = CLIPTextModelWithProjection, width: int = 16, seed: int = 1) -> None:
    torch.manual_seed(seed)
    layers = {"hidden_size": width, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    marks = {"vocab_size": 80, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    kind(CLIPTextConfig(**layers, **marks, max_position_embeddings=TOKENS, projection_dim=width)).save_pretrained(
        folder
    )


def write_t5(tokenizer: Path, encoder: Path, width: int) -> None:
    """T5's encoder, and a tokenizer that spells."""
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((letter, -3.0) for letter in LETTERS)]
    T5TokenizerFast(vocab=words, extra_ids=0, additional_special_tokens=[]).save_pretrained(tokenizer)
    torch.manual_seed(5)
    config = T5Config(vocab_size=len(words), d_model=width, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    T5EncoderModel(config).save_pretrained(encoder)


def write_vae(folder: Path, channels: int = 4, **options: Any) -> None:
    """An autoencoder that halves the size once."""
    torch.manual_seed(6)
    AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        norm_num_groups=4,
        **options,
    ).save_pretrained(folder)


def write_sdxl(folder: Path) -> Path:
    """The parts of a Stable Diffusion XL pipeline."""
    torch.manual_seed(2)
    UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16 + 12,
        attention_head_dim=2,
        transformer_layers_per_block=(1, 1),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=12 + 6 * 4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    ).save_pretrained(folder / "unet")
    write_vae(folder / "vae", scaling_factor=0.13025)
    for part in ("tokenizer", "tokenizer_2"):
        write_tokenizer(folder / part)
    write_clip_text(folder / "text_encoder", CLIPTextModel)
    write_clip_text(folder / "text_encoder_2", width=12, seed=3)
    EulerDiscreteScheduler(**PROCESS).save_pretrained(folder / "scheduler")
    return folder


def write_sd3(folder: Path) -> Path:
    """The parts of a Stable Diffusion 3 pipeline."""
    torch.manual_seed(2)
    SD3Transformer2DModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=32,
        caption_projection_dim=16,
        pooled_projection_dim=16 + 12,
        pos_embed_max_size=8,
    ).save_pretrained(folder / "transformer")
    write_vae(folder / "vae", scaling_factor=1.5305, shift_factor=0.0609)
    for part in ("tokenizer", "tokenizer_2"):
        write_tokenizer(folder / part)
    write_clip_text(folder / "text_encoder")
    write_clip_text(folder / "text_encoder_2", width=12, seed=3)
    write_t5(folder / "tokenizer_3", folder / "text_encoder_3", 32)
    FlowMatchEulerDiscreteScheduler(**FLOW).save_pretrained(folder / "scheduler")
    return folder


def write_flux(folder: Path, guidance: bool = True) -> Path:
    """The parts of a FLUX.1 pipeline: [dev], or [schnell] without guidance."""
    torch.manual_seed(2)
    FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=16,
        guidance_embeds=guidance,
        axes_dims_rope=(2, 2, 4),
    ).save_pretrained(folder / "transformer")
    write_vae(folder / "vae", scaling_factor=0.3611, shift_factor=0.1159)
    write_tokenizer(folder / "tokenizer")
    write_clip_text(folder / "text_encoder", CLIPTextModel)
    write_t5(folder / "tokenizer_2", folder / "text_encoder_2", 32)
    process = {**FLOW, "use_dynamic_shifting": True} if guidance else {**FLOW, "shift": 1.0}
    FlowMatchEulerDiscreteScheduler(**process).save_pretrained(folder / "scheduler")
    return folder


BASES = {"stable_diffusion": write_stable_diffusion, "sdxl": write_sdxl, "sd3": write_sd3, "flux": write_flux}
DENOISERS = {"stable_diffusion": "unet", "sdxl": "unet", "sd3": "transformer", "flux": "transformer"}
PIPELINES = {
    "stable_diffusion": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "sd3": "StableDiffusion3Pipeline",
    "flux": "FluxPipeline",
}


def load_pipeline(name: str, folder: Path) -> Any:
    """A whole pipeline, part by part; its network, text encoders and scheduler as a user has them."""
    parts: dict[str, Any] = {"vae": AutoencoderKL.from_pretrained(folder / "vae")}
    for part in sorted(folder.glob("text_encoder*")):
        kind = json.loads((part / "config.json").read_text())["architectures"][0]
        parts[part.name] = getattr(transformers, kind).from_pretrained(part)
    for part in sorted(folder.glob("tokenizer*")):
        kind = (
            CLIPTokenizer
            if (part / "vocab.json").exists() or "CLIP" in ((part / "tokenizer_config.json").read_text())
            else T5TokenizerFast
        )
        parts[part.name] = kind.from_pretrained(part)
    network = DENOISERS[name]
    kind = json.loads((folder / network / "config.json").read_text())["_class_name"]
    parts[network] = getattr(diffusers, kind).from_pretrained(folder / network)
    if network == "transformer":
        parts["scheduler"] = FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler")
    else:
        parts["scheduler"] = DDIMScheduler(**PROCESS, clip_sample=False, timestep_spacing="trailing", steps_offset=1)
    if name == "stable_diffusion":
        parts |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    pipeline = getattr(diffusers, PIPELINES[name])(**parts)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def loss_by_formula(
    name: str, pipeline: Any, x: torch.Tensor, e: torch.Tensor, t: torch.Tensor, texts: list[str]
) -> torch.Tensor:
    """Loss of clean latents x with noise e at training timesteps t, as the family's own training example has it."""
    network, device = getattr(pipeline, DENOISERS[name]), torch.device("cpu")
    height, width = x.shape[2:]
    if name == "stable_diffusion":
        states, _ = pipeline.encode_prompt(texts, device, 1, False)
        noised = DDPMScheduler(**PROCESS).add_noise(x, e, t)
        return (network(noised, t, encoder_hidden_states=states).sample - e).square().mean()
    if name == "sdxl":
        states, _, pooled, _ = pipeline.encode_prompt(texts, do_classifier_free_guidance=False)
        sizes = torch.tensor([[2.0 * height, 2.0 * width, 0.0, 0.0, 2.0 * height, 2.0 * width]]).repeat(len(x), 1)
        told = {"text_embeds": pooled, "time_ids": sizes}
        noised = DDPMScheduler(**PROCESS).add_noise(x, e, t)
        return (network(noised, t, states, added_cond_kwargs=told).sample - e).square().mean()
    # timestep 0 of ours is the lowest level of noise, and the last of the scheduler's
    scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
    sigma, time = scheduler.sigmas.flip(0)[t], scheduler.timesteps.flip(0)[t]
    level = sigma[:, None, None, None]
    noised = (1 - level) * x + level * e
    if name == "sd3":
        states, _, pooled, _ = pipeline.encode_prompt(texts, None, None, do_classifier_free_guidance=False)
        found = network(noised, states, pooled, time).sample
    else:
        states, pooled, places = pipeline.encode_prompt(texts, None)
        ids = FluxPipeline._prepare_latent_image_ids(len(x), height // 2, width // 2, device, torch.float32)
        found = network(
            FluxPipeline._pack_latents(noised, *x.shape),
            states, pooled, time / 1000, ids, places, guidance=torch.ones(len(x)),
        ).sample  # fmt: skip
        found = FluxPipeline._unpack_latents(found, 2 * height, 2 * width, 2)
    return (found - (e - x)).square().mean()


ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
JOINT = [f"attn.{layer}" for layer in (*ATTENTION, "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")]
LAYERS = {"stable_diffusion": ATTENTION, "sdxl": ATTENTION, "sd3": JOINT, "flux": JOINT}  # of diffusers' own examples


def train_by_plain_peft(family: str, base: Path, images: np.ndarray, folder: Path) -> Any:
    """Adapters of rank 3 with a scale of their own, trained for a prompt by the family's own formula, and saved.

    images: (images, height, width, 3) uint8. Returns the pipeline.
    """
    torch.manual_seed(0)
    pipeline, layers = load_pipeline(family, base), LAYERS[family]
    network = getattr(pipeline, DENOISERS[family]).requires_grad_(False)
    network.add_adapter(LoraConfig(r=3, lora_alpha=6, target_modules=layers))
    optimizer = torch.optim.AdamW([p for p in network.parameters() if p.requires_grad], 1e-2)
    x, of = torch.tensor(images / 127.5 - 1, dtype=torch.float32).permute(0, 3, 1, 2), pipeline.vae.config
    with torch.no_grad():
        latents = (pipeline.vae.encode(x).latent_dist.mean - (of.shift_factor or 0)) * of.scaling_factor
    for _ in range(20):
        chosen = torch.randint(len(x), (8,))
        noise, t = torch.randn_like(latents[chosen]), torch.randint(1000, (8,))
        loss = loss_by_formula(family, pipeline, latents[chosen], noise, t, ["a painting"] * 8)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    about = {"r": 3, "lora_alpha": 6, "target_modules": sorted(layers)}
    part = DENOISERS[family]
    said = {f"{part}_lora_layers": get_peft_model_state_dict(network), f"{part}_lora_adapter_metadata": about}
    type(pipeline).save_lora_weights(folder, **said)
    return pipeline


PROCESSES = {
    "stable_diffusion": {"schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
    "sdxl": {"schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
    "sd3": {"schedule": "flow", "times": "logit_normal", "shift": 3.0},
    "flux": {"schedule": "flow"},
}
