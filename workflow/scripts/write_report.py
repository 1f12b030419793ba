"""The result files of a study -> report.html, credit.json and card.md."""

import json
from itertools import chain
from pathlib import Path

import numpy as np

from diffusion_credit.attribution import read_attribution
from diffusion_credit.features import images_of
from diffusion_credit.files import replacing
from diffusion_credit.images import open_pixels
from diffusion_credit.index import Index
from diffusion_credit.report.collect import collect
from diffusion_credit.report.page import SAMPLES, Pictures, render_card, render_page, shown
from job import job

MODELS = {"full": "full model", "pruned": "pruned", "refit": "pruned and fitted again"}
RETRAINED = {"everyone": "Retrained on everyone", "without_top": "Without the top", "only_top": "With only the top"}


def read(manifests, name):
    """The images of one entry of some collections."""
    return dict(chain.from_iterable(images_of(Path(m)).items() for m in manifests))[name][1]()


def of_first(titles, *collections):
    """Titled images of the first replicate of each."""
    found = dict(chain.from_iterable(images_of(Path(m)).items() for each in collections for m in each))
    return [(title, found[f"{name}-0"][1]()) for name, title in titles.items()]


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
    index, pixels = Index(given.index), open_pixels(given.pixels)
    people = shown(credit, next(iter(results.values())))
    own = {}
    for who in people:
        theirs = np.flatnonzero(index.owner == who.number - 1)
        own[who.number] = pixels[theirs[np.linspace(0, len(theirs) - 1, min(SAMPLES, len(theirs))).astype(int)]]
    ((_, everyone),) = of_first({"everyone": "With everyone"}, given.anchors)
    lacking = {who.number: next(iter(who.without.values())).subset for who in people if who.without}
    sampled = dict(chain.from_iterable(images_of(Path(m)).items() for m in given.sampled)) if lacking else {}
    pictures = Pictures(
        own=own,
        without={
            number: [("With everyone", everyone), ("Without them", sampled[subset][1]())]
            for number, subset in lacking.items()
        },
        models=[(MODELS[name], read([m], "everyone-0")) for name, m in zip(MODELS, given.models, strict=True)],
        counterfactuals={
            name: of_first(RETRAINED, given.retrained, params.removed[name]) for name in credit.properties
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
