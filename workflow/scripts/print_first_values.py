"""The first property's attribution as text, which is shown as soon as it is there, long before what proves it is."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from textwrap import fill

from diffusion_credit.base.files import replacing
from diffusion_credit.base.scale import named
from diffusion_credit.credit.attribution import read_attribution
from diffusion_credit.credit.printed import print_attribution
from job import job

WIDTH = 100

with job(snakemake), redirect_stdout(StringIO()) as text:
    path = Path(snakemake.input[0])
    result = read_attribution(path)
    better = "" if snakemake.params.higher_is_better else ", lower is better"
    title = f"{named(snakemake.params.property, result.transform[0])} ({path.stem}){better}"
    print(f"\n{title}, not yet evaluated: how good these values are is measured next")
    print_attribution(result)
    lines = [
        line if len(line) <= WIDTH else fill(line, WIDTH, subsequent_indent="    ")
        for line in text.getvalue().split("\n")
    ]
    with replacing(snakemake.output[0]) as temporary:
        temporary.write_text("\n".join(lines), encoding="utf-8")
