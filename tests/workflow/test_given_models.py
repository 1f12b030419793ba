"""Models that were trained by plain diffusers and peft, credited from where they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from diffusers import (
    DDIMPipeline,
    DDIMScheduler,
    DDPMPipeline,
    DDPMScheduler,
    UNet2DModel,
)
from PIL import Image
from pipelines import BASES, DENOISERS, PROCESSES, load_pipeline, train_by_plain_peft
from sklearn.datasets import load_digits
from studies import TRAINING, Workspace

from diffusion_credit.base.seeds import noise
from diffusion_credit.base.tables import read_subsets
from diffusion_credit.data.images import read_zip
from diffusion_credit.models.checkpoints import load_model, parameters
from diffusion_credit.models.networks import lora
from diffusion_credit.models.prompts import read_prompts

pytestmark = pytest.mark.workflow

IMAGES, STEPS = 12, 5
TARGETS = [
    "results/tiny/attribution/fid/ridge.csv",
    "results/tiny/images/full/everyone/0000/manifest.json",
    "results/tiny/models/retrain/anchors/0000/manifest.json",
]


def train_by_plain_diffusers(folder: Path) -> None:
    """A class-free U-Net with attention, a time embedding that scales and shifts, and dropout, on the digits 0 to 4."""
    torch.manual_seed(0)
    model = UNet2DModel(
        sample_size=8, in_channels=1, out_channels=1, block_out_channels=(8, 16), layers_per_block=1,
        norm_num_groups=4, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"), attention_head_dim=8, dropout=0.1,
        resnet_time_scale_shift="scale_shift",
    )  # fmt: skip
    scheduler = DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    digits = load_digits(n_class=5)
    images = torch.tensor(digits.images / 8 - 1, dtype=torch.float32)[:, None]
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    for _ in range(100):
        x = images[torch.randint(len(images), (32,))]
        noise, t = torch.randn_like(x), torch.randint(1000, (len(x),))
        loss = torch.nn.functional.mse_loss(model(scheduler.add_noise(x, noise, t), t).sample, noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    DDPMPipeline(model, scheduler).save_pretrained(folder)


@pytest.fixture(scope="module")
def credited(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("given") / "study")
    train_by_plain_diffusers(workspace.folder / "mine")
    workspace.config["weights"] = {"mine": {"folder": "mine"}}
    workspace.config["model"] = {"kind": "unet"}
    workspace.config["training"] = {"from": "mine"}
    workspace.config["diffusion"] = {"schedule": "squaredcos_cap_v2"}
    workspace.config["generation"] = {"images": IMAGES, "solver": "ddim", "steps": STEPS}
    return credit(workspace)


def credit(workspace: Workspace, **training: Any) -> Workspace:
    """Run until there are values of one property, and models of everyone retrained as the given model is made."""
    workspace.config["regimes"] = {"sparse": {**TRAINING, **training}, "retrain": {**TRAINING, **training}}
    workspace.config["evaluation"]["lds"]["regimes"] = ["sparse"]
    workspace.config["properties"] = {"fid": {"kind": "fid", "extractor": "classifier"}}
    process = workspace.run(*TARGETS)
    assert process.returncode == 0, process.stdout
    assert "take_model" in process.stdout and "train_models full" not in process.stdout
    return workspace


def test_its_contributors_are_credited_and_nothing_is_left_to_do(credited: Workspace) -> None:
    values = pd.read_csv(credited.results / "attribution/fid/ridge.csv")["value"]
    ends = read_subsets(credited.results / "utilities/fid.csv", valued=True)
    assert ends.value is not None
    of = [ends.value[chosen].mean() for chosen in (ends.members.all(axis=1), ~ends.members.any(axis=1))]
    assert len(values) == 5 and values.sum() == pytest.approx(of[0] - of[1])
    assert credited.planned(*TARGETS) == {}


def test_its_images_are_those_of_its_own_pipeline(credited: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = read_zip(credited.results / "images/full/everyone/0000/everyone-0/images.zip")
    pipeline = DDPMPipeline.from_pretrained(credited.folder / "mine")
    scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, clip_sample=False, timestep_spacing="trailing")
    start = torch.from_numpy(noise(credited.config["seed"], 0, IMAGES, (1, 8, 8)))
    monkeypatch.setattr("diffusers.pipelines.ddim.pipeline_ddim.randn_tensor", lambda *_, **__: start)
    own = DDIMPipeline(pipeline.unet, scheduler)
    own.set_progress_bar_config(disable=True)
    images = own(batch_size=IMAGES, num_inference_steps=STEPS, output_type="np").images
    assert np.abs(drawn / 255 - images).max() <= 0.5 / 255 + 1e-4
    assert images.std() > 0.05  # not all alike


@pytest.mark.parametrize("family", PROCESSES)
def test_adapters_are_credited_from_where_they_are(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stable Diffusion's for one prompt; all others with captions, of which some are dropped, and two prompts."""
    workspace, captioned = Workspace(tmp_path / "study"), family != "stable_diffusion"
    base = BASES[family](workspace.folder / "base")
    rng = np.random.default_rng(0)
    images = []
    for artist, colour in enumerate(rng.integers(0, 256, (5, 3))):
        (workspace.folder / f"images/{artist}").mkdir(parents=True)
        for i in range(5):
            images.append(np.clip(colour + rng.normal(0, 20, (16, 16, 3)), 0, 255).astype(np.uint8))
            Image.fromarray(images[-1]).save(workspace.folder / f"images/{artist}/{i}.png")
            (workspace.folder / f"images/{artist}/{i}.txt").write_text(f"a painting by {artist}")
    theirs = train_by_plain_peft(family, base, np.array(images), workspace.folder / "mine")
    (workspace.folder / "prompts.txt").write_text("a painting by 0\na painting by 3\n")
    flow = PROCESSES[family]["schedule"] == "flow"
    told = {} if captioned else {"prompt": "a painting"}
    prompts = {"prompts": "prompts.txt"} if captioned else {}
    workspace.config |= {
        "weights": {"base": {"folder": "base"}, "mine": {"folder": "mine"}},
        "data": {"source": "image_folder", "path": "images", "size": 16, "captions": captioned},
        "model": {"kind": "lora", "family": family, "base": "base", **told},
        "training": {"from": "mine"},
        "diffusion": PROCESSES[family],
        "generation": {
            "images": IMAGES, "solver": "flow_euler" if flow else "ddim", "steps": 2, "guidance": 2.0, **prompts,
        },
    }  # fmt: skip
    workspace.config["design"]["empty"] = "base"
    credit(workspace, **({"caption_dropout": 0.2} if captioned else {}))
    monkeypatch.chdir(workspace.folder)  # which the weights are relative to
    weights = {"base": workspace.results / "weights/base/manifest.json"}
    folder = workspace.results / "models/full/everyone/0000/everyone-0"
    ours, about = load_model(folder, weights=weights)
    architecture, pipe = about["architecture"], load_pipeline(family, base)
    pipe.load_lora_weights(folder)
    conditions, labels = read_prompts(workspace.results / "inputs/prompts/manifest.json")
    assert labels is not None
    told_prompts = pd.read_csv(workspace.results / "inputs/prompts/prompts.csv")["prompt"].value_counts()
    assert told_prompts.to_dict() == ({f"a painting by {i}": 6 for i in (0, 3)} if captioned else {"a painting": 12})
    x, t = torch.randn(2, 4, 8, 8), torch.tensor([3.0, 900.0])
    with torch.inference_mode():
        found, expected, again = (
            lora.denoiser(model.eval(), architecture, conditions, 1)(x, t, labels[:2])
            for model in (ours, *(getattr(each, DENOISERS[family]) for each in (theirs, pipe)))
        )
    assert torch.allclose(found, expected, atol=1e-4) and torch.allclose(again, expected, atol=1e-4)
    # a retrained subset has adapters like the given ones, a pruned one fewer ranks
    shapes = [parameter.shape for parameter in parameters(ours)]
    for path, rank in (("retrain/anchors", 3), ("pruned/everyone", 1)):
        entry = min((workspace.results / "models" / path / "0000").glob("*/manifest.json")).parent
        model, about = load_model(entry, weights=weights)
        assert about["architecture"]["rank"] == rank
        assert ([parameter.shape for parameter in parameters(model)] == shapes) == (rank == 3)
    if captioned:  # other prompts draw and measure again, and train nothing
        (workspace.folder / "prompts.txt").write_text("a painting by 1\n")
        planned = workspace.planned(*TARGETS)
        assert "encode_prompts" in planned and "train_models" not in planned and "encode_inputs" not in planned
