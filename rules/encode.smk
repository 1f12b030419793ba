"""Pixels and texts -> latents of a frozen autoencoder and embeddings, once a study; pixel models skip it."""


rule encode_inputs:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        checked=ancient(f"{R}/index/checked.json"),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/inputs/manifest.json",
    log:
        f"{R}/logs/inputs.log",
    priority: 90
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
    params:
        options=dict(model=plain(STUDY.model), diffusion=plain(STUDY.diffusion)),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("encode_inputs.py", *NETWORK),
    script:
        "../workflow/scripts/encode_inputs.py"


# Apart, so that other prompts train nothing again.
rule encode_prompts:
    input:
        index=f"{R}/index/index.json",
        file=[local(file) for file in needs.prompts_file()],
        checked=ancient(f"{R}/index/checked.json"),
        weights=needs.weights(STUDY.model),
    output:
        f"{R}/inputs/prompts/manifest.json",
    log:
        f"{R}/logs/prompts.log",
    priority: 90
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
    params:
        options=dict(
            model=plain(STUDY.model),
            generation={
                key: plain(STUDY.generation)[key] for key in ("images", "prompts")
            },
            seed=STUDY.seed,
        ),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("encode_prompts.py", *NETWORK),
    script:
        "../workflow/scripts/encode_prompts.py"
