"""Full model -> pruned model. Its re-fit on everyone is the regime `refit` of train.smk."""


rule prune_model:
    input:
        full=needs.of_everyone("models", "full"),
        weights=needs.weights(STUDY.model),
    output:
        needs.of_everyone("models", "pruned"),
    log:
        f"{R}/logs/models/pruned/everyone/0000.log",
    priority: 50
    conda:
        ENV
    params:
        options=dict(
            ratio=STUDY.pruning.ratio, time_embedding=STUDY.pruning.time_embedding
        ),
        kind=STUDY.model.kind,
        code=code("prune_model.py", *NETWORK, name_of("pruning", STUDY.model.kind)),
    script:
        "../workflow/scripts/prune_model.py"
