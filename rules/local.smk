"""Training images as players: losses under many models -> scores of images, their LDS, images drawn again."""


localrules:
    list_influential,


HELD_OUT = held_out(*ALPHAS)


use rule write_data_images as write_validation_images with:
    input:
        pixels=f"{R}/index/validation.npy",
    output:
        needs.of_everyone("images", "validation"),
    log:
        f"{R}/logs/images/validation/everyone/0000.log",


ruleorder: write_validation_images > generate_images


rule measure_losses:
    input:
        models=f"{R}/models/{{collection}}/manifest.json",
        images=[needs.of_everyone("images", name) for name in ("validation", "full")],
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        encoded=needs.encoded(),
        prompts=needs.prompts(),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/losses/{{collection}}/manifest.json",
    log:
        f"{R}/logs/losses/{{collection}}.log",
    priority: 40
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
        runtime=lambda w, attempt: minutes(
            w.collection, STUDY.limits.minutes.losses, attempt
        ),
    params:
        sets=["validation", "generated"],
        options=dict(
            of="loss",
            timesteps=LOCAL.timesteps,
            generated=LOCAL.generated,
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


rule score_images:
    input:
        sources=lambda w: [m for _, m in needs.local_sources(w.baseline).values()],
        designs=needs.designs("tuning"),
        losses=needs.collections("losses", "retrain", "tuning"),
    output:
        scores=f"{R}/local/{{baseline}}/scores.safetensors",
        about=f"{R}/local/{{baseline}}/about.json",
    log:
        f"{R}/logs/local/{{baseline}}.log",
    conda:
        ENV
    threads: 1
    resources:
        runtime=lambda w, attempt: minutes_of_all(STUDY.limits.minutes.scores, attempt),
    params:
        options=lambda w: plain(STUDY.baselines[w.baseline]),
        sources=lambda w: placed.local_sources(w.baseline),
        generated=LOCAL.generated,
        code=lambda w: code(
            "score_images.py", name_of("baselines", STUDY.baselines[w.baseline].kind)
        ),
    script:
        "../workflow/scripts/score_images.py"


rule list_influential:
    input:
        scores=f"{R}/local/{{baseline}}/scores.safetensors",
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        images=needs.of_everyone("images", "full"),
    output:
        table=reported(f"{R}/local/{{baseline}}/influential.csv"),
        sheet=reported(f"{R}/local/{{baseline}}/influential.png"),
    log:
        f"{R}/logs/local/{{baseline}}_influential.log",
    conda:
        ENV
    params:
        shown=LOCAL.shown,
        code=code("list_influential.py"),
    script:
        "../workflow/scripts/list_influential.py"


rule evaluate_local:
    input:
        scores=[f"{R}/local/{name}/scores.safetensors" for name in STUDY.baselines],
        tuning=needs.designs("tuning"),
        designs=needs.designs(HELD_OUT),
        losses=needs.collections("losses", "retrain", HELD_OUT),
    output:
        table=reported(f"{R}/evaluation/local/lds.csv", "local_lds"),
        figure=reported(f"{R}/evaluation/local/lds.png", "local_lds"),
    log:
        f"{R}/logs/evaluation/local/lds.log",
    conda:
        ENV
    params:
        methods=list(STUDY.baselines),
        seed=STUDY.seed,
        code=code("evaluate_local.py"),
    script:
        "../workflow/scripts/evaluate_local.py"
