"""One model that is told contributors -> its images of each -> one property JSON a subset (SurrogateSHAP)."""


use rule generate_images as generate_by_contributor with:
    input:
        models=needs.of_contributors("models"),
        index=f"{R}/index/index.json",
        prompts=needs.prompts(),
        names=needs.named_prompts(),
        weights=needs.weights(STUDY.model),
    output:
        needs.of_contributors("images"),
    log:
        f"{R}/logs/images/{CONDITIONAL}/everyone/0000.log",
    benchmark:
        f"{R}/benchmarks/images/{CONDITIONAL}/everyone/0000.tsv"
    priority: 0
    resources:
        gpu=GPU,
        runtime=STUDY.limits.longest,
    params:
        options=dict(generation=needs.guided_generation(), seed=STUDY.seed),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("generate_images.py", *NETWORK),


# What a model with a prompt is told whose images these are.
rule encode_names:
    input:
        index=f"{R}/index/index.json",
        checked=ancient(f"{R}/index/checked.json"),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/inputs/names/manifest.json",
    log:
        f"{R}/logs/names.log",
    priority: 90
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
    params:
        options=dict(model=plain(STUDY.model)),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("encode_names.py", *NETWORK),
    script:
        "../workflow/scripts/encode_names.py"


# Apart, so that other prompts train nothing again.
use rule encode_names as encode_named_prompts with:
    input:
        index=f"{R}/index/index.json",
        checked=ancient(f"{R}/index/checked.json"),
        prompts=f"{R}/inputs/prompts/manifest.json",
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/inputs/named_prompts/manifest.json",
    log:
        f"{R}/logs/named_prompts.log",


ruleorder: generate_by_contributor > generate_images


rule measure_pooled:
    input:
        source=lambda w: needs.of_contributors(needs.measured_on(w.property)),
        design=f"{R}/designs/{{list}}/{{batch}}.csv",
        index=f"{R}/index/index.json",
        reference=lambda w: needs.reference(w.property),
    output:
        f"{R}/properties/{{property}}/{CONDITIONAL}/{{list}}/{{batch}}/manifest.json",
    log:
        f"{R}/logs/properties/{{property}}/{CONDITIONAL}/{{list}}/{{batch}}.log",
    priority: 50
    conda:
        ENV
    params:
        options=lambda w: needs.measured_options(w.property),
        images=lambda w: needs.measured_on(w.property) == "images",
        code=lambda w: code("measure_pooled.py", needs.property_plugin(w.property)),
    script:
        "../workflow/scripts/measure_pooled.py"


ruleorder: measure_pooled > measure_property
