"""Features of the data or of the full model -> what a property compares every model with."""

from safetensors.numpy import save_file

from diffusion_credit.base.collection import only_entry
from diffusion_credit.base.files import replacing
from diffusion_credit.base.plugins import module_of
from diffusion_credit.measuring.features import read_features
from job import job

with job(snakemake):
    options = snakemake.params.options
    module = module_of("properties", options["kind"])
    arrays = module.fit(read_features(only_entry(snakemake.input[0])), options, snakemake.params.seed)
    with replacing(snakemake.output[0]) as temporary:
        save_file(arrays, temporary)
