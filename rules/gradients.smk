"""Models, training images and generated ones -> projected gradients of single images."""


rule compute_gradients:
    input:
        models=gradient_models,
        images=of_everyone("images", "full"),
        validation=of_everyone("images", "validation") if LOCAL else [],
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
        runtime=lambda w, attempt: minutes_of_all(
            STUDY.limits.minutes.gradients, attempt
        ),
    params:
        options=lambda w: dict(
            gradients=plain(STUDY.gradients[w.gradients]),
            network=STUDY.model.kind,
            diffusion=plain(STUDY.diffusion),
            seed=STUDY.seed,
        ),
        checkpoints=STUDY.training.checkpoints,
        generated=LOCAL.generated if LOCAL else None,
        device=STUDY.device,
        code=code("compute_gradients.py", NETWORK),
    script:
        "../workflow/scripts/compute_gradients.py"
