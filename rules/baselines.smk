"""Training images and the full model -> credit without utilities: gradients, scores of images, attributions."""


def gradient_models(w):
    """Manifests of the models that gradients are taken of."""
    if STUDY.gradients[w.gradients].models == "retrained":
        return collections("models", "retrain", "anchors")
    return of_everyone("models", "full")


def source_of(stage, whose):
    """Manifest of what a baseline is made from."""
    if stage == "gradients":
        return f"{R}/gradients/{whose}/manifest.json"
    return of_everyone(stage, whose)


def baseline_sources(name):
    """What a baseline is made from: name -> stage, manifest."""
    return {
        key: (stage, source_of(stage, whose))
        for key, (stage, whose) in STUDY.baselines[name].sources().items()
    }


rule compute_gradients:
    input:
        models=gradient_models,
        images=of_everyone("images", "full"),
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        encoded=encoded(),
        weights=weights_of(STUDY.model),
    output:
        f"{R}/gradients/{{gradients}}/manifest.json",
    log:
        f"{R}/logs/gradients/{{gradients}}.log",
    priority: 30
    conda:
        ENV
    threads: 1
    resources:
        gpu=1 if STUDY.device == "cuda" else 0,
        runtime=lambda w, attempt: min(
            STUDY.limits.longest,
            ceil(attempt * (STUDY.limits.start + STUDY.limits.minutes.gradients)),
        ),
    params:
        options=lambda w: dict(
            gradients=plain(STUDY.gradients[w.gradients]),
            network=STUDY.model.kind,
            diffusion=plain(STUDY.diffusion),
            seed=STUDY.seed,
        ),
        checkpoints=STUDY.training.checkpoints,
        device=STUDY.device,
        code=code("compute_gradients.py", NETWORK),
    script:
        "../workflow/scripts/compute_gradients.py"


rule score_baseline:
    input:
        lambda w: [manifest for _, manifest in baseline_sources(w.baseline).values()],
        index=f"{R}/index/index.json",
    output:
        table=f"{R}/baselines/{{baseline}}.csv",
        about=f"{R}/baselines/{{baseline}}.json",
    log:
        f"{R}/logs/baselines/{{baseline}}.log",
    conda:
        ENV
    threads: 1
    params:
        options=lambda w: plain(STUDY.baselines[w.baseline]),
        sources=lambda w: baseline_sources(w.baseline),
        code=lambda w: code(
            "score_baseline.py", f"baselines.{STUDY.baselines[w.baseline].kind}"
        ),
    script:
        "../workflow/scripts/score_baseline.py"


rule attribute_by_baseline:
    input:
        table=f"{R}/baselines/{{baseline}}.csv",
        tuning=lambda w: utilities_of(w.property, UTILITY, "tuning"),
        index=f"{R}/index/index.json",
    output:
        f"{R}/attribution/{{property}}/{{baseline}}.csv",
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
