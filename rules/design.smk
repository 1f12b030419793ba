"""Index -> lists of subsets, in aligned batches: sampled design, anchors, held-out, counterfactual."""


rule make_design:
    input:
        index=f"{R}/index/index.json",
        checked=ancient(f"{R}/index/checked.json"),
        attribution=best_first,
    output:
        f"{R}/designs/{{list}}/{{batch}}.csv",
    log:
        f"{R}/logs/designs/{{list}}/{{batch}}.log",
    priority: 50
    conda:
        ENV
    params:
        options=lambda w: design_options(w.list),
        start=lambda w: int(w.batch) * BATCH,
        stop=lambda w: min((int(w.batch) + 1) * BATCH, LISTS[w.list]),
        seed=STUDY.seed,
        code=lambda w: code(
            "make_design.py",
            *(
                name_of("designs", kind)
                for key, kind in design_options(w.list).items()
                if key == "kind"
            ),
        ),
    script:
        "../workflow/scripts/make_design.py"
