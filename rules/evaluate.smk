"""How good the values are: LDS, fidelity, counterfactual, runtime, and what the models draw."""


rule evaluate_lds:
    input:
        utilities=lambda w: needs.utilities_of_all(w.property),
        attributions=expand(
            f"{R}/attribution/{{{{property}}}}/{{estimator}}.csv",
            estimator=STUDY.estimators,
        ),
        held_out=lambda w: needs.held_out(w.property, "retrain"),
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
        predicting=lambda w: placed.predicting(w.property),
        higher_is_better=lambda w: HIGHER[w.property],
        seed=STUDY.seed,
        code=code("evaluate_lds.py"),
    script:
        "../workflow/scripts/evaluate_lds.py"


rule evaluate_league:
    input:
        utilities=lambda w: needs.utilities_of_all(w.property),
        attributions=lambda w: needs.attributions_of(w.property, methods(STUDY)),
        held_out=lambda w: needs.held_out(w.property, "retrain"),
        tuning=lambda w: needs.tuning_of(w.property),
        anchors=lambda w: needs.utilities_of(w.property, "retrain", "anchors"),
        removed=lambda w: needs.removed_tops(w.property),
        spent=lambda w: costs.all_spent(needs, w.property, sampled_count()),
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
        methods=lambda w: costs.league_methods(placed, w.property, sampled_count()),
        main=COUNTERFACTUAL.estimator,
        predicting=lambda w: placed.predicting(w.property),
        higher_is_better=lambda w: HIGHER[w.property],
        seed=STUDY.seed,
        code=code(
            "evaluate_league.py",
            *map(needs.estimator_plugin, sorted(STUDY.estimators)),
        ),
    script:
        "../workflow/scripts/evaluate_league.py"


rule evaluate_budget:
    input:
        utilities=f"{R}/utilities/{{property}}.csv",
        held_out=lambda w: needs.held_out(w.property, "retrain"),
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
        estimators={name: needs.estimator_options(name) for name in OF_DESIGN},
        batch_size=BATCH,
        target=lambda w: target_of(w.property),
        seed=STUDY.seed,
        code=code("evaluate_budget.py", *map(needs.estimator_plugin, sorted(OF_DESIGN))),
    script:
        "../workflow/scripts/evaluate_budget.py"


rule evaluate_fidelity:
    input:
        tables=lambda w: [
            table
            for regime in ("retrain", *FIDELITY)
            for table in needs.held_out(w.property, regime)
        ],
        sampled=lambda w: needs.compared_sample(w.property),
        anchors=lambda w: needs.utilities_of(w.property, "retrain", "anchors"),
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
        design=needs.regime,
        seed=STUDY.seed,
        code=code("evaluate_fidelity.py"),
    script:
        "../workflow/scripts/evaluate_fidelity.py"


rule evaluate_counterfactual:
    input:
        anchors=lambda w: needs.utilities_of(w.property, "retrain", "anchors"),
        removed=lambda w: needs.counterfactual(w.property),
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


rule evaluate_removal:
    input:
        utilities=lambda w: needs.predicting_first(w.property)[0],
        cheap=lambda w: needs.predicting_first(w.property)[1],
        anchors=lambda w: needs.utilities_of(w.property, "retrain", "anchors"),
        removed=lambda w: needs.counterfactual(w.property),
    output:
        table=reported(f"{R}/evaluation/{{property}}/removal.csv"),
        figure=reported(f"{R}/evaluation/{{property}}/removal.png"),
    log:
        f"{R}/logs/evaluation/{{property}}/removal.log",
    conda:
        ENV
    params:
        code=code("evaluate_removal.py"),
    script:
        "../workflow/scripts/evaluate_removal.py"


rule summarise_runtime:
    input:
        benchmarks=lambda w: [
            f"{R}/benchmarks/{stage}/{path}.tsv"
            for stage, path in costs.timed(needs, sampled_count())
        ],
        manifests=lambda w: [
            f"{R}/{stage}/{path}/manifest.json"
            for stage, path in costs.timed(needs, sampled_count())
        ],
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
        models=[needs.of_everyone("models", name) for name in SINGLE],
        properties=[
            needs.of_everyone(f"properties/{property}", name)
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


rule check_learning:
    input:
        full=needs.of_everyone("models", "full"),
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        encoded=needs.encoded(),
        weights=needs.weights(STUDY.model),
    output:
        reported(f"{R}/evaluation/learning.csv"),
    log:
        f"{R}/logs/evaluation/learning.log",
    priority: 80
    conda:
        ENV
    threads: 1
    resources:
        gpu=GPU,
    params:
        options=dict(
            network=STUDY.model.kind,
            diffusion=plain(STUDY.diffusion),
            batch_size=STUDY.generation.batch_size,
            seed=STUDY.seed,
        ),
        kind=STUDY.model.kind,
        device=STUDY.device,
        code=code("check_learning.py", *NETWORK),
    script:
        "../workflow/scripts/check_learning.py"


rule draw_contact_sheets:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        images=[needs.of_everyone("images", name) for name in SINGLE],
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
