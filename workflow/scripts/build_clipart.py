"""Drawings of Debian's openclipart-svg -> the images and the provenance table of the study `clipart`."""

from pathlib import Path

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.plugins import require_package
from diffusion_credit.data.clipart import PACKAGE, chosen, read_artists, usable_drawings, write_drawings
from job import job, progress

with job(snakemake) as log:
    parameters = snakemake.params
    require_package("resvg-py", "clipart", "drawings")
    if not PACKAGE.is_dir():
        raise UserError(f"{PACKAGE}: not found, expected the drawings of the Debian package openclipart-svg")
    report = progress(log, "drawing", 1)
    artists = read_artists(Path(snakemake.input.artists))
    drawings, reasons = usable_drawings(
        PACKAGE, artists, parameters.size, lambda done, of: report("rendering", done, of)
    )
    for reason, count in reasons.most_common():
        log.info("left out %d: %s", count, reason)
    selected = chosen(drawings, parameters.artists, parameters.each)
    write_drawings(selected, Path(snakemake.input.artists).parent)
    log.info("%d of %d usable drawings", len(selected), len(drawings))
