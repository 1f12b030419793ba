"""How many subsets are enough: after whole batches, is the largest standard error below the stated target?"""


def sampled_designs(count):
    """Designs of the first batches of sampled subsets and of the anchors."""
    return designs("sampled", count) + designs("anchors")


def sampled_properties(property, count):
    return properties(property, UTILITY, "sampled", count) + properties(
        property, UTILITY, "anchors"
    )


def sampled_count():
    """Number of sampled batches: as configured, or as many as the looks at the standard errors ask for."""
    count = STUDY.design.subsets // BATCH
    while TARGET:
        look = checkpoints.check_precision.get(count=f"{count:04d}").output[0]
        following = read_json(look)["next_batches"]
        if following is None:
            break
        count = following
    return count


def target_of(property):
    return TARGET.standard_error.get(property) if TARGET else None


checkpoint check_precision:
    input:
        designs=lambda w: sampled_designs(int(w.count)),
        properties=lambda w: [
            manifest
            for property in TARGET.standard_error
            for manifest in sampled_properties(property, int(w.count))
        ],
    output:
        f"{R}/budget/{{count}}.json",
    log:
        f"{R}/logs/budget/{{count}}.log",
    priority: 60
    conda:
        ENV
    params:
        options=lambda w: estimator_options(TARGET.estimator),
        targets=lambda w: TARGET.standard_error,
        maximum=lambda w: TARGET.maximum,
        batch_size=BATCH,
        code=lambda w: code("check_precision.py", estimator_plugin(TARGET.estimator)),
    script:
        "../workflow/scripts/check_precision.py"
