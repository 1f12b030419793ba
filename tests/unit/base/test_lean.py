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
    "check_learning", "compute_gradients", "encode_inputs", "encode_names", "encode_prompts", "extract_features",
    "fit_extractor", "generate_images", "measure_losses", "prune_model", "regenerate_images", "take_model",
    "train_autoencoder", "train_models",
}  # fmt: skip
HEAVY = {"accelerate", "diffusers", "peft", "torch", "torch_pruning", "torchvision", "transformers"}

WORK = """
import hashlib, json, sys
sys.path.insert(0, sys.argv[1])
packages = sys.argv[3].split()
if sys.argv[2] == "lean":
    from diffusion_credit.base.lean import import_lean
    import_lean(packages)
import torch

def digest(tensors):
    return hashlib.sha256(b"".join(x.detach().numpy().tobytes() for x in tensors)).hexdigest()

def trained(model, *inputs, **more):
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, fused=True)
    for _ in range(2):
        optimizer.zero_grad()
        model(*inputs, **more).sample.square().mean().backward()
        optimizer.step()
    return digest(parameters)

torch.set_num_threads(1)
torch.manual_seed(0)
digests = {}
if packages == ["diffusers"]:
    from diffusion_credit.models import diffusion
    from diffusion_credit.models.checkpoints import build
    from diffusion_credit.models.networks import dit, unet

    said = dict(channels=[16, 32], layers_per_block=1, norm_groups=4, attention=[1], head_width=8)
    options = unet.Options(kind="unet", **said).model_dump()
    model = build(unet.architecture(options, (1, 8, 8)), 0, {}).to("cpu")
    process = dict(timesteps=100, schedule="linear", prediction="epsilon", beta_start=1e-4, beta_end=0.02)
    digests["weights"] = trained(model, torch.ones(2, 1, 8, 8), torch.tensor([3, 50]))
    transformer = build(dit.architecture(dict(width=8, patch=2, heads=2, layers=2), (1, 8, 8)), 0, {})
    told = dict(timestep=torch.tensor([2.5, 50.0]), class_labels=torch.tensor([0, 0]))
    digests["transformer"] = trained(transformer, torch.ones(2, 1, 8, 8), **told)
    flow = dict(timesteps=100, schedule="flow", times="uniform", shift=1.0)
    for solver in diffusion.SOLVERS:
        drawn = dict(images=3, solver=solver, steps=6, batch_size=2, precision="float32")
        of = flow if solver == "flow_euler" else process
        images = diffusion.sample(unet.denoiser(model, {}, {}, 1), lambda x: x, of, drawn, (1, 8, 8), 0, "cpu")
        digests[solver] = hashlib.sha256(images.tobytes()).hexdigest()
if "diffusers" in packages:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.autoencoders.vq_model import VQModel

    for kind in (AutoencoderKL, VQModel):
        decoder = kind(block_out_channels=[8], norm_num_groups=4, latent_channels=4)
        digests[kind.__name__] = digest([decoder.decode(torch.ones(1, 4, 4, 4)).sample])
if "peft" in packages:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from peft import LoraConfig, get_peft_model_state_dict

    base = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 8), norm_num_groups=4, cross_attention_dim=8, attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    ).requires_grad_(False)
    base.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_k"], init_lora_weights="gaussian"))
    inputs = torch.ones(2, 4, 8, 8), torch.tensor([3, 50])
    digests["adapters"] = trained(base, *inputs, encoder_hidden_states=torch.ones(2, 3, 8))
    digests["state"] = str(sorted(get_peft_model_state_dict(base)))
if "transformers" in packages:
    from transformers import BlipConfig, BlipForQuestionAnswering, CLIPConfig, CLIPModel, CLIPTextModel

    parts = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=32)
    sizes = dict(text_config=dict(parts, vocab_size=40, eos_token_id=39), vision_config=parts)
    clip = CLIPModel(CLIPConfig(**sizes)).eval()
    digests["clip"] = digest([clip.get_image_features(torch.ones(1, 3, 32, 32)).pooler_output])
    digests["text"] = digest([CLIPTextModel(clip.config.text_config).eval()(torch.ones(1, 5, dtype=int))[0]])
    blip = BlipForQuestionAnswering(BlipConfig(**sizes)).eval()
    digests["blip"] = digest([blip.vision_model(torch.ones(1, 3, 32, 32))[0]])
loaded = sorted(name for name, module in sys.modules.items() if getattr(module, "__file__", None))
if sys.argv[2] == "lean":
    import peft, scipy.stats, sklearn, torch.distributed.tensor, transformers  # not needed, but there
    stand_in = torch._dynamo
    assert stand_in.config is stand_in.config is torch._dynamo.config
    assert torch.distributed.is_available()
    assert torch.compile(torch.nn.Linear(2, 2), backend="eager")(torch.ones(1, 2)).shape == (1, 2)
print(json.dumps([digests, loaded]))
"""
UNUSED = {"torch._dynamo", "torch.distributed.tensor", "sympy", "scipy"}  # of all that importing these packages loads


def work(how: str, packages: str) -> tuple[dict[str, str], set[str]]:
    command = [sys.executable, "-c", WORK, str(SCRIPTS), how, packages]
    digests, loaded = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return digests, set(loaded)


@pytest.mark.parametrize(
    ("packages", "results", "unused"),
    [
        ("diffusers", 8, UNUSED | {"peft", "transformers", "diffusers.models.unets.unet_1d"}),
        ("transformers", 3, UNUSED),
        ("diffusers peft transformers", 7, UNUSED | {"diffusers.models.unets.unet_1d"}),
    ],
)
def test_lean_imports_give_the_same_bytes_from_fewer_modules(packages: str, results: int, unused: set[str]) -> None:
    lean, loaded = work("lean", packages)
    whole, everything = work("whole", packages)
    assert lean == whole and len(set(lean.values())) == results
    assert unused <= everything and not unused & loaded
    # what a new version adds to the import of its U-Net stands here by name
    assert len([name for name in loaded if name.startswith("diffusers.")]) < len(everything) / 20


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
