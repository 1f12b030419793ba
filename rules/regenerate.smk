"""Training without the images that made a generated image, and that image drawn again from its noise."""


localrules:
    compare_regenerated,


REMOVING = removing(STUDY)
EXTRACTOR = LOCAL.regeneration.extractor


rule regenerate_images:
    input:
        models=f"{R}/models/retrain/{{list}}/{{batch}}/manifest.json",
        prompts=needs.prompts(),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/images/retrain/{{list}}/{{batch}}/manifest.json",
    log:
        f"{R}/logs/images/retrain/{{list}}/{{batch}}.log",
    benchmark:
        f"{R}/benchmarks/images/retrain/{{list}}/{{batch}}.tsv"
    wildcard_constraints:
        list="|".join(map(without, REMOVING)),
    priority: 30
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
        runtime=lambda w, attempt: minutes(
            f"{w.list}/{w.batch}", STUDY.limits.minutes.generation, attempt
        ),
    params:
        options=dict(generation=needs.generation(), seed=STUDY.seed),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("regenerate_images.py", *NETWORK),
    script:
        "../workflow/scripts/regenerate_images.py"


ruleorder: regenerate_images > generate_images


rule compare_regenerated:
    input:
        original=needs.of_everyone("images", "full"),
        features=needs.of_everyone(f"features/{EXTRACTOR}", "full"),
        images=[
            m
            for name in REMOVING
            for m in needs.collections("images", "retrain", without(name))
        ],
        embedded=[
            m
            for name in REMOVING
            for m in needs.collections(
                f"features/{EXTRACTOR}", "retrain", without(name)
            )
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
