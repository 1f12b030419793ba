"""Raw files -> index, and the classifier that is trained on it."""


rule make_index:
    output:
        **(
            {
                "validation": f"{R}/index/validation.npy",
                "held_back": f"{R}/index/validation.csv",
            }
            if LOCAL
            else {}
        ),
        table=f"{R}/index/index.csv",
        pixels=f"{R}/index/pixels.npy",
        summary=f"{R}/index/index.json",
    log:
        f"{R}/logs/index.log",
    priority: 100
    conda:
        ENV
    params:
        **(
            {
                "local": dict(
                    validation=LOCAL.validation,
                    training=LOCAL.training,
                    seed=STUDY.seed,
                )
            }
            if LOCAL
            else {}
        ),
        data=plain(STUDY.data),
        files=lambda w: source_fingerprint(),
        code=code("make_index.py", name_of("sources", STUDY.data.source)),
    script:
        "../workflow/scripts/make_index.py"


# Without params: the main process repeats these checks at every start. If the rule ran again for an edit of the config,
# whatever asks for its output as ancient would hide from Snakemake that its own consumers have to run (its issue 4166).
rule check_study:
    input:
        index=f"{R}/index/index.json",
    output:
        f"{R}/index/checked.json",
    log:
        f"{R}/logs/check_study.log",
    priority: 100
    conda:
        ENV
    script:
        "../workflow/scripts/check_study.py"


rule fit_extractor:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        checked=ancient(f"{R}/index/checked.json"),
    output:
        f"{R}/extractors/{{extractor}}/manifest.json",
    log:
        f"{R}/logs/extractors/{{extractor}}.log",
    priority: 60
    conda:
        ENV
    params:
        options=lambda w: plain(STUDY.extractors[w.extractor]),
        seed=STUDY.seed,
        code=lambda w: code("fit_extractor.py", extractor_plugin(w.extractor)),
    script:
        "../workflow/scripts/fit_extractor.py"
