"""What was measured of the sampled subsets so far -> the next batch of them, of an active design."""


localrules:
    choose_subsets,


rule choose_subsets:
    input:
        index=f"{R}/index/index.json",
        designs=lambda w: sampled_designs(int(w.batch)),
        properties=lambda w: [
            manifest
            for property in STUDY.properties
            for manifest in sampled_properties(property, int(w.batch))
        ],
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
        transforms={name: of.transform for name, of in STUDY.properties.items()},
        code=code("choose_subsets.py"),
    script:
        "../workflow/scripts/choose_subsets.py"


ruleorder: choose_subsets > make_design
