"""A model that was trained by plain diffusers, credited from where it is."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from sklearn.datasets import load_digits
from studies import TRAINING, Workspace

from diffusion_credit.base.seeds import noise
from diffusion_credit.data.images import read_zip

pytestmark = pytest.mark.workflow

IMAGES, STEPS = 12, 5


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
    workspace.config["regimes"]["sparse"] = TRAINING
    workspace.config["evaluation"]["lds"]["regimes"] = ["sparse"]
    return workspace.finish()


def test_no_job_trains_the_full_model(credited: Workspace) -> None:
    assert "train_models full" not in credited.printed
    assert "take_model" in credited.printed
    assert credited.planned() == {}


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
