"""A model in diffusers' format -> the full model of a study."""

from pathlib import Path

from job import job

with job(snakemake, uses="networks") as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.tables import read_subsets
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.given import take
    from diffusion_credit.models.inputs import read_inputs
    from diffusion_credit.models.weights import by_name

    given = snakemake.input
    (name,) = read_subsets(given.design).names
    encoded = next(map(Path, given.encoded), None)
    parameters = take(
        name,
        Path(given.given[0]),
        read_inputs(Index(given.index), open_pixels(given.pixels), encoded, "cpu"),
        by_name(given.weights),
        Path(snakemake.output[0]).parent,
        {**snakemake.params.options, "code": snakemake.params.code},
    )
    log.info("%s: taken as it is, parameters: %d", snakemake.output[0], parameters)
