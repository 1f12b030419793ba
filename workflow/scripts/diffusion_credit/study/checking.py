"""The checks of a study that need its contributors: done before anything is trained, and again at every start."""

# The unions of the registered modules' options exist at run time only.
# mypy: disable-error-code="attr-defined"

from pathlib import Path

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of, read_json
from diffusion_credit.base.plugins import module_of
from diffusion_credit.credit.attribution import check_contributors
from diffusion_credit.data.index import Index
from diffusion_credit.study.config import Study, plain
from diffusion_credit.study.subset_lists import alphas, drawn
from diffusion_credit.subsets.design import held_out_size, held_out_sizes, sampled, top_count, tuning
from diffusion_credit.subsets.frame import frame_of
from diffusion_credit.subsets.reserved import Reserved

CHECKED = 2000  # subsets of a design
SINGLES = ("leave-one-out", "add-one-in")  # designs that are of no use before everyone has had a turn


def check_at_start(study: Study, folder: Path, fingerprint: str) -> None:
    """At every start: `check` with the index in `folder`, as the config may have been edited since.

    Only if it has passed before for the same data (fingerprint: of the raw files), else the index may be on its way
    out. Without any index the contributors are checked alone, where the source knows them without reading an image.
    Raises what `check` raises.
    """
    files = [folder / name for name in ("index.csv", "index.json", "checked.json")]
    if all(file.is_file() for file in files) and read_json(files[2]).get("data") == digest(study, fingerprint):
        check(study, Index(files[1]))
    elif not files[1].is_file() and not study.local and (names := study.data.contributors_now()) is not None:
        _credit(study, names)


def digest(study: Study, fingerprint: str) -> str:
    """A digest of everything that the index is made from."""
    local = [study.local.validation, study.local.training, study.seed] if study.local else []
    return digest_of([plain(study.data), fingerprint, *local])


def check(study: Study, index: Index) -> dict[str, object]:
    """Numbers that follow from the contributors. Raises UserError naming the key of the config that does not fit them.

    Of a network in latents, whose sizes are not known yet, `encode_inputs` checks these.
    """
    if not study.model.needs_weights():
        module_of("networks", study.model.kind).check_size(plain(study.model), *index.shape[:2])
    return _local(study, index) if study.local else _credit(study, index.contributors)


def _credit(study: Study, names: list[str]) -> dict[str, object]:
    n = len(names)
    lds, chosen = study.evaluation.lds, study.evaluation.tuning
    sizes = held_out_sizes([*alphas(study).values()], lds.subsets if lds else 0, n)
    for estimator in study.estimators.values():
        check_contributors(estimator.kind, n)
    top = top_count(study.evaluation.counterfactual.share, n)
    reserved = Reserved(n, sizes.values(), study.seed)
    for key, game in {"design": study.design, **{f"games.{name}": game for name, game in study.games.items()}}.items():
        if game.kind in SINGLES and game.subsets < n:
            raise UserError(
                f"config: {key}.subsets: found {game.subsets}, expected at least {n}, one for each contributor"
            )
        options = drawn(study, game)
        sampled(names, options["kind"], CHECKED, frame_of(names, study.seed, reserved, options), key)
    if chosen and study.baselines:
        tuning(names, study.seed, held_out_size(chosen.alpha, n), chosen.subsets, reserved)
    return {"contributors": n, "held_out_sizes": list(sizes.values()), "top": top}


def _local(study: Study, index: Index) -> dict[str, object]:
    local, n = study.local, len(index.contributors)
    assert local is not None
    sizes = held_out_sizes([local.alpha], local.subsets, n, ("config: local.alpha", "config: local.subsets"))
    (size,) = sizes.values()
    tuning(index.contributors, study.seed, size, local.tuning, Reserved(n, sizes.values(), study.seed), "local.tuning")
    if local.regeneration and local.regeneration.removed >= n:
        raise UserError(
            f"config: local.regeneration.removed: found {local.regeneration.removed}, expected less than {n}, the"
            " number of training images"
        )
    return {"contributors": n, "held_out_sizes": [size]}
