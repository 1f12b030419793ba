"""Training without the images that made a generated image, and that image drawn again from its noise."""


localrules:
    compare_regenerated,


REMOVING = plan.removing(STUDY)
EXTRACTOR = LOCAL.regeneration.extractor


rule regenerate_images:
    input:
        models=f"{R}/models/retrain/without_{{method}}/{{batch}}/manifest.json",
        encoded=encoded(),
        weights=weights_of(STUDY.model),
    output:
        f"{R}/images/retrain/without_{{method}}/{{batch}}/manifest.json",
    log:
        f"{R}/logs/images/retrain/without_{{method}}/{{batch}}.log",
    benchmark:
        f"{R}/benchmarks/images/retrain/without_{{method}}/{{batch}}.tsv"
    priority: 30
    conda:
        ENV
    threads: 1
    resources:
        gpu=1 if STUDY.device == "cuda" else 0,
        runtime=lambda w, attempt: minutes(
            f"without_{w.method}/{w.batch}", STUDY.limits.minutes.generation, attempt
        ),
    params:
        options=dict(generation=plain(STUDY.generation), seed=STUDY.seed),
        device=STUDY.device,
        code=code("regenerate_images.py", NETWORK),
    script:
        "../workflow/scripts/regenerate_images.py"


ruleorder: regenerate_images > generate_images


rule compare_regenerated:
    input:
        original=of_everyone("images", "full"),
        features=of_everyone(f"features/{EXTRACTOR}", "full"),
        images=[
            m
            for name in REMOVING
            for m in collections("images", "retrain", f"without_{name}")
        ],
        embedded=[
            m
            for name in REMOVING
            for m in collections(f"features/{EXTRACTOR}", "retrain", f"without_{name}")
        ],
    output:
        table=reported(f"{R}/evaluation/local/regeneration.csv"),
        images=reported(f"{R}/evaluation/local/regenerated.csv"),
        figure=reported(f"{R}/evaluation/local/regeneration.png"),
    log:
        f"{R}/logs/evaluation/local/regeneration.log",
    conda:
        ENV
    params:
        methods=REMOVING,
        shown=LOCAL.regeneration.images,
        seed=STUDY.seed,
        code=code("compare_regenerated.py"),
    script:
        "../workflow/scripts/compare_regenerated.py"
