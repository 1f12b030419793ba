"""What a study makes: the regimes in which its lists of subsets become models, and the tables in the end."""

from pathlib import Path
from typing import Any

from diffusion_credit.base.files import read_json
from diffusion_credit.base.plugins import module_of
from diffusion_credit.evaluation.published import TABLES
from diffusion_credit.models.options import Given
from diffusion_credit.models.regimes import CONDITIONAL, OF_EVERYONE, REGIMES
from diffusion_credit.study.config import Study, plain
from diffusion_credit.study.subset_lists import (
    alphas,
    attribution,
    compared,
    counterfactual,
    game,
    held_out,
    lists,
    methods,
    without_top,
)

SINGLE = ["full", "pruned", "refit"]  # models of everyone that every study makes once
START = {name: module_of("regimes", name).START for name in (*OF_EVERYONE, *REGIMES)}


def trainings(study: Study) -> dict[str, Any]:
    """Regime -> section of the config that says how its models are trained; None where it says nothing."""
    if study.local:
        alike = study.training.model_copy(update={"checkpoints": 0})  # which are of the full model alone
        return {"full": study.training, "retrain": study.local.retrain or alike}
    regimes = {name: getattr(study.regimes, name) for name in REGIMES}
    return {"full": study.training, "refit": study.pruning.refit, **regimes}


def trained(training: Any) -> dict[str, Any]:
    """What a training depends on: its section, without what only the drawing of images takes."""
    return {key: value for key, value in plain(training).items() if key != "guidance"}


def given(study: Study) -> bool:
    """Whether the full model was trained elsewhere."""
    return isinstance(study.training, Given)


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
    played = {estimator.game for estimator in study.estimators.values()}  # of others, baselines take the models alone
    credited = {key: section for key, section in study.games.items() if key in played}
    pairs = [
        (study.design.regime, "sampled"),
        (study.design.regime, "anchors"),
        *((regime, held_out(alpha)) for regime in ("retrain", *fidelity) for alpha in alphas(study)),
        ("retrain", "anchors"),
        *(("retrain", counterfactual(name)) for name in study.properties),
        *(("retrain", without_top(name)) for name in compared(study)),
        *((section.regime, name) for key, section in credited.items() for name in (game(key), "anchors")),
        *([(study.design.regime, "tuning")] if study.evaluation.tuning and study.baselines else []),
    ]
    return list(dict.fromkeys(pairs))


def measured(study: Study, prop: str) -> list[tuple[str, str]]:
    """Every (regime, list) on which one property is measured: all that are used, but for other properties' own."""
    found = lists(study)
    return [(regime, name) for regime, name in _valued(study) if found[name].of_property in (None, prop)]


def attributions(study: Study) -> list[str]:
    """The tables of values, below the study's results."""
    return [attribution(name, method) for name in study.properties for method in methods(study)]


def evaluations(study: Study) -> list[str]:
    """The tables that say how good the values are, below the study's results."""
    tables = ["counterfactual", "budget", "noise", *(["lds", "fidelity", "league"] if study.evaluation.lds else [])]
    tables += ["removal"] if any(each.predicts for each in study.estimators.values()) else []
    single = ["evaluation/runtime.csv", "evaluation/models.csv", "evaluation/learning.csv"]
    single += [f"evaluation/paper/{name}.csv" for name in TABLES] if study.published else []
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
    """Name -> rows of every list, with as many sampled subsets as the last look asked for or was content with."""
    rows = {name: each.rows for name, each in lists(study).items()}
    if study.local or not study.design.target:
        return rows
    size = study.design.batch_size
    batches = study.design.subsets // size
    for taken in looks(study, results):
        batches = taken["next_batches"] or batches
    return {**rows, "sampled": batches * size}
