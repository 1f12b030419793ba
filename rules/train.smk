"""Design batch -> one checkpoint a subset; full, re-fitted, sparse, fine-tuned and retrained models alike."""


rule train_models:
    input:
        design=f"{R}/designs/{{list}}/{{batch}}.csv",
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        encoded=needs.encoded(),
        names=lambda w: needs.names() if w.regime == CONDITIONAL else [],
        weights=needs.weights(STUDY.model),
        start=lambda w: needs.start(w.regime),
        alike=lambda w: needs.alike(w.regime),
    output:
        f"{R}/models/{{regime}}/{{list}}/{{batch}}/manifest.json",
    log:
        f"{R}/logs/models/{{regime}}/{{list}}/{{batch}}.log",
    benchmark:
        f"{R}/benchmarks/models/{{regime}}/{{list}}/{{batch}}.tsv"
    wildcard_constraints:
        regime="|".join(each for each in plan.START if each != "full" or not GIVEN),
    priority: lambda w: urgency("models", f"{w.regime}/{w.list}/{w.batch}")
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
        runtime=lambda w, attempt: minutes(
            f"{w.list}/{w.batch}", getattr(STUDY.limits.minutes, w.regime), attempt
        ),
    params:
        options=lambda w: dict(
            regime=w.regime,
            training=plan.trained(TRAINING[w.regime]),
            model=plain(STUDY.model),
            diffusion=plain(STUDY.diffusion),
            empty=EMPTY,
            seed=STUDY.seed,
        ),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=lambda w: code("train_models.py", *NETWORK, name_of("regimes", w.regime)),
    script:
        "../workflow/scripts/train_models.py"
