"""Everything that was found -> payout, and the report that one can hand over."""


localrules:
    divide_payout,
    write_report,


PAYOUT = STUDY.payout
TEMPLATES = SCRIPTS / "diffusion_credit/report"
MAIN = COUNTERFACTUAL.estimator
HIGHER = {name: of.higher_is_better for name, of in STUDY.properties.items()}


def payout():
    return f"{R}/payout.csv" if PAYOUT else []


def costs():
    return [f"{R}/evaluation/{name}/cost.csv" for name in HIGHER] if LDS else []


def removed(property):
    return collections("images", "retrain", f"counterfactual_{property}")


if PAYOUT:

    rule divide_payout:
        input:
            f"{R}/attribution/{PAYOUT.property}/{PAYOUT.estimator}.csv",
        output:
            f"{R}/payout.csv",
        log:
            f"{R}/logs/payout.log",
        conda:
            ENV
        params:
            options=plain(PAYOUT),
            higher_is_better=HIGHER[PAYOUT.property],
            code=code("divide_payout.py"),
        script:
            "../workflow/scripts/divide_payout.py"


rule write_report:
    input:
        index=f"{R}/index/index.json",
        pixels=f"{R}/index/pixels.npy",
        attributions=[f"{R}/attribution/{name}/{MAIN}.csv" for name in HIGHER],
        utilities=[f"{R}/utilities/{name}.csv" for name in HIGHER],
        tables=[f"{R}/{table}" for table in plan.evaluations(STUDY)] + costs(),
        payout=payout(),
        sampled=lambda w: collections("images", UTILITY, "sampled", sampled_count()),
        anchors=collections("images", UTILITY, "anchors"),
        retrained=collections("images", "retrain", "anchors"),
        removed=[manifest for name in HIGHER for manifest in removed(name)],
        models=[of_everyone("images", name) for name in SINGLE],
        made=[of_everyone("models", "full"), of_everyone("images", "full")]
        + [of_everyone(f"properties/{name}", "full") for name in HIGHER],
    output:
        page=f"{R}/report.html",
        document=f"{R}/credit.json",
        card=f"{R}/card.md",
    log:
        f"{R}/logs/report.log",
    conda:
        ENV
    params:
        study=plain(STUDY),
        higher_is_better=HIGHER,
        removed={name: removed(name) for name in HIGHER},
        templates=files_fingerprint(
            {name: TEMPLATES / name for name in ("page.html", "style.css", "card.md")}
        ),
        code=code("write_report.py"),
    script:
        "../workflow/scripts/write_report.py"
