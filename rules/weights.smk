"""Local folders, the hub, or the study's own images -> manifests of pretrained weights, with the digest of every file."""


rule train_autoencoder:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        checked=ancient(f"{R}/index/checked.json"),
    output:
        manifest=f"{R}/autoencoders/{{weights}}/manifest.json",
        errors=f"{R}/autoencoders/{{weights}}/errors.csv",
        sheet=reported(
            f"{R}/autoencoders/{{weights}}/reconstructions.png", "reconstructions"
        ),
    log:
        f"{R}/logs/autoencoders/{{weights}}.log",
    priority: 95
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
        runtime=lambda w, attempt: minutes_of_all(
            STUDY.limits.minutes.autoencoder, attempt
        ),
    params:
        options=lambda w: dict(
            autoencoder=plain(STUDY.weights[w.weights].autoencoder), seed=STUDY.seed
        ),
        device=STUDY.device,
        code=code("train_autoencoder.py"),
    script:
        "../workflow/scripts/train_autoencoder.py"


rule fetch_weights:
    input:
        lambda w: needs.autoencoder(w.weights),
    output:
        manifest=f"{R}/weights/{{weights}}/manifest.json",
        location=f"{R}/weights/{{weights}}/location.json",
    log:
        f"{R}/logs/weights/{{weights}}.log",
    priority: 100
    conda:
        ENV
    params:
        options=lambda w: placed.weights_options(w.weights),
        files=lambda w: weights_fingerprint(w.weights),
        code=code("fetch_weights.py"),
    script:
        "../workflow/scripts/fetch_weights.py"
