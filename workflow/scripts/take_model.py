"""A model in diffusers' format -> the full model of a study."""

from pathlib import Path

from job import job

with job(snakemake, uses="networks") as log:  # imports that take seconds come after what they need is there
    from hashlib import sha256

    from safetensors.torch import save

    from diffusion_credit.base.collection import fill
    from diffusion_credit.base.errors import UserError
    from diffusion_credit.base.files import versions
    from diffusion_credit.base.plugins import module_of, packages_of
    from diffusion_credit.base.tables import read_subsets
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.checkpoints import build, count_parameters, save_model
    from diffusion_credit.models.inputs import read_inputs
    from diffusion_credit.models.latents import check_given_process
    from diffusion_credit.models.weights import by_name, digests_of, open_weights

    options, source = snakemake.params.options, Path(snakemake.input.given)
    place = open_weights(source)
    kind, weights = options["model"]["kind"], by_name(snakemake.input.weights)
    (name,) = read_subsets(snakemake.input.design).names
    encoded = next(map(Path, snakemake.input.encoded), None)
    inputs = read_inputs(Index(snakemake.input.index), open_pixels(snakemake.input.pixels), encoded, "cpu")
    check_given_process(source, options["diffusion"])
    architecture, tensors = module_of("given", kind).read(options["model"], source, inputs.shape, weights)
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise UserError(f"{place}: found weights that are not finite, expected finite numbers")
    model = build(architecture, 0, weights)
    module_of("networks", kind).load(model, tensors)
    config = {"architecture": architecture, "diffusion": options["diffusion"], "latents": inputs.latents}
    provenance = {
        **options,
        **config,
        "code": snakemake.params.code,
        "inputs": inputs.digest,
        # of what was read, so that another file in the folder changes nothing
        "given": sha256(save({name: tensor.contiguous() for name, tensor in sorted(tensors.items())})).hexdigest(),
        "weights": digests_of(weights),
        "versions": versions("torch", "diffusers") | packages_of("networks", kind),
    }
    fill(
        Path(snakemake.output[0]).parent,
        {name: provenance},
        lambda name, folder, state: save_model(folder, model, config, provenance),
    )
    log.info("%s: taken as it is from %s, parameters: %d", snakemake.output[0], place, count_parameters(model))
