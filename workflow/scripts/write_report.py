"""The result files of a study -> report.html, credit.json and card.md."""

import json
from pathlib import Path

from diffusion_credit.base.files import replacing
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.report.collect import collect
from diffusion_credit.report.page import render_card, render_page
from diffusion_credit.report.shown_images import read_pictures
from job import job

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
        params.explained,
    )
    results = {name: read_attribution(path) for name, path in zip(credit.properties, given.attributions, strict=True)}
    pictures = read_pictures(
        credit,
        Path(given.index),
        Path(given.pixels),
        given.anchors,
        given.sampled,
        given.retrained,
        given.models,
        params.removed,
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
