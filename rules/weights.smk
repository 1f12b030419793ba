"""Local folders and the hub -> manifests of pretrained weights, with the digest of every file."""


rule fetch_weights:
    output:
        manifest=f"{R}/weights/{{weights}}/manifest.json",
        location=f"{R}/weights/{{weights}}/location.json",
    log:
        f"{R}/logs/weights/{{weights}}.log",
    priority: 100
    conda:
        ENV
    params:
        options=lambda w: plain(STUDY.weights[w.weights]),
        files=lambda w: weights_fingerprint(w.weights),
        code=code("fetch_weights.py"),
    script:
        "../workflow/scripts/fetch_weights.py"
