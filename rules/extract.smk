"""Images -> features, one file for each extractor and model; a property never embeds again."""


rule write_data_images:
    input:
        pixels=f"{R}/index/pixels.npy",
    output:
        f"{R}/images/data/everyone/0000/manifest.json",
    log:
        f"{R}/logs/images/data/everyone/0000.log",
    priority: 40
    conda:
        ENV
    params:
        code=code("write_data_images.py"),
    script:
        "../workflow/scripts/write_data_images.py"


ruleorder: write_data_images > generate_images


rule extract_features:
    input:
        images=f"{R}/images/{{collection}}/manifest.json",
        fitted=lambda w: needs.fitted_extractor(w.extractor),
        weights=lambda w: needs.weights(STUDY.extractors[w.extractor]),
    output:
        f"{R}/features/{{extractor}}/{{collection}}/manifest.json",
    log:
        f"{R}/logs/features/{{extractor}}/{{collection}}.log",
    priority: lambda w: urgency("features", w.collection)
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
        runtime=lambda w, attempt: minutes(
            w.collection, STUDY.limits.minutes.features, attempt
        ),
    params:
        options=lambda w: plain(STUDY.extractors[w.extractor]),
        kind=lambda w: STUDY.extractors[w.extractor].kind,
        device=STUDY.device,
        code=lambda w: code("extract_features.py", extractor_plugin(w.extractor)),
    script:
        "../workflow/scripts/extract_features.py"
