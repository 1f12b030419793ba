"""The checks of a study that need its contributors: done before anything is trained, and again at every start."""

# The unions of the registered modules' options exist at run time only.
# mypy: disable-error-code="attr-defined"

from diffusion_credit.attribution import check_contributors
from diffusion_credit.config import Study, plain
from diffusion_credit.design import held_out_size, held_out_sizes, sampled, top_count, tuning
from diffusion_credit.draws import game_of
from diffusion_credit.index import Index
from diffusion_credit.plan import alphas, drawn
from diffusion_credit.plugins import module_of
from diffusion_credit.reserved import Reserved

CHECKED = 2000  # subsets of a design


def check(study: Study, index: Index) -> dict[str, object]:
    """Numbers that follow from the contributors. Raises UserError naming the key of the config that does not fit them.

    Of a network in latents, whose sizes are not known yet, `encode_inputs` checks these.
    """
    names, n = index.contributors, len(index.contributors)
    lds, chosen = study.evaluation.lds, study.evaluation.tuning
    if not study.model.needs_weights():
        module_of("networks", study.model.kind).check_size(plain(study.model), *index.shape[:2])
    sizes = held_out_sizes([*alphas(study).values()], lds.subsets if lds else 0, n)
    for estimator in study.estimators.values():
        check_contributors(estimator.kind, n)
    top = top_count(study.evaluation.counterfactual.share, n)
    reserved = Reserved(n, sizes.values(), study.seed)
    for game in (study.design, *study.games.values()):
        options = drawn(study, game)
        sampled(names, options["kind"], CHECKED, game_of(names, study.seed, reserved, options))
    if chosen:
        tuning(names, study.seed, held_out_size(chosen.alpha, n), chosen.subsets, reserved)
    return {"contributors": n, "held_out_sizes": list(sizes.values()), "top": top}
