"""GPU memory of adapters on a large base, computed without a GPU: what one training pass keeps.

    python benchmarks/memory.py            # SDXL, Stable Diffusion 3 and FLUX.1 at ranks 16 and 64

Networks of the published sizes are built without memory (PyTorch's meta device), and one pass counts the bytes of every
tensor that its backward pass keeps. Not counted: what kernels take for a moment, and PyTorch's fragmentation.
"""

import argparse
from typing import Any

import torch
from diffusers import FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel
from diffusers.utils import logging
from peft import LoraConfig

from diffusion_credit.base.plugins import module_of

GIB = 2**30
BLOCKS = {  # what gradient checkpointing computes again, one at a time
    "BasicTransformerBlock", "ResnetBlock2D", "JointTransformerBlock", "FluxTransformerBlock",
    "FluxSingleTransformerBlock",
}  # fmt: skip
STATES = 5  # of each learned weight in float32: itself, its average, its gradient, and two moments
BASES: dict[str, tuple[Any, dict[str, Any], int, dict[str, tuple[int, ...]]]] = {
    # class, config as published, channels of the latents, what it is told
    "sdxl": (
        UNet2DConditionModel,
        dict(
            sample_size=128, block_out_channels=(320, 640, 1280), transformer_layers_per_block=(1, 2, 10),
            attention_head_dim=(5, 10, 20), cross_attention_dim=2048, use_linear_projection=True,
            addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        4,
        {"states": (77, 2048), "pooled": (1280,), "sizes": (6,)},
    ),
    "sd3": (
        SD3Transformer2DModel,
        dict(
            num_layers=24, num_attention_heads=24, caption_projection_dim=1536, pos_embed_max_size=192,
        ),
        16,
        {"states": (333, 4096), "pooled": (2048,)},
    ),
    "flux": (
        FluxTransformer2DModel,
        dict(guidance_embeds=True),
        16,
        {"states": (512, 4096), "pooled": (768,)},
    ),
}  # fmt: skip


class Flash(torch.autograd.Function):
    """Attention as GPUs compute it: its backward pass needs inputs and output, and no matrix of all pairs."""

    @staticmethod
    def forward(ctx: Any, *inputs: torch.Tensor) -> torch.Tensor:
        query, _, value = inputs
        output = query.new_empty(*query.shape[:-1], value.shape[-1])
        ctx.save_for_backward(*inputs, output)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise NotImplementedError


def kept(
    model: torch.nn.Module, family: Any, channels: int, told: dict[str, tuple[int, ...]], side: int
) -> tuple[int, int]:
    """Bytes that the backward pass of one image needs, each storage once, and the most that one block needs of them.

    Weights are not counted.
    """
    x = torch.zeros(1, channels, side, side, dtype=torch.bfloat16, device="meta")
    texts = {name: torch.zeros(1, *shape, dtype=torch.bfloat16, device="meta") for name, shape in told.items()}
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    held: dict[int, torch.UntypedStorage] = {}  # kept alive, so that no other storage gets its address
    largest, before = [0], [0]

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            held[storage._cdata] = storage
        return tensor

    def total(*_: Any) -> int:
        return sum(storage.nbytes() for storage in held.values())

    for block in (module for module in model.modules() if type(module).__name__ in BLOCKS):
        block.register_forward_pre_hook(lambda *_: before.__setitem__(0, total()))
        block.register_forward_hook(lambda *_: largest.__setitem__(0, max(largest[0], total() - before[0])))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        family.predict(model, x, torch.zeros(1, dtype=torch.bfloat16, device="meta"), texts, 1.0)
    return total(), largest[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024, help="of images, in pixels")
    options = parser.parse_args()
    torch.nn.functional.scaled_dot_product_attention = lambda query, key, value, **_: Flash.apply(query, key, value)
    logging.set_verbosity_error()
    print(
        "| base | parameters | rank | adapters | base | states | kept | with checkpointing | sum, with | sum, without |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, (kind, config, channels, told) in BASES.items():
        family = module_of("families", name)
        for rank in (16, 64):
            with torch.device("meta"):
                model = kind(**config).to(torch.bfloat16).requires_grad_(False)
                model.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=family.LAYERS))
            model.train()
            total = sum(p.numel() for p in model.parameters() if not p.requires_grad)
            adapters = sum(p.numel() for p in model.parameters() if p.requires_grad)
            plain, block = kept(model, family, channels, told, options.size // 8)
            model.enable_gradient_checkpointing()
            less = kept(model, family, channels, told, options.size // 8)[0] + block  # one is computed again at a time
            base, states = 2 * total, 4 * STATES * adapters
            parts = (base, states, plain, less, base + states + less, base + states + plain)
            cells = [f"{part / GIB:.1f}" for part in parts]
            print(f"| `{name}` | {total / 1e9:.2f} G | {rank} | {adapters / 1e6:.1f} M | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
