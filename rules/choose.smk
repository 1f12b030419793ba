"""What was measured of the sampled subsets so far -> the next batch of them, of an active design."""


localrules:
    choose_subsets,


rule choose_subsets:
    input:
        index=f"{R}/index/index.json",
        measured=lambda w: [m for _, m, _ in needs.measured_before(w.batch)],
        designs=lambda w: [d for _, _, d in needs.measured_before(w.batch)],
    output:
        f"{R}/designs/sampled/{{batch}}.csv",
    log:
        f"{R}/logs/designs/sampled/{{batch}}.log",
    wildcard_constraints:
        batch=r"(?!0000)\d+",
    priority: 60
    conda:
        ENV
    params:
        options=needs.lists["sampled"].options,
        start=lambda w: int(w.batch) * BATCH,
        stop=lambda w: int(w.batch) * BATCH + needs.rows("sampled", w.batch),
        seed=STUDY.seed,
        properties=lambda w: [
            (name, STUDY.properties[name].transform)
            for name, _, _ in needs.measured_before(w.batch)
        ],
        code=code("choose_subsets.py"),
    script:
        "../workflow/scripts/choose_subsets.py"


ruleorder: choose_subsets > make_design
