"""Jobs import what they use: the same results without the rest of diffusers, and PyTorch only for networks."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from studies import ROOT

from diffusion_credit.base import code
from diffusion_credit.base.plugins import PLACES

SCRIPTS = ROOT / "workflow/scripts"
NETWORKS = {  # scripts that build a network, train one or look at images with one
    "compute_gradients", "encode_inputs", "extract_features", "fit_extractor", "generate_images", "measure_losses",
    "prune_model", "regenerate_images", "train_models",
}  # fmt: skip
HEAVY = {"accelerate", "diffusers", "peft", "torch", "torch_pruning", "torchvision", "transformers"}

WORK = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "lean":
    from diffusion_credit.models.lean import import_unet
    import_unet()
import torch
from diffusion_credit.models import diffusion
from diffusion_credit.models.checkpoints import build
from diffusion_credit.models.networks import unet

torch.set_num_threads(1)
options = dict(channels=[16, 32], layers_per_block=1, norm_groups=4, attention=[1], head_width=8)
model = build(unet.architecture(options, (1, 8, 8)), 0, {}).to("cpu")
process = dict(timesteps=100, schedule="linear", prediction="epsilon", beta_start=1e-4, beta_end=0.02)
digests = {}
optimizer = torch.optim.AdamW(model.parameters(), fused=True)
for _ in range(2):
    optimizer.zero_grad()
    model(torch.ones(2, 1, 8, 8), torch.tensor([3, 50])).sample.square().mean().backward()
    optimizer.step()
digests["weights"] = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest()
for solver in diffusion.SOLVERS:
    drawn = dict(images=3, solver=solver, steps=6, batch_size=2, precision="float32")
    images = diffusion.sample(unet.denoiser(model, {}, 1), lambda x: x, process, drawn, (1, 8, 8), 0, "cpu")
    digests[solver] = hashlib.sha256(images.tobytes()).hexdigest()
loaded = sorted(name for name, module in sys.modules.items() if getattr(module, "__file__", None))
if sys.argv[2] == "lean":
    import peft, scipy.stats, transformers  # not needed, but there
    assert torch.compile(torch.nn.Linear(2, 2), backend="eager")(torch.ones(1, 2)).shape == (1, 2)
print(json.dumps([digests, loaded]))
"""


def work(how: str) -> tuple[dict[str, str], set[str]]:
    command = [sys.executable, "-c", WORK, str(SCRIPTS), how]
    digests, loaded = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return digests, set(loaded)


def test_lean_imports_give_the_same_bytes_from_fewer_modules() -> None:
    lean, loaded = work("lean")
    whole, everything = work("whole")
    assert lean == whole and len(set(lean.values())) == 4
    unused = {"torch._dynamo", "scipy", "transformers", "peft", "diffusers.models.unets.unet_1d"}
    assert unused <= everything and not unused & loaded
    ours = {name for name in everything if name.split(".")[0] in ("diffusers", "diffusion_credit", "torch")}
    # what a new version adds to the import of its U-Net stands here by name
    assert len([name for name in loaded if name.startswith("diffusers.")]) < len(ours) / 10


def imported(script: Path) -> dict[str, set[str]]:
    """Every module of ours that a script imports, also late and through others -> the packages that it imports."""
    found: dict[str, set[str]] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path.stem in found:
            continue
        nodes = [*ast.walk(ast.parse(path.read_text()))]
        names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
        found[path.stem] = {"torch" if name == "safetensors.torch" else name.split(".")[0] for name in names}
        waiting += code._read(path, SCRIPTS)[1]
    return found


@pytest.mark.parametrize("script", sorted(p.stem for p in SCRIPTS.glob("*.py") if p.stem != "job"))
def test_only_jobs_with_a_network_import_pytorch(script: str) -> None:
    for_networks = {"device", "job", "lean"}  # these do so only where a device is asked for
    heavy = {module for module, names in imported(SCRIPTS / f"{script}.py").items() if names & HEAVY} - for_networks
    assert bool(heavy) == (script in NETWORKS), heavy


@pytest.mark.parametrize("group", ["sources", "properties", "estimators", "baselines"])
def test_neither_do_the_plug_ins_of_the_others(group: str) -> None:
    for path in (SCRIPTS / "diffusion_credit" / PLACES[group].replace(".", "/")).glob("[a-z]*.py"):
        assert not {module for module, names in imported(path).items() if names & HEAVY}, path
