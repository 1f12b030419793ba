"""Pixels and generated images -> contact sheets of the models and of one contributor's data."""

from pathlib import Path

from diffusion_credit.data.images import open_pixels
from diffusion_credit.data.index import Index
from diffusion_credit.measuring.features import images_of
from diffusion_credit.report import figures
from job import job

TITLES = {"full": "full model", "pruned": "pruned model", "refit": "pruned model, re-fitted"}

with job(snakemake):
    index, pixels = Index(snakemake.input.index), open_pixels(snakemake.input.pixels)
    groups = []
    for name, manifest in zip(snakemake.params.models, snakemake.input.images, strict=True):
        ((_, read),) = images_of(Path(manifest)).values()
        groups.append((TITLES[name], read()))
    figures.save(figures.contact_sheet(groups), snakemake.output.models)
    if max(index.counts) > 1:
        own = pixels[index.owner == 0]
        title = f"data of {figures.shorten(index.contributors[0])} ({len(own)} images)"
    else:
        own, title = pixels, f"data of the first of {len(index.contributors)} contributors, an image each"
    figures.save(figures.contact_sheet([(title, own)]), snakemake.output.contributor)
