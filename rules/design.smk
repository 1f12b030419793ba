"""Index -> lists of subsets, in aligned batches: sampled design, anchors, held-out, counterfactual."""


rule make_design:
    input:
        index=f"{R}/index/index.json",
        checked=ancient(f"{R}/index/checked.json"),
        ranked_by=lambda w: needs.ranked_by(w.list),
    output:
        f"{R}/designs/{{list}}/{{batch}}.csv",
    log:
        f"{R}/logs/designs/{{list}}/{{batch}}.log",
    priority: 50
    conda:
        ENV
    params:
        options=lambda w: needs.lists[w.list].options,
        start=lambda w: int(w.batch) * BATCH,
        stop=lambda w: int(w.batch) * BATCH + needs.rows(w.list, w.batch),
        seed=STUDY.seed,
        code=lambda w: code(
            "make_design.py",
            *needs.design_plugins(w.list),
        ),
    script:
        "../workflow/scripts/make_design.py"
