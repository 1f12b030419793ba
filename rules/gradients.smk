"""Models, training images and generated ones -> projected gradients of single images."""


rule compute_gradients:
    input:
        models=lambda w: needs.gradient_models(w.gradients),
        images=needs.of_everyone("images", "full"),
        validation=needs.of_everyone("images", "validation") if LOCAL else [],
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        encoded=needs.encoded(),
        prompts=needs.prompts(),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/gradients/{{gradients}}/manifest.json",
    log:
        f"{R}/logs/gradients/{{gradients}}.log",
    priority: 30
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
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
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("compute_gradients.py", *NETWORK),
    script:
        "../workflow/scripts/compute_gradients.py"
