"""Utilities -> one attribution CSV and figure for each property and estimator; of a baseline, see baselines.smk."""


rule attribute_contributors:
    input:
        utilities=lambda w: needs.utilities_for(w.property, w.estimator),
        cheap=lambda w: needs.cheap_for(w.property, w.estimator),
    output:
        reported(f"{R}/attribution/{{property}}/{{estimator}}.csv", "attribution"),
    log:
        f"{R}/logs/attribution/{{property}}/{{estimator}}.log",
    priority: 70
    conda:
        ENV
    params:
        options=lambda w: needs.estimator_options(w.estimator),
        share=COUNTERFACTUAL.share,
        higher_is_better=lambda w: STUDY.properties[w.property].higher_is_better,
        code=lambda w: code(
            "attribute_contributors.py", needs.estimator_plugin(w.estimator)
        ),
    script:
        "../workflow/scripts/attribute_contributors.py"


rule print_first_values:
    input:
        needs.attributions_of(next(iter(STUDY.properties)), [MAIN]),
    output:
        f"{R}/first_values.txt",
    log:
        f"{R}/logs/first_values.log",
    priority: 70
    conda:
        ENV
    params:
        property=next(iter(STUDY.properties)),
        higher_is_better=HIGHER[next(iter(HIGHER))],
        code=code("print_first_values.py"),
    script:
        "../workflow/scripts/print_first_values.py"


rule plot_attribution:
    input:
        f"{R}/attribution/{{property}}/{{method}}.csv",
    output:
        reported(f"{R}/attribution/{{property}}/{{method}}.png", "attribution"),
    log:
        f"{R}/logs/attribution/{{property}}/{{method}}_figure.log",
    conda:
        ENV
    params:
        higher_is_better=lambda w: STUDY.properties[w.property].higher_is_better,
        code=code("plot_attribution.py"),
    script:
        "../workflow/scripts/plot_attribution.py"
