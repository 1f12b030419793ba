"""Checks that the sections of a study fit together. Each raises ValueError: key, what was found, what was expected."""

from collections.abc import Iterable
from typing import Any

from diffusion_credit.base.options import sections
from diffusion_credit.base.plugins import module_of
from diffusion_credit.base.tables import RANDOM
from diffusion_credit.models.options import FLOW, Given, Training
from diffusion_credit.models.regimes import CONDITIONAL, UNLEARNING
from diffusion_credit.subsets.design import COUNTERFACTUALS
from diffusion_credit.subsets.draws import ACTIVE

RESERVED_NAMES = {"image_count", "subset_size", "noise_floor", *COUNTERFACTUALS}  # of rows in tables
RESERVED_PROPERTIES = {  # the folder of each property's tables, and columns of them that hold no property
    "evaluation", "parameters", "contributors", "predictor", "method", "estimator", "trained_on", "regime", "stage",
    "images_of", "measure", "note", "paper",
}  # fmt: skip
CREDIT = ("pruning", "regimes", "design", "properties", "estimators", "evaluation")  # what crediting contributors takes
ONLY_CREDIT = ("games", "groups", "changes", "payout", "published")


def check(study: Any) -> None:
    """All checks of a study that need no contributors."""
    _weights(study)
    _given(study)
    _generation(study)
    _texts(study)
    _gradients(study)
    _names(study)
    if study.local:
        for key in (*CREDIT, *ONLY_CREDIT):
            if getattr(study, key):
                raise ValueError(
                    f"{key}: found together with local, expected only one of them, because a study with local credits"
                    " no contributors"
                )
        _local(study)
        return
    for key in CREDIT:
        if not (value := getattr(study, key)):
            found = f"found {value}" if key in study.model_fields_set else "not found"
            raise ValueError(f"{key}: {found}, expected a value (see config/README.md)")
    for name, prop in study.properties.items():
        _property(study, f"properties.{name}", prop)
    _estimators(study)
    _targets(study)
    _regimes(study)
    _baselines(study)
    _payout(study)


def _weights(study: Any) -> None:
    for path, section in sections(study):
        for name in section.needs_weights():
            if name not in study.weights:
                fields = type(section).model_fields.items()
                key = next((f.alias or key for key, f in fields if getattr(section, key) == name), "weights")
                raise ValueError(
                    f"{path}.{key}: found {name!r}, expected a name below weights: {_listed(study.weights)}"
                )
        for name, ending in section.needs_digests().items():
            named = [file for file in study.weights[name].sha256 if file.endswith(ending)]
            if len(named) != 1:
                raise ValueError(
                    f"weights.{name}.sha256: found {named}, expected the digest of the one file ending in {ending}"
                    f" that {path} uses"
                )


def _given(study: Any) -> None:
    given = isinstance(study.training, Given)
    study.model.check_given(given)
    if given and study.local and not study.local.retrain:
        raise ValueError(
            "local.retrain: not found, expected the training of models of subsets, because training.from names a model"
            " that is not trained"
        )


def _texts(study: Any) -> None:
    """Checks that a network with a prompt has one text for each image, and others have none."""
    captioned, generation = study.data.captioned(), study.generation
    if not study.model.prompted:
        for key, value in {"data": captioned and "captions", "generation.prompts": generation.prompts}.items():
            if value:
                raise ValueError(
                    f"{key}: found {value}, expected none for a model of kind {study.model.kind}, which has no prompt"
                )
        for key, section in sections(study):
            if not isinstance(section, Training):
                continue
            if key == f"regimes.{CONDITIONAL}":  # which leaves out a contributor's number instead of a text
                if (getattr(section, "guidance", None) or 1) != 1 and not section.caption_dropout:
                    raise ValueError(
                        f"{key}.caption_dropout: found 0, expected more, because guidance leans away from images of"
                        " which the network was not told whose they are"
                    )
            elif section.caption_dropout:
                raise ValueError(
                    f"{key}.caption_dropout: found {section.caption_dropout}, expected 0 for a model of kind"
                    f" {study.model.kind}, which has no prompt"
                )
        return
    prompt = study.model.prompt
    if captioned and prompt is not None:
        raise ValueError("model.prompt: found together with captions (data), expected only one of them")
    if not captioned and prompt is None:
        raise ValueError("model.prompt: not found, expected a text, or captions of the images (data)")
    if prompt is None and generation.prompts is None:
        raise ValueError(
            "generation.prompts: not found, expected the texts that images are generated for, because the training"
            " images have captions of their own"
        )
    if captioned and study.local:
        raise ValueError("local: found together with captions (data), expected one text for all images (model.prompt)")
    if study.gradients and study.model.base_precision == "bf16":
        raise ValueError(
            "model.base_precision: found bf16 together with gradients, expected float32, which those of single images"
            " are taken in"
        )


def _generation(study: Any) -> None:
    if study.generation.steps > study.diffusion.timesteps:
        raise ValueError(
            f"generation.steps: found {study.generation.steps}, expected at most diffusion.timesteps ="
            f" {study.diffusion.timesteps}"
        )
    flow = study.diffusion.schedule == FLOW
    if flow != (study.generation.solver == "flow_euler"):
        raise ValueError(
            f"generation.solver: found {study.generation.solver}, expected {'flow_euler' if flow else 'another'} for"
            f" diffusion.schedule = {study.diffusion.schedule}"
        )
    if study.generation.guidance != 1 and not study.model.prompted:
        raise ValueError(
            f"generation.guidance: found {study.generation.guidance}, expected 1 for a model of kind"
            f" {study.model.kind}, which has no prompt"
        )


def _gradients(study: Any) -> None:
    for key, section in sections(study):
        if isinstance(section, Training) and section.checkpoints and key != "training":
            raise ValueError(
                f"{key}.checkpoints: found {section.checkpoints}, expected 0, because only training keeps checkpoints"
            )
    for name, gradients in study.gradients.items():
        if gradients.models == "checkpoints" and isinstance(study.training, Given):
            raise ValueError(
                f"gradients.{name}.models: found checkpoints, expected full or retrained, because training.from names"
                " a model without checkpoints from along its training"
            )
        if gradients.models == "checkpoints" and not study.training.checkpoints:
            raise ValueError(f"training.checkpoints: found 0, expected 1 or more, because gradients.{name} takes them")
        if gradients.path and study.diffusion.schedule == FLOW:
            raise ValueError(
                f"gradients.{name}.path: found true, expected false, because the path of flow matching is not DDIM's"
            )
        if gradients.timesteps > study.diffusion.timesteps:
            raise ValueError(
                f"gradients.{name}.timesteps: found {gradients.timesteps}, expected at most diffusion.timesteps ="
                f" {study.diffusion.timesteps}"
            )


def _names(study: Any) -> None:
    """Checks the names of properties, estimators and baselines, and the names that baselines refer to."""
    for name in sorted(RESERVED_PROPERTIES & set(study.properties)):
        raise ValueError(
            f"properties: found the name {name}, expected another name, because tables of results use this one"
            " themselves"
        )
    for name in RESERVED_NAMES & set(study.estimators):
        raise ValueError(
            f"estimators: found the name {name}, expected another name, because lds.csv uses this one itself"
        )
    for name in sorted(set(study.baselines) & ({*study.estimators} | RESERVED_NAMES)):
        raise ValueError(
            f"baselines: found the name {name}, expected another name, because an estimator or lds.csv uses this one"
        )
    for name, baseline in study.baselines.items():
        for key, known in (("extractor", study.extractors), ("gradients", study.gradients)):
            found = getattr(baseline, key, None)
            if found is not None and found not in known:
                raise ValueError(
                    f"baselines.{name}.{key}: found {found!r}, expected a name below {key.rstrip('s')}s:"
                    f" {_listed(known)}"
                )
        _game_of(study, name, baseline)
        if hasattr(baseline, "of") and baseline.of not in (given := study.extractors[baseline.extractor].scores()):
            raise ValueError(
                f"baselines.{name}.of: found {baseline.of!r}, expected a score of {baseline.extractor}:"
                f" {_listed(given)}"
            )
        if getattr(baseline, "along", None) == "path" and not study.gradients[baseline.gradients].path:
            raise ValueError(
                f"gradients.{baseline.gradients}.path: found false, expected true, because baselines.{name}"
                " takes gradients along the path"
            )


def _game_of(study: Any, name: str, baseline: Any) -> None:
    if (game := baseline.needs_game()) is None:
        return
    if game not in study.games:
        found = "found together with local, expected" if study.local else f"found {game!r}, expected"
        raise ValueError(f"baselines.{name}.game: {found} a name below games: {_listed(study.games)}")
    if study.games[game].kind != "leave-one-out" or study.games[game].regime not in UNLEARNING:
        raise ValueError(
            f"baselines.{name}.game: found a game of kind {study.games[game].kind} in the regime"
            f" {study.games[game].regime}, expected kind leave-one-out in a regime that unlearns:"
            f" {_listed(UNLEARNING)}"
        )
    if (baseline.images or 0) > study.generation.images or baseline.timesteps > study.diffusion.timesteps:
        raise ValueError(
            f"baselines.{name}: found images = {baseline.images} and timesteps = {baseline.timesteps}, expected at most"
            f" generation.images = {study.generation.images} and diffusion.timesteps = {study.diffusion.timesteps}"
        )


def _local(study: Any) -> None:
    local, regeneration = study.local, study.local.regeneration
    if not study.baselines:
        raise ValueError(
            "baselines: not found, expected at least one method, because a study with local credits images by them"
        )
    for name, baseline in study.baselines.items():
        if name == RANDOM:
            raise ValueError(
                f"baselines: found the name {RANDOM}, expected another name, because results use this one for the"
                " removal of random images"
            )
        if baseline.kind == "own_score":
            raise ValueError(
                f"baselines.{name}.kind: found own_score, expected another kind, because an own score is the same for"
                " every generated image"
            )
    for name, gradients in study.gradients.items():
        if gradients.models == "retrained":
            raise ValueError(
                f"gradients.{name}.models: found retrained, expected full or checkpoints in a study with local"
            )
    if local.generated > study.generation.images:
        raise ValueError(
            f"local.generated: found {local.generated}, expected at most generation.images = {study.generation.images}"
        )
    if local.timesteps > study.diffusion.timesteps:
        raise ValueError(
            f"local.timesteps: found {local.timesteps}, expected at most diffusion.timesteps ="
            f" {study.diffusion.timesteps}"
        )
    if regeneration and regeneration.images > local.generated:
        raise ValueError(
            f"local.regeneration.images: found {regeneration.images}, expected at most local.generated ="
            f" {local.generated}"
        )
    if regeneration and regeneration.extractor not in study.extractors:
        raise ValueError(
            f"local.regeneration.extractor: found {regeneration.extractor!r}, expected a name below extractors:"
            f" {_listed(study.extractors)}"
        )


def _estimators(study: Any) -> None:
    for name, estimator in study.estimators.items():
        if estimator.game is not None and estimator.game not in study.games:
            raise ValueError(
                f"estimators.{name}.game: found {estimator.game!r}, expected a name below games: {_listed(study.games)}"
            )
        if estimator.takes_design():
            regime = study.games[estimator.game].regime if estimator.game else None
            if regime in (None, CONDITIONAL, study.design.regime):
                found = "no game" if regime is None else f"the game {estimator.game} in the regime {regime}"
                raise ValueError(
                    f"estimators.{name}.cheap: found {found}, expected a game in another regime than the design's,"
                    " such as retrain"
                )
        key = f"games.{estimator.game}" if estimator.game else "design"
        game, designs = study.game_of(estimator), module_of("estimators", estimator.kind).DESIGNS
        if designs and game.kind not in designs:
            raise ValueError(
                f"{key}.kind: found {game.kind}, expected one of {', '.join(designs)} for the estimator {name}"
            )
        if estimator.kind == "owen" and not study.groups:
            raise ValueError(f"groups: not found, expected the groups that the estimator {name} credits first")
    for key, game in study.games.items():
        if game.kind == ACTIVE:
            raise ValueError(
                f"games.{key}.kind: found {ACTIVE}, expected another kind: only the study's design is chosen so"
            )
    for key, game in _games(study).items():
        if game.kind == "owen" and not study.groups:
            raise ValueError("groups: not found, expected the groups that the design owen draws")
        if study.evaluation.lds and game.kind == "all":
            raise ValueError(
                f"{key}.kind: found all, expected another design or no evaluation.lds, which holds some subsets out"
            )
    played = {each.game for each in study.estimators.values()}
    played |= {each.needs_game() for each in study.baselines.values()}
    for name in sorted(set(study.games) - played):
        raise ValueError(
            f"games.{name}: found no estimator or baseline with game: {name}, expected one, because the game trains"
            " models for it"
        )
    if all(estimator.game for estimator in study.estimators.values()):
        raise ValueError(
            "estimators: found only estimators with a game, expected at least one without, for the study's design"
        )


def _targets(study: Any) -> None:
    target = study.design.target
    used = {"evaluation.counterfactual": study.evaluation.counterfactual.estimator}
    if target:
        used["design.target"] = target.estimator
        for name in sorted(set(target.standard_error) - set(study.properties)):
            raise ValueError(f"design.target.standard_error: found {name}, expected one of {sorted(study.properties)}")
    for key, name in used.items():
        known = [name for name, of in study.estimators.items() if not of.game]
        if name not in known:
            raise ValueError(f"{key}.estimator: found {name!r}, expected one of {sorted(known)}")
    if target and study.estimators[target.estimator].kind in ("datamodel", "surrogate"):
        kind = study.estimators[target.estimator].kind
        raise ValueError(
            f"design.target.estimator: found {target.estimator!r} of kind {kind}, expected an estimator that has"
            " standard errors"
        )


def _regimes(study: Any) -> None:
    lds = study.evaluation.lds
    study.model.check_pruning(study.pruning.ratio)
    used = ["retrain", *(game.regime for game in _games(study).values()), *(lds.regimes if lds else [])]
    for regime in used:
        if getattr(study.regimes, regime) is None:
            raise ValueError(
                f"regimes.{regime}: not found, expected the options of this regime, because the study uses it"
            )
    empty = module_of("networks", study.model.kind).EMPTY
    if study.design.empty != empty:
        raise ValueError(
            f"design.empty: found {study.design.empty}, expected {empty} for a model of kind {study.model.kind}"
        )
    if lds and len(set(lds.alphas)) < len(lds.alphas):
        raise ValueError(f"evaluation.lds.alphas: found {lds.alphas}, expected each value once")


def _baselines(study: Any) -> None:
    if study.baselines and not study.evaluation.tuning:
        raise ValueError(
            "evaluation.tuning: not found, expected this section, because baselines choose their variants by it"
        )
    for key, value in {
        "baselines": study.baselines,
        "evaluation.counterfactual.every_method": study.evaluation.counterfactual.every_method,
        "published": study.published,
    }.items():
        if value and not study.evaluation.lds:
            raise ValueError(
                f"{key}: found without evaluation.lds, expected both, because the league judges by held-out subsets"
            )


def _payout(study: Any) -> None:
    for key, known in (("property", study.properties), ("estimator", study.estimators)):
        if study.payout and (found := getattr(study.payout, key)) not in known:
            raise ValueError(f"payout.{key}: found {found!r}, expected one of {_listed(known)}")


def _games(study: Any) -> dict[str, Any]:
    """Key -> section of the design and of every further game."""
    return {"design": study.design, **{f"games.{name}": game for name, game in study.games.items()}}


def _property(study: Any, path: str, prop: Any) -> None:
    """Raises ValueError when a property's extractor is missing or lacks its array, or when there are too few images."""
    if prop.reads == "images":
        return
    if (name := prop.extractor) not in study.extractors:
        raise ValueError(
            f"{path}.extractor: found {name!r}, expected a name below extractors: {_listed(study.extractors)}"
        )
    scored = hasattr(prop, "of")
    wanted = prop.of if scored else prop.array
    given = study.extractors[name].scores() if scored else study.extractors[name].arrays()
    if scored and wanted not in given:
        raise ValueError(f"{path}.of: found {wanted!r}, expected a score of {name}: {_listed(given)}")
    if wanted not in given:
        raise ValueError(f"{path}.extractor: found {name!r}, which gives {given}, expected one that gives {wanted}")
    for key, more in (("clusters", 0), ("splits", 0), ("neighbours", 1)):
        if getattr(prop, key, 0) + more > study.generation.images:
            raise ValueError(
                f"{path}.{key}: found {getattr(prop, key)}, expected at most {study.generation.images - more}, because"
                f" generation.images = {study.generation.images}"
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "there is none"
