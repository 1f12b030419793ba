"""U-Net or transformer, noise schedule or flow matching: what each makes of the digits in equal time of training.

    PYTHONPATH=workflow/scripts python benchmarks/networks.py sheet.png                       # some twenty minutes
    PYTHONPATH=workflow/scripts python benchmarks/networks.py sheet.png --seconds 2 --seeds 2   # tries the script out

One thread, and everything else as in config/config.yaml: data, batches, number of images and of solver steps, and the
classifier by which they are measured. Steps of a second are measured before each training, in processor time. A row
is the mean over training seeds and its standard error; images are drawn from the same noise. The picture shows images
of the first seed, at the learning rate with the lowest log FID.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.seeds import named_seed
from diffusion_credit.data.images import Images, to_float
from diffusion_credit.measuring.properties import fid, inception_score
from diffusion_credit.models.checkpoints import build, count_parameters
from diffusion_credit.models.diffusion import sample
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.latents import identity
from diffusion_credit.models.training import train
from diffusion_credit.report import figures
from diffusion_credit.study.config import Study, plain, read_study

CONFIG = yaml.safe_load((Path(__file__).parent.parent / "config/config.yaml").read_text())
DIT = {"kind": "dit", "width": 64, "patch": 2, "heads": 4, "layers": 3}
FLOW = {"diffusion": {"schedule": "flow"}, "generation": {**CONFIG["generation"], "solver": "flow_euler"}}
STUDIES: dict[str, dict[str, Any]] = {  # name -> what differs from the default study
    "U-Net": {},
    "U-Net, flow matching": FLOW,
    "DiT, flow matching": {"model": DIT, **FLOW},
    "DiT": {"model": DIT},
}
TRIED = 20  # steps by which the speed is measured
Measure = Callable[[np.ndarray], tuple[float, float]]


def measures(study: Study, data: Images, folder: Path) -> Measure:
    """Inception Score and log FID of images, by the study's classifier, which is trained into `folder`."""
    options = plain(study.extractors["classifier"])
    classifier = module_of("extractors", options["kind"])
    classifier.fit(options, data.pixels, data.owner, len(data.contributors), study.seed, folder)
    extract = classifier.load(options, folder, {}, "cpu")
    reference = fid.fit(extract(data.pixels), {}, study.seed)

    def measure(pixels: np.ndarray) -> tuple[float, float]:
        features = extract(pixels)
        return (
            inception_score.evaluate(features, {"splits": 1}, {}),
            float(np.log(fid.evaluate(features, {}, reference))),
        )

    return measure


def trained(
    study: Study, inputs: Inputs, rate: float, seed: int, steps: int, folder: Path
) -> tuple[torch.nn.Module, float]:
    """A model after so many steps, and the seconds of processor time that they took."""
    network, kind = plain(study.model), module_of("networks", study.model.kind)
    model = build(kind.architecture(network, inputs.shape), named_seed(seed, "initialise"), {})
    options = {**plain(study.training), "learning_rate": rate, "steps": steps}
    started = time.process_time()
    images, diffusion = np.arange(len(inputs.images)), plain(study.diffusion)
    train(model, kind.denoiser(model, {}, {}, 1), inputs, images, diffusion, options, seed, folder / "state", "")
    (folder / "state").unlink(missing_ok=True)
    return model, time.process_time() - started


def drawn(study: Study, model: torch.nn.Module, shape: tuple[int, int, int]) -> np.ndarray:
    """The study's number of images, uint8 (images, height, width, channels)."""
    predict = module_of("networks", study.model.kind).denoiser(model, {}, {}, 1)
    return sample(predict, identity, plain(study.diffusion), plain(study.generation), shape, study.seed, "cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", type=Path, help="PNG of the images")
    parser.add_argument("--seconds", type=float, default=25, help="of each training")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each row, at least 2")
    parser.add_argument("--rates", type=float, nargs="+", default=[0.004, 0.008], help="learning rates")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    default = read_study(CONFIG)
    data = module_of("sources", default.data.source).read(default.data)
    inputs = Inputs(torch.from_numpy(to_float(data.pixels)), None, {}, None, None, "")
    groups = [("data", data.pixels)]
    print("| network | parameters | learning rate | steps | seconds | Inception Score | log FID |")
    print("|---" * 7 + "|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        measure = measures(default, data, folder)
        for name, changes in STUDIES.items():
            study, best = read_study({**CONFIG, **changes}), np.inf
            _, tried = trained(study, inputs, asked.rates[0], 0, TRIED, folder)
            steps = max(1, round(asked.seconds * TRIED / tried))
            for rate in asked.rates:
                found, images = [], []
                for seed in range(asked.seeds):
                    model, seconds = trained(study, inputs, rate, seed, steps, folder)
                    images.append(drawn(study, model, inputs.shape))
                    found.append([seconds, *measure(images[-1])])
                mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / len(found) ** 0.5
                scores = [f"{mean[at]:.3f} ± {error[at]:.3f}" for at in (1, 2)]
                cells = [name, f"{count_parameters(model):,}", rate, steps, f"{mean[0]:.1f}", *scores]
                print("|", " | ".join(map(str, cells)), "|", flush=True)
                if mean[2] < best:
                    best, chosen = mean[2], images[0]
            groups.append((name, chosen))
    figures.save(figures.contact_sheet(groups, rows=2), asked.sheet)


if __name__ == "__main__":
    main()
