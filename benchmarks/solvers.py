"""How many solver steps are enough: properties by solver and steps against a converged solver.

    python benchmarks/solvers.py [results/digits]

For the full and the re-fitted model, from the same noise: the error of each property against DDIM with 1,000
steps, and the seconds that the images took.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch

from diffusion_credit.measuring.extractors.classifier import load
from diffusion_credit.measuring.features import read_arrays
from diffusion_credit.measuring.properties import cluster_entropy, fid, inception_score
from diffusion_credit.models.checkpoints import load_model
from diffusion_credit.models.diffusion import sample
from diffusion_credit.models.latents import identity
from diffusion_credit.models.networks import unet

GRID = [("ddim", 1000), ("ddim", 100), ("ddim", 20), ("ddim", 10), *(("dpm_solver++", n) for n in (40, 20, 10, 8, 5))]


def main() -> None:
    results = Path(sys.argv[1] if len(sys.argv) > 1 else "results/digits")
    torch.set_num_threads(1)
    extract = load({}, results / "extractors/classifier")
    references = {name: read_arrays(results / f"references/{name}.safetensors") for name in ("fid", "cluster_entropy")}
    for name in ("full", "refit"):
        model, config = load_model(results / f"models/{name}/everyone/0000/everyone-0")
        predict = unet.denoiser(model.eval(), {}, {}, guidance=1)
        height, width = config["architecture"]["sample_size"]
        truth: np.ndarray | None = None
        print(f"\n{name:<16} steps  seconds   inception_score        fid   cluster_entropy  (value, then errors)")
        for solver, steps in GRID:
            options = {"images": 384, "solver": solver, "steps": steps, "batch_size": 384, "precision": "float32"}
            started = time.process_time()
            pixels = sample(predict, identity, config["diffusion"], options, (1, height, width), 0, "cpu")
            seconds = time.process_time() - started
            features = extract(pixels)
            values = np.array(
                [
                    inception_score.evaluate(features, {"splits": 1}, {}),
                    fid.evaluate(features, {}, references["fid"]),
                    cluster_entropy.evaluate(features, {}, references["cluster_entropy"]),
                ]
            )
            shown = values if truth is None else values - truth
            truth = values if truth is None else truth
            print(
                f"{solver:<16} {steps:>5}  {seconds:>7.2f}   {shown[0]:>15.4f} {shown[1]:>10.3f} {shown[2]:>17.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
