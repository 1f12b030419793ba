"""Index -> lists of subsets, in aligned batches: sampled design, anchors, held-out, counterfactual."""


def design_options(name):
    """What the rows of a list depend on."""
    held_out = dict(alphas=LDS.alphas, held_out=LDS.subsets)
    if name == "everyone":
        return dict(list="everyone")
    if name == "sampled":
        return dict(list="sampled", kind=STUDY.design.kind, **held_out)
    if name == "anchors":
        return dict(list="anchors", replicates=STUDY.design.anchors)
    if name.startswith("held_out_"):
        alpha = ALPHAS[name.removeprefix("held_out_")]
        return dict(
            list="held_out", alpha=alpha, replicates=LDS.replicates, **held_out
        )
    return dict(
        list="counterfactual",
        share=COUNTERFACTUAL.share,
        replicates=COUNTERFACTUAL.replicates,
    )


def best_first(w):
    """The attribution that names the top contributors of a property."""
    if not w.list.startswith("counterfactual_"):
        return []
    property = w.list.removeprefix("counterfactual_")
    return f"{R}/attribution/{property}/{COUNTERFACTUAL.estimator}.csv"


rule make_design:
    input:
        index=f"{R}/index/index.json",
        checked=ancient(f"{R}/index/checked.json"),
        attribution=best_first,
    output:
        f"{R}/designs/{{list}}/{{batch}}.csv",
    log:
        f"{R}/logs/designs/{{list}}/{{batch}}.log",
    params:
        options=lambda w: design_options(w.list),
        start=lambda w: int(w.batch) * BATCH,
        stop=lambda w: min((int(w.batch) + 1) * BATCH, LISTS[w.list]),
        seed=STUDY.seed,
        code=code("make_design.py"),
    priority: 50
    conda:
        ENV
    script:
        "../workflow/scripts/make_design.py"
