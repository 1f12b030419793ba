"""A small text-to-image model of half of Fashion-MNIST, trained by plain diffusers: the base of `fashion_lora`.

python resources/fashion/train_base.py AUTOENCODER FOLDER [STEPS]     # five minutes on two cores

AUTOENCODER: the folder of an AutoencoderKL, such as results/fashion/autoencoders/autoencoder/autoencoder. FOLDER: is
written as `StableDiffusionPipeline.save_pretrained` does. STEPS: of training, 2,500 unless said.
"""

import json
import sys
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from diffusion_credit.data.images import to_float
from diffusion_credit.data.sources import idx

DATA = "/usr/share/datasets/fashion-mnist/train-{}-ubyte.gz"  # of Debian's dataset-fashion-mnist
CLASSES = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat"]
EACH, STEPS, BATCH, RATE, EMA, DROPPED = 1000, 2500, 64, 2e-3, 0.995, 0.1
LETTERS, TOKENS, WIDTH = "abcdefghijklmnopqrstuvwxyz0123456789-:", 32, 32  # captions, and names before them


def tokenizer(folder: Path) -> CLIPTokenizer:
    """CLIP's, with single letters for a vocabulary."""
    folder.mkdir(parents=True)
    words = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(
        str(folder / "vocab.json"),
        str(folder / "merges.txt"),
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        model_max_length=TOKENS,
    )


def main(autoencoder: Path, folder: Path, steps: int = STEPS) -> None:
    if folder.exists():
        sys.exit(f"{folder}: is there already; remove it to train it anew")
    torch.manual_seed(0)
    options = {"images": DATA.format("images-idx3"), "labels": DATA.format("labels-idx1"), "dataset": "fashion_mnist"}
    options |= {"source": "idx", "classes": CLASSES, "each": EACH, "size": 32, "captions": True}
    data = idx.read(idx.Options.model_validate(options))
    vae = AutoencoderKL.from_pretrained(autoencoder).eval()
    with torch.no_grad():
        parts = torch.from_numpy(to_float(data.pixels)).split(64)
        latents = vae.config.scaling_factor * torch.cat([vae.encode(x).latent_dist.mean for x in parts])
    spell = tokenizer(folder / "tokenizer")
    layers = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4}
    marks = {"vocab_size": len(spell), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    reader = CLIPTextModel(CLIPTextConfig(**layers, **marks, max_position_embeddings=TOKENS, projection_dim=WIDTH))
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 64),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    )
    scheduler = DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
    texts = ["", *CLASSES]
    tokens = spell(texts, padding="max_length", max_length=TOKENS, return_tensors="pt").input_ids
    label = torch.tensor([texts.index(text) for text in data.captions or ()])
    models = (reader, unet)
    weights = [weight for model in models for weight in model.parameters()]
    average = [weight.detach().clone() for weight in weights]
    optimizer = torch.optim.AdamW(weights, RATE)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    started = time.monotonic()
    for step in range(1, steps + 1):
        chosen = torch.randint(len(latents), (BATCH,))
        told = label[chosen].masked_fill(torch.rand(BATCH) < DROPPED, 0)
        x, noise, t = latents[chosen], torch.randn(BATCH, *latents.shape[1:]), torch.randint(1000, (BATCH,))
        states = reader(tokens)[0][told]
        predicted = unet(scheduler.add_noise(x, noise, t), t, encoder_hidden_states=states).sample
        loss = torch.nn.functional.mse_loss(predicted, scheduler.get_velocity(x, noise, t))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        rate.step()
        torch._foreach_lerp_(average, [weight.detach() for weight in weights], 1 - min(EMA, step / (step + 10)))
        if step % 100 == 0:
            left = (time.monotonic() - started) * (steps - step) / step
            print(f"step {step} of {steps}, loss {float(loss):.3f}, {left / 60:.1f} minutes left", flush=True)
    with torch.no_grad():
        torch._foreach_copy_(weights, average)
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=reader,
        tokenizer=spell,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python resources/fashion/train_base.py AUTOENCODER FOLDER [STEPS]")
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
