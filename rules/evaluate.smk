"""How good the values are: LDS, fidelity, counterfactual, runtime, and what the models draw."""


def held_out(property, regime):
    return [utilities_of(property, regime, f"held_out_{alpha}") for alpha in ALPHAS]


rule evaluate_lds:
    input:
        utilities=f"{R}/utilities/{{property}}.csv",
        attributions=expand(
            f"{R}/attribution/{{{{property}}}}/{{estimator}}.csv",
            estimator=STUDY.estimators,
        ),
        held_out=lambda w: held_out(w.property, "retrain"),
        index=f"{R}/index/index.json",
    output:
        table=f"{R}/evaluation/{{property}}/lds.csv",
        figure=f"{R}/evaluation/{{property}}/lds.png",
    log:
        f"{R}/logs/evaluation/{{property}}/lds.log",
    params:
        alphas=list(ALPHAS),
        estimators=list(STUDY.estimators),
        seed=STUDY.seed,
        code=code("evaluate_lds.py"),
    conda:
        ENV
    script:
        "../workflow/scripts/evaluate_lds.py"


rule evaluate_fidelity:
    input:
        tables=lambda w: [
            table
            for regime in ("retrain", *LDS.regimes)
            for table in held_out(w.property, regime)
        ],
    output:
        table=f"{R}/evaluation/{{property}}/fidelity.csv",
        figure=f"{R}/evaluation/{{property}}/fidelity.png",
    log:
        f"{R}/logs/evaluation/{{property}}/fidelity.log",
    params:
        alphas=list(ALPHAS),
        regimes=LDS.regimes,
        seed=STUDY.seed,
        code=code("evaluate_fidelity.py"),
    conda:
        ENV
    script:
        "../workflow/scripts/evaluate_fidelity.py"


rule evaluate_counterfactual:
    input:
        anchors=lambda w: utilities_of(w.property, "retrain", "anchors"),
        removed=lambda w: utilities_of(
            w.property, "retrain", f"counterfactual_{w.property}"
        ),
    output:
        table=f"{R}/evaluation/{{property}}/counterfactual.csv",
        figure=f"{R}/evaluation/{{property}}/counterfactual.png",
    log:
        f"{R}/logs/evaluation/{{property}}/counterfactual.log",
    params:
        share=COUNTERFACTUAL.share,
        code=code("evaluate_counterfactual.py"),
    conda:
        ENV
    script:
        "../workflow/scripts/evaluate_counterfactual.py"


# Every (regime, list) whose models the evaluation or the attribution uses.
USED = [
    (UTILITY, "sampled"),
    (UTILITY, "anchors"),
    *((r, f"held_out_{a}") for r in ("retrain", *LDS.regimes) for a in ALPHAS),
    ("retrain", "anchors"),
    *(("retrain", f"counterfactual_{name}") for name in STUDY.properties),
]
TIMED = [
    (regime, stage, f"{regime}/{name}/{batch}")
    for regime, name in dict.fromkeys(USED)
    for batch in batches(name)
    for stage in ("models", "images")
]


rule summarise_runtime:
    input:
        benchmarks=[f"{R}/benchmarks/{stage}/{path}.tsv" for _, stage, path in TIMED],
        manifests=[f"{R}/{stage}/{path}/manifest.json" for _, stage, path in TIMED],
    output:
        f"{R}/evaluation/runtime.csv",
    log:
        f"{R}/logs/evaluation/runtime.log",
    params:
        regimes=[regime for regime, _, _ in TIMED],
        stages=[
            {"models": "training", "images": "generation"}[s] for _, s, _ in TIMED
        ],
        code=code("summarise_runtime.py"),
    conda:
        ENV
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
        f"{R}/evaluation/models.csv",
    log:
        f"{R}/logs/evaluation/models.log",
    params:
        models=["data", *SINGLE],
        properties=list(STUDY.properties),
        code=code("summarise_models.py"),
    conda:
        ENV
    script:
        "../workflow/scripts/summarise_models.py"


rule draw_contact_sheets:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        images=[of_everyone("images", name) for name in SINGLE],
    output:
        models=f"{R}/evaluation/models.png",
        contributor=f"{R}/evaluation/contributor.png",
    log:
        f"{R}/logs/evaluation/contact_sheets.log",
    params:
        models=SINGLE,
        code=code("draw_contact_sheets.py"),
    conda:
        ENV
    script:
        "../workflow/scripts/draw_contact_sheets.py"
