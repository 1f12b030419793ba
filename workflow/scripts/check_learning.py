"""The full model and its training images -> learning.csv: whether it uses its training, its texts and its latents."""

from pathlib import Path

from job import job

with job(snakemake, uses="networks") as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.collection import only_entry
    from diffusion_credit.base.tables import write_csv
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.measuring.learning import HEADER, learning
    from diffusion_credit.models.inputs import read_inputs
    from diffusion_credit.models.weights import by_name

    index, device = Index(snakemake.input.index), snakemake.params.device
    encoded = next(map(Path, snakemake.input.encoded), None)
    rows = learning(
        only_entry(snakemake.input.full),
        read_inputs(index, open_pixels(snakemake.input.pixels), encoded, device),
        by_name(snakemake.input.weights),
        {**snakemake.params.options, "device": device},
    )
    for measure, value, *_, note in rows:
        if note:
            log.warning("Warning: %s is %.3g: %s", measure.replace("_", " "), value, note)
    write_csv(snakemake.output[0], HEADER, rows)
