"""A model that was trained elsewhere, as the full model of a study."""

from pathlib import Path
from typing import Any

from diffusion_credit.base.collection import fill
from diffusion_credit.base.files import versions
from diffusion_credit.base.plugins import module_of, packages_of
from diffusion_credit.models.checkpoints import build, count_parameters, save_model
from diffusion_credit.models.inputs import Inputs
from diffusion_credit.models.latents import SCHEDULER, check_process
from diffusion_credit.models.weights import digests_of, open_weights


def take(
    name: str, given: Path, inputs: Inputs, weights: dict[str, Path], collection: Path, options: dict[str, Any]
) -> int:
    """Write the model as the entry `name` of `collection`; return the number of its learned weights.

    given: manifest of the model. weights: name -> manifest of what else is pretrained. options: sections `model` and
    `diffusion`, and `code`, the digest of the code that runs. Raises UserError when the model is not of the study's
    kind, size or noising process.
    """
    kind = options["model"]["kind"]
    network = module_of("networks", kind)
    architecture, tensors = network.given(options["model"], open_weights(given), inputs.shape)
    if (open_weights(given) / SCHEDULER).is_file():
        check_process(given, options["diffusion"])
    model = build(architecture, 0, weights)
    network.load(model, tensors)
    model.requires_grad_(True)
    config = {"architecture": architecture, "diffusion": options["diffusion"], "latents": inputs.latents}
    provenance = {
        **options,
        **config,
        "inputs": inputs.digest,
        "given": digests_of({"given": given}),
        "weights": digests_of(weights),
        "versions": versions("torch", "diffusers") | packages_of("networks", kind),
    }
    fill(collection, {name: provenance}, lambda _, folder, state: save_model(folder, model, config, provenance))
    return count_parameters(model)
