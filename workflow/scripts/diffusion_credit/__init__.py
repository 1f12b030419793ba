"""Credit the contributors of a diffusion model's training data. Knows nothing of Snakemake."""
