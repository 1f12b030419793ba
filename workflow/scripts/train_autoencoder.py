"""Index -> an autoencoder in diffusers' format, its errors by contributor, and a sheet of what it gives back."""

from pathlib import Path

from job import job, progress

with job(snakemake) as log:  # imports that take seconds come after its look for the device
    from diffusion_credit.base.lean import import_lean

    import_lean(["diffusers"])
    from diffusion_credit.base.tables import write_csv
    from diffusion_credit.data.images import open_pixels
    from diffusion_credit.data.index import Index
    from diffusion_credit.models.autoencoders import errors, reconstructions, train_autoencoder
    from diffusion_credit.models.options import AUTOENCODER
    from diffusion_credit.report import figures

    index, pixels, device = Index(snakemake.input.index), open_pixels(snakemake.input.pixels), snakemake.params.device
    collection = Path(snakemake.output.manifest).parent
    options = {
        **snakemake.params.options,
        "device": device,
        "code": snakemake.params.code,
        "pixels": index.pixels_digest,
    }
    train_autoencoder(pixels, options, collection, progress(log, "step", 1))
    decoded = reconstructions(pixels, collection / AUTOENCODER, device)
    overall, each = errors(pixels, decoded, index.owner)
    rows = [["all images", overall], *zip(index.contributors, each.tolist(), strict=True)]
    write_csv(snakemake.output.errors, ["images_of", "root_mean_square_error"], rows)
    each_ones = [(index.owner == who).nonzero()[0] for who in range(len(index.contributors))]
    shown = [int(images[len(images) // 2]) for images in each_ones]
    sheet = [("images", pixels[shown]), ("as the autoencoder gives them back", decoded[shown])]
    figures.save(figures.contact_sheet(sheet, rows=2), snakemake.output.sheet)
    worst = int(each.argmax())
    log.info(
        "images come back with an error of %.1f of 255 grey levels (root mean square), those of %s with %.1f",
        overall, index.contributors[worst], each[worst],
    )  # fmt: skip
