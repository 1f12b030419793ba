"""Features, or images -> one property JSON for each property and model -> the table of utilities."""


rule fit_reference:
    input:
        lambda w: needs.reference_features(w.property),
    output:
        f"{R}/references/{{property}}.safetensors",
    log:
        f"{R}/logs/references/{{property}}.log",
    priority: 60
    conda:
        ENV
    params:
        options=lambda w: needs.measured_options(w.property),
        seed=STUDY.seed,
        code=lambda w: code("fit_reference.py", needs.property_plugin(w.property)),
    script:
        "../workflow/scripts/fit_reference.py"


rule measure_property:
    input:
        source=lambda w: f"{R}/{needs.measured_on(w.property)}/{w.collection}/manifest.json",
        reference=lambda w: needs.reference(w.property),
    output:
        f"{R}/properties/{{property}}/{{collection}}/manifest.json",
    log:
        f"{R}/logs/properties/{{property}}/{{collection}}.log",
    priority: lambda w: urgency("properties", w.collection)
    conda:
        ENV
    params:
        options=lambda w: needs.measured_options(w.property),
        code=lambda w: code("measure_property.py", needs.property_plugin(w.property)),
    script:
        "../workflow/scripts/measure_property.py"


rule collect_utilities:
    input:
        designs=lambda w: sampled_designs(sampled_count()),
        properties=lambda w: sampled_properties(w.property, sampled_count()),
    output:
        f"{R}/utilities/{{property}}.csv",
    log:
        f"{R}/logs/utilities/{{property}}.log",
    priority: 60
    conda:
        ENV
    params:
        transform=lambda w: STUDY.properties[w.property].transform,
        code=code("collect_utilities.py"),
    script:
        "../workflow/scripts/collect_utilities.py"


use rule collect_utilities as collect_list_utilities with:
    input:
        designs=lambda w: needs.designs(w.list),
        properties=lambda w: needs.properties(w.property, w.regime, w.list),
    output:
        f"{R}/utilities/{{property}}/{{regime}}_{{list}}.csv",
    log:
        f"{R}/logs/utilities/{{property}}/{{regime}}_{{list}}.log",
