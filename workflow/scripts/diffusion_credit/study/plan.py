"""What a study makes: its lists of subsets, and the regimes in which each of them becomes models."""

from pathlib import Path
from typing import Any

from diffusion_credit.base.files import read_json
from diffusion_credit.base.tables import RANDOM
from diffusion_credit.study.config import Study
from diffusion_credit.study.sections import Local

SINGLE = ["full", "pruned", "refit"]  # models of everyone that every study makes once
CONDITIONAL = "conditional"  # the regime whose one model serves all subsets


def trainings(study: Study) -> dict[str, Any]:
    """Regime -> section of the config that says how its models are trained; None where it says nothing."""
    if study.local:
        alike = study.training.model_copy(update={"checkpoints": 0})  # which are of the full model alone
        return {"full": study.training, "retrain": study.local.retrain or alike}
    regimes = {name: getattr(study.regimes, name) for name in type(study.regimes).model_fields}
    return {"full": study.training, "refit": study.pruning.refit, **regimes}


def alphas(study: Study) -> dict[str, float]:
    """Name -> share of the contributors, for each size of held-out subsets."""
    if study.local:
        return {f"{study.local.alpha:g}": study.local.alpha}
    return {f"{alpha:g}": alpha for alpha in study.evaluation.lds.alphas} if study.evaluation.lds else {}


def lists(study: Study) -> dict[str, int]:
    """Name -> number of rows, for every list of subsets; every model of a study is a row of one of them."""
    if study.local:
        return _local_lists(study.local, study)
    target, lds, counterfactual = study.design.target, study.evaluation.lds, study.evaluation.counterfactual
    return {
        "everyone": 1,
        "sampled": target.maximum if target else study.design.subsets,  # at most
        "anchors": 2 * study.design.anchors,
        **{f"game_{name}": game.subsets for name, game in study.games.items()},
        **({"tuning": study.evaluation.tuning.subsets} if study.evaluation.tuning and study.baselines else {}),
        **({f"held_out_{alpha}": lds.subsets * lds.replicates for alpha in alphas(study)} if lds else {}),
        **{f"counterfactual_{name}": 2 * counterfactual.replicates for name in study.properties},
        **{f"without_top_{name}": len(rivals(study)) * counterfactual.replicates for name in compared(study)},
    }


def _local_lists(local: Local, study: Study) -> dict[str, int]:
    removed = local.regeneration
    return {
        "everyone": 1,
        **{f"held_out_{alpha}": local.subsets * local.replicates for alpha in alphas(study)},
        "tuning": local.tuning,
        **({f"without_{name}": removed.images for name in removing(study)} if removed else {}),
    }


def removing(study: Study) -> list[str]:
    """What decides which training images are removed for a generated one: each method, and chance."""
    return [*study.baselines, RANDOM]


def drawn(study: Study, game: Any) -> dict[str, Any]:
    """What the draws of sampled subsets depend on. game: the section of the design, or of a further game."""
    alpha = {"alpha": game.alpha} if game.kind == "datamodel" else {}
    return {"kind": game.kind, **alpha, "groups": study.groups if game.kind == "owen" else {}}


def methods(study: Study) -> list[str]:
    """Everything that credits contributors: estimators and baselines."""
    return [*study.estimators, *study.baselines]


def rivals(study: Study) -> list[str]:
    """The methods whose top is removed for the league alone."""
    return [name for name in methods(study) if name != study.evaluation.counterfactual.estimator]


def compared(study: Study) -> list[str]:
    """The properties for which the top of every rival is removed as well; none unless the study asks for it."""
    return [*study.properties] if study.evaluation.counterfactual.every_method and rivals(study) else []


def used(study: Study) -> list[tuple[str, str]]:
    """Every (regime, list) whose models the attribution or the evaluation uses, each once."""
    if study.local:
        return [("retrain", name) for name in lists(study) if name != "everyone"]
    return list(dict.fromkeys(model_of(*pair) for pair in _valued(study)))


def model_of(regime: str, name: str) -> tuple[str, str]:
    """The (regime, list) of the models that a list's values are measured on: its own, but if conditional."""
    return (CONDITIONAL, "everyone") if regime == CONDITIONAL else (regime, name)


def _valued(study: Study) -> list[tuple[str, str]]:
    """Every (regime, list) whose subsets get values."""
    fidelity = study.evaluation.lds.regimes if study.evaluation.lds else []
    pairs = [
        (study.design.regime, "sampled"),
        (study.design.regime, "anchors"),
        *((regime, f"held_out_{alpha}") for regime in ("retrain", *fidelity) for alpha in alphas(study)),
        ("retrain", "anchors"),
        *(("retrain", f"counterfactual_{name}") for name in study.properties),
        *(("retrain", f"without_top_{name}") for name in compared(study)),
        *((game.regime, name) for key, game in study.games.items() for name in (f"game_{key}", "anchors")),
        *([(study.design.regime, "tuning")] if study.evaluation.tuning and study.baselines else []),
    ]
    return list(dict.fromkeys(pairs))


def measured(study: Study, name: str) -> list[tuple[str, str]]:
    """Every (regime, list) on which one property is measured: all that are used, but for other properties' own."""
    others = {
        f"{kind}_{other}" for kind in ("counterfactual", "without_top") for other in study.properties if other != name
    }
    return [pair for pair in _valued(study) if pair[1] not in others]


def batch_names(rows: int, size: int) -> list[str]:
    """Names of the aligned batches that hold `rows` rows."""
    return [f"{batch:04d}" for batch in range(-(-rows // size))]


def rows_of(batch: str, rows: int, size: int) -> int:
    """Number of rows in one batch of a list of `rows`."""
    return min(size, rows - int(batch) * size)


def attributions(study: Study) -> list[str]:
    """The tables of values, below the study's results."""
    return [f"attribution/{name}/{method}.csv" for name in study.properties for method in methods(study)]


def evaluations(study: Study) -> list[str]:
    """The tables that say how good the values are, below the study's results."""
    tables = ["counterfactual", "budget", "noise", *(["lds", "fidelity", "league"] if study.evaluation.lds else [])]
    single = ["evaluation/runtime.csv", "evaluation/models.csv"]
    return [*(f"evaluation/{name}/{table}.csv" for name in study.properties for table in tables), *single]


def reports(study: Study) -> list[str]:
    """What is handed over in the end, below the study's results."""
    return [*(["payout.csv"] if study.payout else []), "report.html", "credit.json", "card.md"]


def local_tables(study: Study) -> list[str]:
    """The tables of a study of single images that have a figure, below the study's results."""
    evaluated = ["lds", *(["regeneration"] if study.local and study.local.regeneration else [])]
    influential = [f"local/{name}/influential.csv" for name in study.baselines]
    return [*influential, *(f"evaluation/local/{table}.csv" for table in evaluated)]


def looks(study: Study, results: Path) -> list[dict[str, Any]]:
    """The looks at the standard errors that have been taken, first to last; none without a target."""
    found: list[dict[str, Any]] = []
    if study.local:
        return found
    batches = study.design.subsets // study.design.batch_size if study.design.target else None
    while batches is not None and (file := results / "budget" / f"{batches:04d}.json").is_file():
        found.append(read_json(file))
        batches = found[-1]["next_batches"]
    return found


def lists_so_far(study: Study, results: Path) -> dict[str, int]:
    """The lists, with as many sampled subsets as the last look asked for or was content with."""
    if study.local or not study.design.target:
        return lists(study)
    size = study.design.batch_size
    batches = study.design.subsets // size
    for taken in looks(study, results):
        batches = taken["next_batches"] or batches
    return {**lists(study), "sampled": batches * size}
