"""One model that is told contributors -> its images of each -> one property JSON a subset (SurrogateSHAP)."""


use rule generate_images as generate_by_contributor with:
    input:
        models=of_contributors("models"),
        index=f"{R}/index/index.json",
        encoded=encoded(),
        weights=weights_of(STUDY.model),
    output:
        of_contributors("images"),
    log:
        f"{R}/logs/images/{CONDITIONAL}/everyone/0000.log",
    benchmark:
        f"{R}/benchmarks/images/{CONDITIONAL}/everyone/0000.tsv"
    resources:
        gpu=1 if STUDY.device == "cuda" else 0,
        runtime=STUDY.limits.longest,


ruleorder: generate_by_contributor > generate_images


rule measure_pooled:
    input:
        source=lambda w: of_contributors(measured_on(w.property)),
        design=f"{R}/designs/{{list}}/{{batch}}.csv",
        index=f"{R}/index/index.json",
        reference=reference_of,
    output:
        f"{R}/properties/{{property}}/{CONDITIONAL}/{{list}}/{{batch}}/manifest.json",
    log:
        f"{R}/logs/properties/{{property}}/{CONDITIONAL}/{{list}}/{{batch}}.log",
    priority: 50
    conda:
        ENV
    params:
        options=lambda w: plain(STUDY.properties[w.property]),
        images=lambda w: measured_on(w.property) == "images",
        code=lambda w: code("measure_pooled.py", plugin(w.property)),
    script:
        "../workflow/scripts/measure_pooled.py"


ruleorder: measure_pooled > measure_property
