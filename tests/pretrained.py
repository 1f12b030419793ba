"""Tiny, randomly initialised networks of the real classes, saved in the formats of the published weights."""

import hashlib
import json
from pathlib import Path

import torch
from torch import nn

SIDE = 16  # pixels that the tiny networks look at


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_clip(folder: Path, width: int = 12) -> None:
    """A CLIPModel with embeddings of `width` numbers, its image processor, and a tokenizer that spells."""
    from transformers import CLIPConfig, CLIPModel
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    layers = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    letters = [*"abcdefghijklmnopqrstuvwxyz", *(f"{letter}</w>" for letter in "abcdefghijklmnopqrstuvwxyz")]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]
    text = {"vocab_size": len(words), "bos_token_id": len(letters), "eos_token_id": len(letters) + 1}
    config = CLIPConfig(
        text_config={**layers, **text, "max_position_embeddings": 24},
        vision_config={**layers, "image_size": SIDE, "patch_size": 8},
        projection_dim=width,
    )
    torch.manual_seed(1)
    CLIPModel(config).save_pretrained(folder)
    square = {"height": SIDE, "width": SIDE}
    CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=square).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")


def write_blip(folder: Path) -> None:
    """A BlipForQuestionAnswering and its image processor."""
    from transformers import BlipConfig, BlipForQuestionAnswering
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    layers = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    tokens = {"vocab_size": 30, "bos_token_id": 1, "pad_token_id": 0, "eos_token_id": 2, "sep_token_id": 2}
    config = BlipConfig(
        text_config={**layers, **tokens, "encoder_hidden_size": 16},
        vision_config={**layers, "image_size": SIDE, "patch_size": 8, "initializer_range": 0.2},
        projection_dim=8,
    )
    torch.manual_seed(2)
    BlipForQuestionAnswering(config).save_pretrained(folder)
    BlipImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)


class Inception(nn.Module):
    """The call of NVIDIA's inception-2015-12-05.pt, with a convolution in place of the network."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, features, 32, 32), nn.Tanh(), nn.AdaptiveAvgPool2d(1))
        self.output = nn.Linear(features, classes)

    def forward(
        self, img: torch.Tensor, return_features: bool = False, use_fp16: bool = False, no_output_bias: bool = False
    ) -> torch.Tensor:
        x = nn.functional.interpolate(img.to(torch.float32), size=[299, 299], mode="bilinear")
        features = self.layers((x - 128) / 128).reshape(-1, self.output.weight.shape[1])
        if return_features:
            return features
        bias = None if no_output_bias else self.output.bias
        return nn.functional.linear(features, self.output.weight, bias).softmax(1)


def write_inception(folder: Path, features: int = 10) -> str:
    """inception-2015-12-05.pt; returns its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    torch.jit.script(Inception(features=features, classes=6).eval()).save(folder / "inception-2015-12-05.pt")
    return digest(folder / "inception-2015-12-05.pt")


def write_aesthetic_head(folder: Path, width: int = 12) -> str:
    """sa_0_4_vit_l_14_linear.pth for embeddings of `width` numbers; returns its sha256."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(4)
    torch.save(nn.Linear(width, 1).state_dict(), folder / "sa_0_4_vit_l_14_linear.pth")
    return digest(folder / "sa_0_4_vit_l_14_linear.pth")
