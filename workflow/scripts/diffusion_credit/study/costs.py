"""What each method costs: the collections whose seconds are added up, beyond the full model's."""

from typing import Any

from diffusion_credit.models.regimes import CONDITIONAL
from diffusion_credit.study import plan, subset_lists
from diffusion_credit.study.needs import Needs


def timed(needs: Needs, sampled: int) -> list[tuple[str, str]]:
    """(stage, collection below it) of every job whose time is summarised. sampled: batches of sampled subsets."""
    return [
        (stage, f"{regime}/{name}/{batch}")
        for regime, name in plan.used(needs.study)
        for batch in needs.batches(name, sampled if name == "sampled" else None)
        for stage in ("models", "images")
    ]


def spent(needs: Needs, prop: str, method: str, sampled: int) -> tuple[list[str], list[str]]:
    """What a method takes for a property: collections that it takes in any case, and those of its subsets."""
    study = needs.study
    if method in study.baselines:
        fixed = _started(needs, needs.regime) + _made(needs, prop, needs.regime, "tuning")
        for stage, whose in study.baselines[method].sources().values():
            if stage != "images":
                fixed.append(needs.source(stage, whose))
            if stage == "gradients" and study.gradients[whose].models == "retrained":
                fixed += needs.collections("models", "retrain", "anchors")
        if game := study.baselines[method].needs_game():
            fixed += needs.collections("models", study.games[game].regime, subset_lists.game(game))
        return fixed + needs.bounds(method), []
    game = study.estimators[method].game
    regime = study.games[game].regime if game else needs.regime
    if regime == CONDITIONAL:
        return _drawn(needs, prop), []
    fixed = _started(needs, regime) + _made(needs, prop, regime, "anchors")
    if study.estimators[method].takes_design():
        for name in ("anchors", "sampled"):
            fixed += _made(needs, prop, needs.regime, name, sampled if name == "sampled" else None)
    if game:
        return fixed, _made(needs, prop, regime, subset_lists.game(game))
    return fixed, _made(needs, prop, regime, "sampled", sampled)


def all_spent(needs: Needs, prop: str, sampled: int) -> list[str]:
    """What any method takes for a property, each once, and what the baselines say of themselves."""
    parts = [part for name in subset_lists.methods(needs.study) for part in spent(needs, prop, name, sampled)]
    about = [_about(needs, name) for name in needs.study.baselines]
    return list(dict.fromkeys(manifest for part in parts for manifest in part)) + about


def league_methods(needs: Needs, prop: str, sampled: int) -> list[dict[str, Any]]:
    """What the league has to know of every method, in the order of their attributions."""
    found = []
    for name in subset_lists.methods(needs.study):
        fixed, each = spent(needs, prop, name, sampled)
        baseline = name in needs.study.baselines
        found.append(
            {
                "name": name,
                "fixed": fixed,
                "each": each,
                "about": _about(needs, name) if baseline else None,
                "options": None if baseline else needs.estimator_options(name),
                "utilities": [] if baseline else needs.utilities_for(prop, name),
                "cheap": [] if baseline else needs.cheap_for(prop, name),
            }
        )
    return found


def _about(needs: Needs, baseline: str) -> str:
    return f"{needs.results}/baselines/{baseline}.json"


def _stages(needs: Needs, prop: str) -> list[str]:
    """The stages of a model whose time counts for a property."""
    return list(dict.fromkeys(["models", "images", needs.measured_on(prop)]))


def _made(needs: Needs, prop: str, regime: str, name: str, count: int | None = None) -> list[str]:
    """All that a list's models cost for a property."""
    return [each for stage in _stages(needs, prop) for each in needs.collections(stage, regime, name, count)]


def _drawn(needs: Needs, prop: str) -> list[str]:
    """All that the one conditional model costs for a property."""
    drawn = [needs.of_contributors(stage) for stage in _stages(needs, prop) if stage != "models"]
    return [*drawn, needs.of_everyone("models", CONDITIONAL)]


def _started(needs: Needs, regime: str) -> list[str]:
    """What a regime's trainings begin with, where that is not the full model."""
    return [] if plan.START[regime] == "full" else needs.start(regime)
