"""An attribution -> an amount of money, divided."""


localrules:
    divide_payout,


rule divide_payout:
    input:
        f"{R}/attribution/{STUDY.payout.property}/{STUDY.payout.estimator}.csv",
    output:
        reported(f"{R}/payout.csv"),
    log:
        f"{R}/logs/payout.log",
    conda:
        ENV
    params:
        options=plain(STUDY.payout),
        higher_is_better=HIGHER[STUDY.payout.property],
        code=code("divide_payout.py"),
    script:
        "../workflow/scripts/divide_payout.py"
