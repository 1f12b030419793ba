"""Checkpoints -> a folder of generated images each."""


rule generate_images:
    input:
        models=f"{R}/models/{{collection}}/manifest.json",
        prompts=needs.prompts(),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/images/{{collection}}/manifest.json",
    log:
        f"{R}/logs/images/{{collection}}.log",
    benchmark:
        f"{R}/benchmarks/images/{{collection}}.tsv"
    priority: lambda w: urgency("images", w.collection)
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
        runtime=lambda w, attempt: minutes(
            w.collection, STUDY.limits.minutes.generation, attempt
        ),
    params:
        options=dict(generation=needs.generation(), seed=STUDY.seed),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("generate_images.py", *NETWORK),
    script:
        "../workflow/scripts/generate_images.py"
