"""Raw files -> index, and the classifier that is trained on it."""


def source_fingerprint():
    """Changes when the raw files do."""
    from importlib import import_module

    source = import_module(f"diffusion_credit.sources.{STUDY.data.source}")
    return source.fingerprint(STUDY.data)


rule make_index:
    output:
        table=f"{R}/index/index.csv",
        pixels=f"{R}/index/pixels.npy",
        summary=f"{R}/index/index.json",
    log:
        f"{R}/logs/index.log",
    params:
        data=plain(STUDY.data),
        files=lambda w: source_fingerprint(),
        code=code("make_index.py", f"sources.{STUDY.data.source}"),
    priority: 100
    conda:
        ENV
    script:
        "../workflow/scripts/make_index.py"


rule check_study:
    input:
        index=f"{R}/index/index.json",
    output:
        f"{R}/index/checked.json",
    log:
        f"{R}/logs/check_study.log",
    params:
        alphas=LDS.alphas,
        subsets=LDS.subsets,
        share=COUNTERFACTUAL.share,
        code=code("check_study.py"),
    priority: 100
    conda:
        ENV
    script:
        "../workflow/scripts/check_study.py"


rule train_classifier:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        checked=ancient(f"{R}/index/checked.json"),
    output:
        f"{R}/extractors/{{extractor}}/manifest.json",
    log:
        f"{R}/logs/extractors/{{extractor}}.log",
    params:
        options=lambda w: plain(STUDY.extractors[w.extractor]),
        seed=STUDY.seed,
        code=code("train_classifier.py"),
    conda:
        ENV
    script:
        "../workflow/scripts/train_classifier.py"
