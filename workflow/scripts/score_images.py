"""Features or gradients, and losses of tuning subsets -> scores of training images, by the best candidate."""

from safetensors.numpy import save_file

from diffusion_credit.base.files import replacing, write_json
from diffusion_credit.base.plugins import module_of
from diffusion_credit.baselines.gradient_arrays import GENERATED
from diffusion_credit.baselines.sources import read
from diffusion_credit.local import influence
from diffusion_credit.local.losses import read_losses
from job import job

with job(snakemake) as log:
    options = snakemake.params.options
    sources = {key: read(*source) for key, source in snakemake.params.sources.items()}
    if GENERATED in sources:  # of gradients there are no more
        sources[GENERATED] = {key: array[: snakemake.params.generated] for key, array in sources[GENERATED].items()}
    module = module_of("baselines", options["kind"])
    members, losses = read_losses(snakemake.input.designs, snakemake.input.losses)
    scores, about = influence.choose(module, options, sources, members, losses)
    with replacing(snakemake.output.scores) as temporary:
        save_file(scores, temporary)
    write_json(snakemake.output.about, about)
    log.info("%s: %s", snakemake.wildcards.baseline, about["chosen"] or "one candidate")
