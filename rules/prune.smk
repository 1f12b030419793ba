"""Full model -> pruned model. Its re-fit on everyone is the regime `refit` of train.smk."""


rule prune_model:
    input:
        full=of_everyone("models", "full"),
    output:
        of_everyone("models", "pruned"),
    log:
        f"{R}/logs/models/pruned/everyone/0000.log",
    priority: 50
    conda:
        ENV
    params:
        ratio=STUDY.pruning.ratio,
        code=code("prune_model.py"),
    script:
        "../workflow/scripts/prune_model.py"
