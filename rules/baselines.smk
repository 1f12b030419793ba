"""Images, features and gradients -> credit without utilities: variants of values, and the attribution by the chosen one."""


rule measure_bounds:
    input:
        models=f"{R}/models/{{collection}}/manifest.json",
        images=[needs.of_everyone("images", "full")],
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        encoded=needs.encoded(),
        prompts=needs.prompts(),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/bounds/{{baseline}}/{{collection}}/manifest.json",
    log:
        f"{R}/logs/bounds/{{baseline}}/{{collection}}.log",
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
        runtime=lambda w, attempt: minutes(
            w.collection, STUDY.limits.minutes.losses, attempt
        ),
    params:
        sets=["generated"],
        options=lambda w: dict(
            of="bound",
            timesteps=STUDY.baselines[w.baseline].timesteps,
            generated=STUDY.baselines[w.baseline].images,
            network=STUDY.model.kind,
            diffusion=plain(STUDY.diffusion),
            batch_size=STUDY.generation.batch_size,
            seed=STUDY.seed,
        ),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("measure_losses.py", *NETWORK),
    script:
        "../workflow/scripts/measure_losses.py"


rule score_baseline:
    input:
        lambda w: [
            manifest for _, manifest in needs.baseline_sources(w.baseline).values()
        ],
        index=f"{R}/index/index.json",
        bounds=lambda w: needs.bounds(w.baseline),
        designs=lambda w: needs.left_out(w.baseline),
    output:
        table=f"{R}/baselines/{{baseline}}.csv",
        about=f"{R}/baselines/{{baseline}}.json",
    log:
        f"{R}/logs/baselines/{{baseline}}.log",
    conda:
        ENV
    threads: 1
    resources:
        runtime=lambda w, attempt: minutes_of_all(STUDY.limits.minutes.scores, attempt),
    params:
        options=lambda w: plain(STUDY.baselines[w.baseline]),
        sources=lambda w: placed.baseline_sources(w.baseline),
        code=lambda w: code(
            "score_baseline.py", name_of("baselines", STUDY.baselines[w.baseline].kind)
        ),
    script:
        "../workflow/scripts/score_baseline.py"


rule attribute_by_baseline:
    input:
        table=f"{R}/baselines/{{baseline}}.csv",
        tuning=lambda w: needs.tuning_of(w.property),
        index=f"{R}/index/index.json",
    output:
        reported(f"{R}/attribution/{{property}}/{{baseline}}.csv", "attribution"),
    log:
        f"{R}/logs/attribution/{{property}}/{{baseline}}.log",
    conda:
        ENV
    params:
        share=COUNTERFACTUAL.share,
        higher_is_better=lambda w: STUDY.properties[w.property].higher_is_better,
        code=code("attribute_by_baseline.py"),
    script:
        "../workflow/scripts/attribute_by_baseline.py"
