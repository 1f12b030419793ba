"""Scores -> for each generated image the training images that made it most and least, as a table and as pictures."""

from pathlib import Path

from diffusion_credit.base.tables import write_csv
from diffusion_credit.baselines.gradient_arrays import GENERATED
from diffusion_credit.data.images import open_pixels
from diffusion_credit.data.index import Index
from diffusion_credit.local import influence
from diffusion_credit.measuring.features import images_of, read_arrays
from diffusion_credit.report import figures
from job import job

ROWS = 12  # generated images of the sheet

with job(snakemake):
    index, pixels, shown = Index(snakemake.input.index), open_pixels(snakemake.input.pixels), snakemake.params.shown
    scores = read_arrays(Path(snakemake.input.scores))[GENERATED]
    ends = influence.ends(scores, shown)
    rows = influence.influential(scores, ends, index.contributors, index.source)
    write_csv(snakemake.output.table, influence.INFLUENTIAL, rows)
    ((_, read),) = images_of(Path(snakemake.input.images)).values()
    title = f"The training images that made each generated image, by {snakemake.wildcards.baseline}"
    first = slice(min(ROWS, len(scores)))
    figures.save(
        figures.influential(read()[first], [pixels[end[first]] for end in ends], title), snakemake.output.sheet
    )
