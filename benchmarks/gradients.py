"""Per-image gradients: vmap of grad beside single backward passes; and how projected scores converge.

    PYTHONPATH=workflow/scripts python benchmarks/gradients.py [figure.png]

The digits' network, 10 timesteps, one thread. The figure: the error of D-TRAK's scores by the dimension, for the sparse
projection and for a dense normal matrix.
"""

import sys
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

from diffusion_credit.baselines.gradients import PerImage, timesteps
from diffusion_credit.baselines.kernels import Kernel, scores
from diffusion_credit.baselines.projection import project
from diffusion_credit.models.checkpoints import build
from diffusion_credit.models.diffusion import Process
from diffusion_credit.models.networks import unet

DIFFUSION = dict(timesteps=1000, schedule="squaredcos_cap_v2", beta_start=1e-4, beta_end=0.02, prediction="sample")
IMAGES, AT = 64, timesteps(1000, 10, "even")


def network(channels: list[int], side: int) -> torch.nn.Module:
    options = unet.Options(kind="unet", channels=channels, layers_per_block=1, norm_groups=4).model_dump()
    return build(unet.architecture(options, (1, side, side)), 0, {}).eval()


def singly(model: torch.nn.Module, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """One backward pass for each image and timestep."""
    process, weights, rows = Process(DIFFUSION, "cpu"), list(model.parameters()), []
    for image, noises in zip(images, noise, strict=True):
        total = torch.zeros(sum(weight.numel() for weight in weights))
        for t, one in zip(AT, noises, strict=True):
            noised, _, target = process.noised(image[None], one[None], torch.tensor([t]))
            loss = (model(noised, t).sample - target).square().mean()
            total += torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)])
        rows.append(total)
    return torch.stack(rows)


def throughput() -> None:
    model = network([16, 32], 8)
    rng = torch.Generator().manual_seed(0)
    images, noise = (torch.randn(IMAGES, *rest, 1, 8, 8, generator=rng) for rest in ((), (10,)))
    per_image = PerImage(model, unet.denoiser(model, {}, {}, 1), DIFFUSION, "loss")
    best: dict[str, float] = {}
    made = {}
    for _ in range(3):
        for name, run in (
            ("vmap of grad", lambda: torch.cat(per_image(images, noise, AT, 10)[0], 1)),
            ("single backward passes", lambda: singly(model, images, noise)),
        ):
            started = time.perf_counter()
            made[name] = run()
            best[name] = min(best.get(name, float("inf")), time.perf_counter() - started)
    (fast, slow), (one, other) = best.values(), made.values()
    error = float((one - other).norm() / other.norm())
    for name, seconds in best.items():
        print(f"{name}: {IMAGES / seconds:.1f} images/s")
    print(f"ratio {slow / fast:.1f}, relative difference {error:.1e}")


def convergence(figure: str | None) -> None:
    model = network([4], 4)
    rng = torch.Generator().manual_seed(0)
    images, noise = (torch.randn(60, *rest, 1, 4, 4, generator=rng) for rest in ((), (10,)))
    per_image = PerImage(model, unet.denoiser(model, {}, {}, 1), DIFFUSION, "squared_l2")
    blocks, error = per_image(images, noise, AT, 10)
    gradients = torch.cat(blocks, 1)

    def trak(features: np.ndarray) -> np.ndarray:
        weighted, _ = Kernel(features[:50], error[:50].numpy()).weighted("trak", 0.1)
        return np.concatenate(list(scores("trak", features[50:], weighted)))

    def dense(dimension: int, seed: int) -> np.ndarray:
        matrix = np.random.default_rng(seed).standard_normal((gradients.shape[1], dimension)) / dimension**0.5
        return gradients.numpy() @ matrix

    exact = trak(gradients.numpy())
    dimensions = [64, 256, 1024, 4096, 16384]
    found = {
        "sparse, four signs a weight": lambda k, seed: project(blocks, k, seed).numpy(),
        "dense normal": dense,
    }
    axes = plt.subplots(figsize=(5, 3.6))[1]
    for name, projected in found.items():
        errors = [
            [np.linalg.norm(trak(projected(k, seed)) - exact) / np.linalg.norm(exact) for seed in range(5)]
            for k in dimensions
        ]
        mean = np.mean(errors, axis=1)
        print(name, "; ".join(f"{k}: {value:.3f}" for k, value in zip(dimensions, mean, strict=True)))
        axes.errorbar(dimensions, mean, np.std(errors, axis=1), marker="o", markersize=3, capsize=2, label=name)
    axes.set(xscale="log", yscale="log", xlabel="dimension", ylabel="relative error of D-TRAK's scores")
    axes.legend(frameon=False)
    if figure:
        plt.savefig(figure, dpi=150, bbox_inches="tight", metadata={"Software": None})


if __name__ == "__main__":
    torch.set_num_threads(1)
    throughput()
    convergence(sys.argv[1] if len(sys.argv) > 1 else None)
