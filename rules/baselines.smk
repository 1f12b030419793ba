"""Images, features and gradients -> credit without utilities: variants of values, and the attribution by the chosen one."""


rule score_baseline:
    input:
        lambda w: [
            manifest for _, manifest in needs.baseline_sources(w.baseline).values()
        ],
        index=f"{R}/index/index.json",
    output:
        table=f"{R}/baselines/{{baseline}}.csv",
        about=f"{R}/baselines/{{baseline}}.json",
    log:
        f"{R}/logs/baselines/{{baseline}}.log",
    conda:
        ENV
    threads: 1
    resources:
        runtime=lambda w, attempt: minutes_of_all(STUDY.limits.minutes.scores, attempt),
    params:
        options=lambda w: plain(STUDY.baselines[w.baseline]),
        sources=lambda w: needs.baseline_sources(w.baseline),
        code=lambda w: code(
            "score_baseline.py", name_of("baselines", STUDY.baselines[w.baseline].kind)
        ),
    script:
        "../workflow/scripts/score_baseline.py"


rule attribute_by_baseline:
    input:
        table=f"{R}/baselines/{{baseline}}.csv",
        tuning=lambda w: needs.tuning_of(w.property),
        index=f"{R}/index/index.json",
    output:
        reported(f"{R}/attribution/{{property}}/{{baseline}}.csv", "attribution"),
    log:
        f"{R}/logs/attribution/{{property}}/{{baseline}}.log",
    conda:
        ENV
    params:
        share=COUNTERFACTUAL.share,
        higher_is_better=lambda w: STUDY.properties[w.property].higher_is_better,
        code=code("attribute_by_baseline.py"),
    script:
        "../workflow/scripts/attribute_by_baseline.py"
