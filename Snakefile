"""diffusion-credit: credit the contributors of a diffusion model's training data."""

from snakemake.utils import min_version

min_version("9.0")


container: "envs/diffusion-credit.sif"


report: "workflow/report/study.rst"


# A study is one self-contained file, so the default one must not shine through a chosen one.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


# Seconds each, or in need of a network that compute nodes often lack; on a cluster they run beside Snakemake instead
# of waiting in its queue.
localrules:
    fetch_weights,
    check_study,
    make_design,
    all,


include: "rules/common.smk"
include: "rules/slurm.smk"
include: "rules/inputs.smk"
include: "rules/index.smk"
include: "rules/weights.smk"
include: "rules/design.smk"
include: "rules/encode.smk"
include: "rules/train.smk"


if GIVEN:

    include: "rules/take.smk"


include: "rules/generate.smk"
include: "rules/extract.smk"
include: "rules/gradients.smk"
include: "rules/clipart.smk"


if LOCAL:

    include: "rules/local.smk"

    if LOCAL.regeneration:

        include: "rules/regenerate.smk"

else:

    include: "rules/crediting.smk"
    include: "rules/prune.smk"
    include: "rules/budget.smk"
    include: "rules/measure.smk"
    include: "rules/conditional.smk"
    include: "rules/attribute.smk"
    include: "rules/baselines.smk"
    include: "rules/evaluate.smk"
    include: "rules/report.smk"

    if STUDY.design.kind == ACTIVE:

        include: "rules/choose.smk"

    if STUDY.published:

        include: "rules/published.smk"

    if STUDY.payout:

        include: "rules/payout.smk"


if LOCAL:

    rule all:
        default_target: True
        input:
            needs.with_figures(plan.local_tables(STUDY)),

else:

    rule all:
        default_target: True
        input:
            needs.attributions(),
            needs.evaluations(),
            needs.below(plan.reports(STUDY)),
            looks_so_far,

    rule credit:
        input:
            needs.attributions(),
            looks_so_far,
