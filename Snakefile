"""diffusion-credit: credit the contributors of a diffusion model's training data."""

from snakemake.utils import min_version

min_version("9.0")


container: "envs/diffusion-credit.sif"


# A study is one self-contained file, so the default one must not shine through a chosen one.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


# Seconds each, or in need of a network that compute nodes often lack; on a cluster they run beside Snakemake instead
# of waiting in its queue.
localrules:
    fetch_weights,
    check_study,
    make_design,
    check_precision,
    collect_utilities,
    collect_list_utilities,
    attribute_contributors,
    plot_attribution,
    attribute_by_baseline,
    evaluate_lds,
    evaluate_league,
    evaluate_budget,
    evaluate_fidelity,
    evaluate_counterfactual,
    summarise_runtime,
    summarise_models,
    draw_contact_sheets,
    all,
    credit,


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/index.smk"
include: "rules/weights.smk"
include: "rules/design.smk"
include: "rules/encode.smk"
include: "rules/train.smk"
include: "rules/prune.smk"
include: "rules/generate.smk"
include: "rules/extract.smk"
include: "rules/budget.smk"
include: "rules/measure.smk"
include: "rules/attribute.smk"
include: "rules/baselines.smk"
include: "rules/evaluate.smk"


rule all:
    default_target: True
    input:
        attributions(),
        evaluations(),
        looks_so_far,


rule credit:
    input:
        attributions(),
        looks_so_far,
