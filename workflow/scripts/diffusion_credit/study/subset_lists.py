"""A study's lists of subsets: their names, their rows, and what decides who is in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from diffusion_credit.base.tables import RANDOM
from diffusion_credit.study.config import Study, plain
from diffusion_credit.study.sections.evaluation import Lds
from diffusion_credit.study.sections.local import Local
from diffusion_credit.subsets.design import COUNTERFACTUALS


@dataclass(frozen=True)
class SubsetList:
    """A list of subsets, whose rows become models in batches.

    rows: their number; of `sampled` the largest that a target allows. options: what `make_design` draws the rows by,
    whatever their number; `list` in them is the kind of list. ranked_by: the files, below the study's results, that
    say who is best and so removed. of_property: the one property that its models are measured on; None: all.
    by_losses: are its models judged by the losses of single images, and draw none?
    """

    name: str
    rows: int
    options: dict[str, Any]
    ranked_by: list[str] = field(default_factory=list)
    of_property: str | None = None
    by_losses: bool = False


def game(name: str) -> str:
    """The list of a further game."""
    return f"game_{name}"


def held_out(alpha: str) -> str:
    """The list of held-out subsets of one size, which judge the values."""
    return f"held_out_{alpha}"


def counterfactual(prop: str) -> str:
    """The list without the top contributors of a property, and with only them."""
    return f"counterfactual_{prop}"


def without_top(prop: str) -> str:
    """The list without the top of each rival for a property."""
    return f"without_top_{prop}"


def without(method: str) -> str:
    """The list without the training images that a method holds for the best of a generated image."""
    return f"without_{method}"


def attribution(prop: str, method: str) -> str:
    """The table of a method's values for a property, below the study's results."""
    return f"attribution/{prop}/{method}.csv"


def scores(method: str) -> str:
    """A method's scores of single images, below the study's results."""
    return f"local/{method}/scores.safetensors"


def lists(study: Study) -> dict[str, SubsetList]:
    """Name -> list of subsets; every model of a study is a row of one of them."""
    found = _of_images(study, study.local) if study.local else _of_contributors(study)
    return {each.name: each for each in found}


def alphas(study: Study) -> dict[str, float]:
    """Name -> share of the contributors, for each size of held-out subsets."""
    if study.local:
        return {f"{study.local.alpha:g}": study.local.alpha}
    return {f"{alpha:g}": alpha for alpha in study.evaluation.lds.alphas} if study.evaluation.lds else {}


def methods(study: Study) -> list[str]:
    """Everything that credits contributors: estimators and baselines."""
    return [*study.estimators, *study.baselines]


def rivals(study: Study) -> list[str]:
    """The methods whose top is removed for the league alone."""
    return [name for name in methods(study) if name != study.evaluation.counterfactual.estimator]


def compared(study: Study) -> list[str]:
    """The properties for which the top of every rival is removed."""
    return [*study.properties] if study.evaluation.counterfactual.every_method and rivals(study) else []


def removing(study: Study) -> list[str]:
    """What decides which training images are removed for a generated one: each method, and chance."""
    return [*study.baselines, RANDOM] if study.local and study.local.regeneration else []


def drawn(study: Study, section: Any) -> dict[str, Any]:
    """What the draws of sampled subsets depend on. section: of the design, or of a further game."""
    alpha = {"alpha": section.alpha} if section.kind == "datamodel" else {}
    return {"kind": section.kind, **alpha, "groups": study.groups if section.kind == "owen" else {}}


def batch_names(rows: int, size: int) -> list[str]:
    """Names of the aligned batches that hold `rows` rows."""
    return [f"{batch:04d}" for batch in range(-(-rows // size))]


def rows_of(batch: str, rows: int, size: int) -> int:
    """Number of rows in one batch of a list of `rows`."""
    return min(size, rows - int(batch) * size)


def _of_contributors(study: Study) -> Iterator[SubsetList]:
    design, lds, top = study.design, study.evaluation.lds, study.evaluation.counterfactual
    reserved = {"alphas": [*alphas(study).values()], "changes": [plain(change) for change in study.changes]}
    yield SubsetList("everyone", 1, {"list": "everyone"})
    rows = design.target.maximum if design.target else design.subsets
    yield SubsetList("sampled", rows, {"list": "sampled", **drawn(study, design), **reserved})
    yield SubsetList("anchors", 2 * design.anchors, {"list": "anchors", "replicates": design.anchors})
    for name, section in study.games.items():
        yield SubsetList(game(name), section.subsets, {"list": "sampled", **drawn(study, section), **reserved})
    if study.baselines and (tuning := study.evaluation.tuning):
        options = {"list": "tuning", "alpha": tuning.alpha, **reserved}
        yield SubsetList("tuning", tuning.subsets, options)
    for name, alpha in alphas(study).items():
        assert lds is not None  # else there is no alpha
        yield _held_out(name, alpha, lds, reserved)
    removal = {"share": top.share, "replicates": top.replicates}
    for prop in study.properties:
        options = {"list": "counterfactual", **removal}
        best = [attribution(prop, top.estimator)]
        yield SubsetList(counterfactual(prop), len(COUNTERFACTUALS) * top.replicates, options, best, prop)
    for prop in compared(study):
        options = {"list": "without_top", "methods": rivals(study), **removal}
        best = [attribution(prop, name) for name in rivals(study)]
        yield SubsetList(without_top(prop), len(best) * top.replicates, options, best, prop)


def _of_images(study: Study, local: Local) -> Iterator[SubsetList]:
    reserved = {"alphas": [local.alpha], "changes": []}
    yield SubsetList("everyone", 1, {"list": "everyone"})
    for name, alpha in alphas(study).items():
        yield _held_out(name, alpha, local, reserved, by_losses=True)
    options = {"list": "tuning", "alpha": local.alpha, **reserved}
    yield SubsetList("tuning", local.tuning, options, by_losses=True)
    removal = local.regeneration
    for method in removing(study):
        assert removal is not None  # else nothing removes
        options = {"list": "without_best", "removed": removal.removed, "images": removal.images}
        best = [scores(method)] if method in study.baselines else []  # else chance decides
        yield SubsetList(without(method), removal.images, options, best)


def _held_out(
    name: str, alpha: float, section: Lds | Local, reserved: dict[str, Any], by_losses: bool = False
) -> SubsetList:
    options = {"list": "held_out", "alpha": alpha, "replicates": section.replicates, **reserved}
    return SubsetList(held_out(name), section.subsets * section.replicates, options, by_losses=by_losses)
