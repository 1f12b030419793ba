"""Full model -> pruned model, with the number of parameters before and after."""

from pathlib import Path

from diffusion_credit.files import MANIFEST, digest_of_file, versions
from diffusion_credit.members import fill, only_entry
from diffusion_credit.models import count_parameters, load_model, save_model
from diffusion_credit.pruning import prune
from job import job

with job(snakemake) as log:
    source = only_entry(snakemake.input.full)
    model, config = load_model(source)
    before = count_parameters(model)
    prune(model, snakemake.params.ratio)
    provenance = {
        "code": snakemake.params.code,
        "full_model": digest_of_file(source / MANIFEST),
        "ratio": snakemake.params.ratio,
        "parameters_before": before,
        "versions": versions("torch", "torch-pruning", "diffusers"),
    }
    kept = {key: config[key] for key in ("architecture", "diffusion")}
    fill(
        Path(snakemake.output[0]).parent,
        {source.name: provenance},
        lambda name, folder, state: save_model(folder, model, kept, provenance),
    )
    log.info("parameters: %d before, %d after pruning", before, count_parameters(model))
