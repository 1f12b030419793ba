"""The result files of a study -> report.html, credit.json and card.md."""

import json
from pathlib import Path

import numpy as np

from diffusion_credit.base.files import replacing
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.data.images import open_pixels
from diffusion_credit.data.index import Index
from diffusion_credit.measuring.features import images_of
from diffusion_credit.report.collect import collect
from diffusion_credit.report.page import SAMPLES, Pictures, render_card, render_page, shown
from job import job

MODELS = {"full": "Full model", "pruned": "Pruned", "refit": "Pruned and fitted again"}
REMOVED = {"without_top": "Without the top", "only_top": "With only the top"}


def readers(manifests):
    """Name -> a function that reads the images, of every entry of some collections."""
    return {name: read for manifest in manifests for name, (_, read) in images_of(Path(manifest)).items()}


def spread(chosen, most):
    """At most so many of the indices, evenly spaced."""
    return chosen[np.linspace(0, len(chosen) - 1, min(most, len(chosen))).astype(int)]


with job(snakemake) as log:
    given, params = snakemake.input, snakemake.params
    credit = collect(
        params.study,
        Path(given.index),
        given.attributions,
        given.utilities,
        given.tables,
        given.get("payout"),
        given.made,
        params.higher_is_better,
    )
    results = {name: read_attribution(path) for name, path in zip(credit.properties, given.attributions, strict=True)}
    people = shown(credit)
    owner, pixels = Index(given.index).owner, open_pixels(given.pixels)
    everyone, sampled = readers(given.anchors)["everyone-0"](), readers(given.sampled)
    retrained = readers(given.retrained)["everyone-0"]()
    removed = {name: readers(params.removed[name]) for name in credit.properties}
    pictures = Pictures(
        own={who.number: pixels[spread(np.flatnonzero(owner == who.number - 1), SAMPLES)] for who in people},
        without={
            who.number: [("With everyone", everyone), ("Without them", sampled[who.without.subset]())]
            for who in people
            if who.without
        },
        models=[
            (title, readers([manifest])["everyone-0"]())
            for title, manifest in zip(MODELS.values(), given.models, strict=True)
        ],
        counterfactuals={
            name: [("Retrained on everyone", retrained), *((REMOVED[key], read[f"{key}-0"]()) for key in REMOVED)]
            for name, read in removed.items()
        },
    )
    texts = {
        "page": render_page(credit, results, pictures),
        "card": render_card(credit),
        "document": json.dumps(credit.model_dump(), ensure_ascii=False, indent=1) + "\n",
    }
    for key, text in texts.items():
        with replacing(snakemake.output[key]) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    log.info("the report: %s", snakemake.output.page)
