"""Everything that was found -> the report that one can hand over."""


localrules:
    write_report,


rule write_report:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        attributions=[f"{R}/attribution/{name}/{MAIN}.csv" for name in HIGHER],
        utilities=[f"{R}/utilities/{name}.csv" for name in HIGHER],
        tables=needs.reported_tables(),
        payout=f"{R}/payout.csv" if STUDY.payout else [],
        sampled=lambda w: needs.collections(
            "images", STUDY.design.regime, "sampled", sampled_count()
        ),
        anchors=needs.collections("images", STUDY.design.regime, "anchors"),
        retrained=needs.collections("images", "retrain", "anchors"),
        removed=[manifest for name in HIGHER for manifest in needs.removed(name)],
        models=[needs.of_everyone("images", name) for name in SINGLE],
        made=needs.made_of_everyone(),
    output:
        page=f"{R}/report.html",
        document=f"{R}/credit.json",
        card=f"{R}/card.md",
    log:
        f"{R}/logs/report.log",
    conda:
        ENV
    params:
        study=recipe(STUDY),
        made=getdoc(module_of("regimes", STUDY.design.regime)),  # the page says it
        higher_is_better=HIGHER,
        explained={name: of.explanation() for name, of in STUDY.properties.items()},
        removed={name: placed.removed(name) for name in HIGHER},
        templates=files_fingerprint(
            {name: TEMPLATES / name for name in ("page.html", "style.css", "card.md")}
        ),
        code=code("write_report.py"),
    script:
        "../workflow/scripts/write_report.py"
