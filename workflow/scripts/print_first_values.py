"""The first property's attributions, printed as soon as they are there, long before what proves them is."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from diffusion_credit.base.files import replacing
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.own_tables import print_attribution
from job import job

with job(snakemake), redirect_stdout(StringIO()) as text:
    for path in map(Path, snakemake.input):
        print(f"{snakemake.params.property} ({path.stem}), not yet evaluated: do not act on these values before it is")
        print_attribution(read_attribution(path))
    with replacing(snakemake.output[0]) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
print(text.getvalue(), flush=True)
