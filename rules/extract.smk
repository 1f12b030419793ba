"""Images -> features, one file for each extractor and model; a property never embeds again."""


rule extract_features:
    input:
        images=f"{R}/images/{{collection}}/manifest.json",
        extractor=f"{R}/extractors/{{extractor}}/manifest.json",
    output:
        f"{R}/features/{{extractor}}/{{collection}}/manifest.json",
    log:
        f"{R}/logs/features/{{extractor}}/{{collection}}.log",
    priority: 40
    conda:
        ENV
    params:
        options=lambda w: plain(STUDY.extractors[w.extractor]),
        code=lambda w: code("extract_features.py", extractor_plugin(w.extractor)),
    script:
        "../workflow/scripts/extract_features.py"


rule extract_data_features:
    input:
        pixels=f"{R}/index/pixels.npy",
        index=f"{R}/index/index.json",
        extractor=f"{R}/extractors/{{extractor}}/manifest.json",
    output:
        f"{R}/features/{{extractor}}/data/everyone/0000/manifest.json",
    log:
        f"{R}/logs/features/{{extractor}}/data/everyone/0000.log",
    priority: 40
    conda:
        ENV
    params:
        options=lambda w: plain(STUDY.extractors[w.extractor]),
        code=lambda w: code("extract_features.py", extractor_plugin(w.extractor)),
    script:
        "../workflow/scripts/extract_features.py"


ruleorder: extract_data_features > extract_features
