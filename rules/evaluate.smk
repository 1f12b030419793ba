"""How good the values are: LDS, fidelity, counterfactual, runtime, and what the models draw."""


rule evaluate_lds:
    input:
        utilities=lambda w: utilities_of_all(w.property),
        attributions=expand(
            f"{R}/attribution/{{{{property}}}}/{{estimator}}.csv",
            estimator=STUDY.estimators,
        ),
        held_out=lambda w: held_out(w.property, "retrain"),
        index=f"{R}/index/index.json",
    output:
        table=reported(f"{R}/evaluation/{{property}}/lds.csv"),
        figure=reported(f"{R}/evaluation/{{property}}/lds.png"),
    log:
        f"{R}/logs/evaluation/{{property}}/lds.log",
    conda:
        ENV
    params:
        alphas=list(ALPHAS),
        estimators=list(STUDY.estimators),
        higher_is_better=lambda w: HIGHER[w.property],
        seed=STUDY.seed,
        code=code("evaluate_lds.py"),
    script:
        "../workflow/scripts/evaluate_lds.py"


rule evaluate_league:
    input:
        utilities=lambda w: utilities_of_all(w.property),
        attributions=lambda w: attributions_of(w.property, plan.methods(STUDY)),
        held_out=lambda w: held_out(w.property, "retrain"),
        tuning=lambda w: tuning_of(w.property),
        anchors=lambda w: utilities_of(w.property, "retrain", "anchors"),
        removed=lambda w: removed_tops(w.property),
        spent=lambda w: all_spent(w.property),
        index=f"{R}/index/index.json",
    output:
        table=reported(f"{R}/evaluation/{{property}}/league.csv"),
        costs=reported(f"{R}/evaluation/{{property}}/cost.csv"),
        figure=reported(f"{R}/evaluation/{{property}}/league.png"),
    log:
        f"{R}/logs/evaluation/{{property}}/league.log",
    conda:
        ENV
    params:
        alphas=list(ALPHAS),
        methods=lambda w: league_methods(w.property),
        main=COUNTERFACTUAL.estimator,
        higher_is_better=lambda w: HIGHER[w.property],
        seed=STUDY.seed,
        code=code(
            "evaluate_league.py", *map(estimator_plugin, sorted(STUDY.estimators))
        ),
    script:
        "../workflow/scripts/evaluate_league.py"


rule evaluate_budget:
    input:
        utilities=f"{R}/utilities/{{property}}.csv",
        held_out=lambda w: held_out(w.property, "retrain"),
    output:
        table=reported(f"{R}/evaluation/{{property}}/budget.csv"),
        figure=reported(f"{R}/evaluation/{{property}}/budget.png"),
        noise=reported(f"{R}/evaluation/{{property}}/noise.csv"),
    log:
        f"{R}/logs/evaluation/{{property}}/budget.log",
    conda:
        ENV
    params:
        alphas=list(ALPHAS),
        estimators={name: estimator_options(name) for name in OF_DESIGN},
        batch_size=BATCH,
        target=lambda w: target_of(w.property),
        seed=STUDY.seed,
        code=code("evaluate_budget.py", *map(estimator_plugin, sorted(OF_DESIGN))),
    script:
        "../workflow/scripts/evaluate_budget.py"


rule evaluate_fidelity:
    input:
        tables=lambda w: [
            table
            for regime in ("retrain", *FIDELITY)
            for table in held_out(w.property, regime)
        ],
    output:
        table=reported(f"{R}/evaluation/{{property}}/fidelity.csv"),
        figure=reported(f"{R}/evaluation/{{property}}/fidelity.png"),
    log:
        f"{R}/logs/evaluation/{{property}}/fidelity.log",
    conda:
        ENV
    params:
        alphas=list(ALPHAS),
        regimes=FIDELITY,
        seed=STUDY.seed,
        code=code("evaluate_fidelity.py"),
    script:
        "../workflow/scripts/evaluate_fidelity.py"


rule evaluate_counterfactual:
    input:
        anchors=lambda w: utilities_of(w.property, "retrain", "anchors"),
        removed=lambda w: utilities_of(
            w.property, "retrain", f"counterfactual_{w.property}"
        ),
    output:
        table=reported(f"{R}/evaluation/{{property}}/counterfactual.csv"),
        figure=reported(f"{R}/evaluation/{{property}}/counterfactual.png"),
    log:
        f"{R}/logs/evaluation/{{property}}/counterfactual.log",
    conda:
        ENV
    params:
        share=COUNTERFACTUAL.share,
        code=code("evaluate_counterfactual.py"),
    script:
        "../workflow/scripts/evaluate_counterfactual.py"


rule summarise_runtime:
    input:
        benchmarks=lambda w: [
            f"{R}/benchmarks/{s}/{path}.tsv" for _, s, path in timed()
        ],
        manifests=lambda w: [f"{R}/{s}/{path}/manifest.json" for _, s, path in timed()],
    output:
        reported(f"{R}/evaluation/runtime.csv"),
    log:
        f"{R}/logs/evaluation/runtime.log",
    conda:
        ENV
    params:
        code=code("summarise_runtime.py"),
    script:
        "../workflow/scripts/summarise_runtime.py"


rule summarise_models:
    input:
        models=[of_everyone("models", name) for name in SINGLE],
        properties=[
            of_everyone(f"properties/{property}", name)
            for name in ("data", *SINGLE)
            for property in STUDY.properties
        ],
    output:
        reported(f"{R}/evaluation/models.csv"),
    log:
        f"{R}/logs/evaluation/models.log",
    conda:
        ENV
    params:
        models=["data", *SINGLE],
        properties=list(STUDY.properties),
        code=code("summarise_models.py"),
    script:
        "../workflow/scripts/summarise_models.py"


rule draw_contact_sheets:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        images=[of_everyone("images", name) for name in SINGLE],
    output:
        models=reported(f"{R}/evaluation/models.png"),
        contributor=reported(f"{R}/evaluation/contributor.png"),
    log:
        f"{R}/logs/evaluation/contact_sheets.log",
    conda:
        ENV
    params:
        models=SINGLE,
        code=code("draw_contact_sheets.py"),
    script:
        "../workflow/scripts/draw_contact_sheets.py"
