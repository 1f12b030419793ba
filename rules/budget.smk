"""How many subsets are enough: after whole batches, is the largest standard error below the stated target?"""


def sampled_designs(count):
    """Designs of the first batches of sampled subsets and of the anchors."""
    return needs.designs("sampled", count) + needs.designs("anchors")


def sampled_properties(property, count):
    return needs.properties(
        property, STUDY.design.regime, "sampled", count
    ) + needs.properties(property, STUDY.design.regime, "anchors")


def looks():
    """Yields the looks at the standard errors one after the other: number of batches, file."""
    count = STUDY.design.subsets // BATCH
    while TARGET and count is not None:
        yield count, f"{R}/budget/{count:04d}.json"
        look = checkpoints.check_precision.get(batches=f"{count:04d}").output[0]
        count = read_json(look)["next_batches"]


def looks_so_far(w):
    """Files of the looks up to the first that is still to be taken.

    The target rules ask for them: what depends on a missing look does not run by itself when its output is there,
    so a tighter target would change nothing.
    """
    files = []
    try:
        for _, file in looks():
            files.append(file)
    except IncompleteCheckpointException:
        pass
    return files


def sampled_count():
    """Number of sampled batches: as configured, or as many as the last look has."""
    return max((count for count, _ in looks()), default=STUDY.design.subsets // BATCH)


def target_of(property):
    return TARGET.standard_error.get(property) if TARGET else None


def stopping_rule():
    """What decides how many batches there are."""
    if not TARGET:
        return None
    return dict(
        options=needs.estimator_options(TARGET.estimator),
        targets=TARGET.standard_error,
        transforms={
            name: STUDY.properties[name].transform for name in TARGET.standard_error
        },
        maximum=TARGET.maximum,
        batch_size=BATCH,
        code=code("check_precision.py", needs.estimator_plugin(TARGET.estimator)),
    )


checkpoint check_precision:
    input:
        designs=lambda w: sampled_designs(int(w.batches)),
        properties=lambda w: [
            manifest
            for property in TARGET.standard_error
            for manifest in sampled_properties(property, int(w.batches))
        ],
    output:
        f"{R}/budget/{{batches}}.json",
    log:
        f"{R}/logs/budget/{{batches}}.log",
    priority: 60
    conda:
        ENV
    params:
        rule=stopping_rule(),
    script:
        "../workflow/scripts/check_precision.py"
