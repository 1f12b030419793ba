"""diffusion-credit: credit the contributors of a diffusion model's training data."""

from snakemake.utils import min_version

min_version("9.0")

# A study is one self-contained file, so the default one must not shine through a chosen one.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/index.smk"
include: "rules/design.smk"
include: "rules/train.smk"
include: "rules/prune.smk"
include: "rules/generate.smk"
include: "rules/extract.smk"
include: "rules/budget.smk"
include: "rules/measure.smk"
include: "rules/attribute.smk"
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
