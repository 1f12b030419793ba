"""A model that exists already, in diffusers' format -> the full model of the study. Nothing is trained."""


rule take_model:
    input:
        design=f"{R}/designs/everyone/0000.csv",
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        encoded=needs.encoded(),
        weights=needs.weights(STUDY.model),
        given=needs.weights(STUDY.training)[0],
    output:
        needs.of_everyone("models", "full"),
    log:
        f"{R}/logs/models/full/everyone/0000.log",
    priority: 50
    conda:
        ENV
    params:
        options=dict(model=plain(STUDY.model), diffusion=plain(STUDY.diffusion)),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("take_model.py", *NETWORK, name_of("given", STUDY.model.kind)),
    script:
        "../workflow/scripts/take_model.py"
