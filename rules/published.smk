"""A file of published numbers -> a table for each of the paper's, with the study's own numbers beside."""


rule compare_with_published:
    input:
        published=local(STUDY.published),
        made=needs.beside_published(),
    output:
        **{
            name: reported(f"{R}/evaluation/paper/{name}.csv", "published")
            for name in plan.TABLES
        },
    log:
        f"{R}/logs/evaluation/paper.log",
    conda:
        ENV
    params:
        tables={name: placed.published_tables(name) for name in STUDY.properties},
        estimators=list(STUDY.estimators),
        baselines=list(STUDY.baselines),
        higher_is_better=HIGHER,
        regimes=list(plan.START),
        seed=STUDY.seed,
        code=code("compare_with_published.py"),
    script:
        "../workflow/scripts/compare_with_published.py"
