"""Tiny, randomly initialised models of the real classes in the folders that published ones come in."""

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel, VQModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from diffusion_credit.models.weights import fetch

PROCESS = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}  # Stable Diffusion's
TOKENS = 40


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
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), pad_token="<|endoftext|>", model_max_length=TOKENS
    ).save_pretrained(folder)
    return folder


def write_text_encoder(folder: Path) -> Path:
    torch.manual_seed(1)
    CLIPTextModel(
        CLIPTextConfig(
            vocab_size=80,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=TOKENS,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
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
    AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        norm_num_groups=4,
    ).save_pretrained(folder / "vae")
    write_tokenizer(folder / "tokenizer")
    write_text_encoder(folder / "text_encoder")
    PNDMScheduler(**PROCESS, skip_prk_steps=True, steps_offset=1).save_pretrained(folder / "scheduler")
    return folder
