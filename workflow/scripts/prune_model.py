"""Full model -> pruned model, with the number of parameters before and after."""

from pathlib import Path

from job import job

with job(snakemake, uses="networks") as log:  # imports that take seconds come after what they need is there
    from diffusion_credit.base.collection import fill, only_entry
    from diffusion_credit.base.files import MANIFEST, digest_of_file, versions
    from diffusion_credit.base.plugins import module_of
    from diffusion_credit.models.checkpoints import count_parameters, load_model, save_model
    from diffusion_credit.models.weights import by_name

    source = only_entry(snakemake.input.full)
    model, config = load_model(source, weights=by_name(snakemake.input.weights))
    before, options = count_parameters(model), snakemake.params.options
    pruning = module_of("pruning", config["architecture"]["kind"])
    kept = {**config, "architecture": pruning.prune(model, config["architecture"], options)}
    provenance = {
        "code": snakemake.params.code,
        "full_model": digest_of_file(source / MANIFEST),
        "options": options,
        "parameters_before": before,
        "versions": versions("torch", "torch-pruning", "diffusers"),
    }
    fill(
        Path(snakemake.output[0]).parent,
        {source.name: provenance},
        lambda name, folder, state: save_model(folder, model, kept, provenance),
    )
    log.info("parameters: %d before, %d after pruning", before, count_parameters(model))
