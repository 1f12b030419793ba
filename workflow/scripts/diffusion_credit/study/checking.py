"""The checks of a study that need its contributors: done before anything is trained, and again at every start."""

# The unions of the registered modules' options exist at run time only.
# mypy: disable-error-code="attr-defined"

from pathlib import Path

from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import digest_of, read_json
from diffusion_credit.base.names import listed
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.yaml_files import one_line
from diffusion_credit.credit.attribution import check_contributors
from diffusion_credit.data.index import Index
from diffusion_credit.study.cleaning import CLEANED
from diffusion_credit.study.config import Study, plain
from diffusion_credit.study.sections.changes import Change, said
from diffusion_credit.study.subset_lists import alphas, drawn
from diffusion_credit.subsets.design import sampled, top_count, tuning
from diffusion_credit.subsets.frame import frame_of
from diffusion_credit.subsets.held_out import held_out_size, reserve
from diffusion_credit.subsets.history import History

CHECKED = 2000  # subsets of a design
SPELT = 20  # names that a message writes down to be copied
SINGLES = ("leave-one-out", "add-one-in")  # designs that are of no use before everyone has had a turn


def check_at_start(study: Study, folder: Path, fingerprint: str | None) -> str:
    """At every start: `check` with the index in `folder`, as the config may have been edited since.

    Only if it has passed before for the same data (fingerprint: of the raw files; None without them), else the index
    may be on its way out. Then the contributors are checked alone, where the source knows them without reading any
    image. Returns a sentence about who left and joined since the index, if `changes` does not say so. Raises what
    `check` raises.
    """
    files = [folder / name for name in ("index.csv", "index.json", "checked.json")]
    if fingerprint is None:
        return ""
    if all(file.is_file() for file in files) and read_json(files[2]).get("data") == digest(study, fingerprint):
        check(study, Index(files[1]))
        return ""
    names = None if study.local else study.data.contributors_now()
    if names is None:
        return ""
    _credit(study, names)
    if all(file.is_file() for file in files[:2]):
        return _unsaid_change(study, Index(files[1]).contributors, names)
    return _unsaid_cleaning(study, folder.parent / CLEANED, names)


def _history(study: Study, names: list[str]) -> History:
    """What became these contributors by the study's changes."""
    return History.of(names, [plain(change) for change in study.changes])


def _unsaid_change(study: Study, before: list[str], names: list[str]) -> str:
    if before in _history(study, names).stages or sorted(before) != before:
        return ""
    change = Change(left=sorted({*before} - {*names}), joined=sorted({*names} - {*before}))
    who = " and ".join(f"{listed(found)} {key}" for key, found in said(change).items())
    return (
        f"since the index was made, {who}. All models run again. To keep the retrained ones that stay right, say so in"
        f" `changes` before you run (docs/changes.md){_to_be_written(study, before, change)}"
    )


def _to_be_written(study: Study, before: list[str], change: Change) -> str:
    """The line for the config, where it is short, and the changes that are in it were all made before the index."""
    try:
        _history(study, before)
    except UserError:
        return ""
    if len(change.left) + len(change.joined) > SPELT:
        return ""
    return f": {one_line([said(each) for each in (*study.changes, change)])}"


def _unsaid_cleaning(study: Study, cleaned: Path, names: list[str]) -> str:
    if not cleaned.is_file() or read_json(cleaned)["contributors"] in map(digest_of, _history(study, names).stages):
        return ""
    return (
        "what came from a contributor was removed, and `changes` does not lead from those who took part before to those"
        " of now, name by name. All retrained models run again, also those that were kept (docs/changes.md)"
    )


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
    n, history = len(names), _history(study, names)
    lds, chosen = study.evaluation.lds, study.evaluation.tuning
    sizes, reserved = reserve(history, [*alphas(study).values()], lds.subsets if lds else 0, study.seed)
    avoided = history.avoided(reserved, sizes.values())
    for estimator in study.estimators.values():
        check_contributors(estimator.kind, n)
    top = top_count(study.evaluation.counterfactual.share, n)
    for key, game in {"design": study.design, **{f"games.{name}": game for name, game in study.games.items()}}.items():
        if game.kind in SINGLES and game.subsets < n:
            raise UserError(
                f"config: {key}.subsets: found {game.subsets}, expected at least {n}, one for each contributor"
            )
        options = drawn(study, game)
        sampled(names, options["kind"], CHECKED, frame_of(names, study.seed, avoided, options), key)
    if chosen and study.baselines:
        tuning(names, study.seed, held_out_size(chosen.alpha, n), chosen.subsets, avoided)
    return {"contributors": n, "held_out_sizes": list(sizes.values()), "top": top}


def _local(study: Study, index: Index) -> dict[str, object]:
    local, n = study.local, len(index.contributors)
    assert local is not None
    keys = ("config: local.alpha", "config: local.subsets")
    sizes, reserved = reserve(History([index.contributors]), [local.alpha], local.subsets, study.seed, keys)
    (size,) = sizes.values()
    tuning(index.contributors, study.seed, size, local.tuning, reserved, "local.tuning")
    if local.regeneration and local.regeneration.removed >= n:
        raise UserError(
            f"config: local.regeneration.removed: found {local.regeneration.removed}, expected less than {n}, the"
            " number of training images"
        )
    return {"contributors": n, "held_out_sizes": [size]}
