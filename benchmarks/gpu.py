"""Steps and images a second of a study's network, full and pruned, in several ways to run it, and hours for the study.

    python benchmarks/gpu.py                                   # CIFAR-20's DDPM on a GPU
    python benchmarks/gpu.py --device cpu --batch 4 --images 2 --steps 2 --repeat 2     # tries the script out

All rows come from one run on synthetic pixels. The measured peak is that of a large bf16 (float32) matrix product; the
fraction is the network's own multiplications and additions, counted by PyTorch, over it. Hours are for all jobs of the
study, one after the other, loading and measuring not counted.
"""

import argparse
import copy
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

from diffusion_credit.models.checkpoints import build, count_parameters, parameters
from diffusion_credit.models.diffusion import Process, sample
from diffusion_credit.models.latents import identity
from diffusion_credit.models.networks import unet
from diffusion_credit.models.optimising import optimizer_of
from diffusion_credit.models.pruning.unet import prune
from diffusion_credit.models.training import loss_of
from diffusion_credit.study import plan
from diffusion_credit.study.config import Study, plain, read_study

ROOT = Path(__file__).parent.parent
WAYS = {  # name: precision, compiled, channels last
    "float32": ("float32", False, False),
    "bf16": ("bf16", False, False),
    "bf16, channels-last": ("bf16", False, True),
    "bf16, compiled": ("bf16", True, False),
    "bf16, compiled, channels-last": ("bf16", True, True),
}


def seconds(run: Callable[[], object], repeat: int, device: str) -> float:
    """The median time of a call, after one that is not counted."""

    def wait() -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    run()
    times = []
    for _ in range(repeat):
        started = wait()
        run()
        times.append(wait() - started)
    return float(np.median(times))


def peak(precision: str, device: str) -> float:
    """Operations a second of a large matrix product."""
    size = 8192 if device == "cuda" else 1024
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    return 2 * size**3 / seconds(lambda: a @ a, 5, device)


def measure(model: torch.nn.Module, way: str, study: Study, options: argparse.Namespace) -> tuple[float, float, float]:
    """Seconds a training step and an image, and GiB at most."""
    precision, compiled, channels_last = WAYS[way]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = copy.deepcopy(model).to(options.device, memory_format=layout)
    predict = unet.denoiser(torch.compile(model) if compiled else model, {}, {}, guidance=1)
    training, generation, diffusion = plain(study.training), plain(study.generation), plain(study.diffusion)
    process, optimizer = Process(diffusion, options.device), optimizer_of(parameters(model), training)
    height, width = model.config.sample_size
    shape = (model.config.in_channels, height, width)
    x = torch.randn(options.batch, *shape, device=options.device).to(memory_format=layout)
    if options.device == "cuda":
        torch.cuda.reset_peak_memory_stats()

    def step() -> None:
        loss = loss_of(predict, precision, *process.draw(x, np.random.default_rng(0)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters(model), training["gradient_clip"])
        optimizer.step()

    def generate() -> None:
        changes = {"images": options.images, "batch_size": options.images, "precision": precision}
        sample(predict, identity, diffusion, {**generation, **changes, "steps": steps}, shape, 0, options.device)

    steps = options.steps or generation["steps"]
    training_seconds = seconds(step, options.repeat, options.device)
    model.eval()
    image_seconds = seconds(generate, 1, options.device) / options.images
    memory = torch.cuda.max_memory_allocated() / 2**30 if options.device == "cuda" else 0.0
    return training_seconds, image_seconds, memory


def hours(study: Study, times: dict[str, tuple[float, float]]) -> float:
    """Of all models of the study. times: seconds a step and an image of the `full` and the `pruned` network."""
    trainings = {
        "full": study.training,
        "retrain": study.regimes.retrain,
        "finetune": study.regimes.finetune,
        "refit": study.pruning.refit,
        "sparse": study.regimes.sparse,
    }
    rows = plan.lists(study)
    models = [("full", 1), ("refit", 1), *((regime, rows[name]) for regime, name in plan.used(study))]
    total = 0.0
    for regime, count in models:
        step, image = times["pruned" if regime in ("refit", "sparse") else "full"]
        total += count * (trainings[regime].steps * step + study.generation.images * image)
    return total / 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, default=ROOT / "config/studies/cifar20.yaml")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--batch", type=int, help="images a training step (default: the study's)")
    parser.add_argument("--images", type=int, default=1024, help="generated at once")
    parser.add_argument("--steps", type=int, help="of the solver (default: the study's)")
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    study = read_study(yaml.safe_load(options.study.read_text()))
    options.batch = options.batch or study.training.batch_size
    architecture = unet.architecture(plain(study.model), (3, 32, 32))
    full = build(architecture, 0, {})
    pruned = copy.deepcopy(full)
    prune(pruned, architecture, plain(study.pruning))
    print("| network | parameters | way | steps a second | images a second | GiB | fraction of peak |")
    print("|---|---|---|---|---|---|---|")
    peaks = {precision: peak(precision, options.device) for precision in ("float32", "bf16")}
    for way in WAYS:
        times: dict[str, tuple[float, float]] = {}
        for name, model in (("full", full), ("pruned", pruned)):
            with FlopCounterMode(display=False) as counter:
                model(torch.zeros(1, 3, 32, 32), torch.zeros(1)).sample.sum().backward()
            step, image, memory = measure(model, way, study, options)
            times[name] = step, image
            fraction = counter.get_total_flops() * options.batch / step / peaks[WAYS[way][0]]
            print(
                f"| {name} | {count_parameters(model):,} | {way} | {1 / step:.2f} | {1 / image:.2f} | {memory:.2f} |"
                f" {fraction:.1%} |",
                flush=True,
            )
        print(f"| hours for the study | | {way} | {hours(study, times):,.0f} | | | |", flush=True)


if __name__ == "__main__":
    main()
