"""Debian's openclipart-svg -> the committed images of the study `clipart`; only when it is asked for by its name."""


localrules:
    rebuild_clipart,


# Without outputs: Snakemake deletes those before a job, and these are in git.
rule rebuild_clipart:
    input:
        artists="resources/clipart/artists.csv",
    log:
        "results/clipart_data/logs/rebuild_clipart.log",
    conda:
        environment("cpu")
    params:
        size=32,
        artists=20,
        each=64,
    script:
        "../workflow/scripts/build_clipart.py"
