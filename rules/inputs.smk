"""What single rules and the targets need, stage by stage."""

@cache
def source_fingerprint():
    """Changes when the raw files do."""
    source = module_of("sources", STUDY.data.source)
    try:
        return source.fingerprint(STUDY.data)
    except (UserError, OSError) as error:
        return missing(str(error))


def weights_fingerprint(name):
    """Changes when the files of a local folder do; a revision of the hub never changes."""
    options = STUDY.weights[name]
    if options.folder is None:
        return ""
    try:
        return files_fingerprint(files_of(name, Path(options.folder), plain(options)))
    except (UserError, OSError) as error:
        return missing(str(error))


@cache
def missing(sentence):
    """The job fails with this sentence; a plan says it too, and is made all the same."""
    if workflow.dryrun:
        logger.warning(f"Warning: {sentence}")
    return sentence


if workflow.is_main_process:
    try:
        check_again(STUDY, Path(f"{R}/index"), source_fingerprint)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def weights_of(section):
    """Manifests of the pretrained weights that a section of the config uses."""
    return [f"{R}/weights/{name}/manifest.json" for name in section.needs_weights()]


def design_options(name):
    """What the rows of a list depend on."""
    held_out = dict(alphas=[*ALPHAS.values()], held_out=LDS.subsets if LDS else 0)
    if name == "everyone":
        return dict(list="everyone")
    if name == "sampled":
        return dict(list="sampled", **plan.drawn(STUDY, STUDY.design), **held_out)
    if name.startswith("game_"):
        game = STUDY.games[name.removeprefix("game_")]
        return dict(list="sampled", **plan.drawn(STUDY, game), **held_out)
    if name == "tuning":
        tuning = STUDY.evaluation.tuning
        return dict(
            list="tuning", alpha=tuning.alpha, subsets=tuning.subsets, **held_out
        )
    if name == "anchors":
        return dict(list="anchors", replicates=STUDY.design.anchors)
    if name.startswith("held_out_"):
        alpha = ALPHAS[name.removeprefix("held_out_")]
        return dict(list="held_out", alpha=alpha, replicates=LDS.replicates, **held_out)
    removal = dict(share=COUNTERFACTUAL.share, replicates=COUNTERFACTUAL.replicates)
    if name.startswith("counterfactual_"):
        return dict(list="counterfactual", **removal)
    return dict(list="without_top", methods=plan.rivals(STUDY), **removal)


def best_first(w):
    """The attributions that name the top contributors of a property."""
    if w.list.startswith("counterfactual_"):
        property = w.list.removeprefix("counterfactual_")
        return f"{R}/attribution/{property}/{COUNTERFACTUAL.estimator}.csv"
    if w.list.startswith("without_top_"):
        return attributions_of(w.list.removeprefix("without_top_"), plan.rivals(STUDY))
    return []


def starting_point(w):
    start = START[w.regime]
    return of_everyone("models", start) if start else []


def encoded():
    return f"{R}/inputs/manifest.json" if ENCODED else []


def extractor_plugin(name):
    return f"extractors.{STUDY.extractors[name].kind}"


def fitted_extractor(w):
    """What an extractor learnt from the study's images, where it learns anything."""
    fits = hasattr(module_of("extractors", STUDY.extractors[w.extractor].kind), "fit")
    return f"{R}/extractors/{w.extractor}/manifest.json" if fits else []


def measured_on(property):
    """The stage whose collections a property is made from."""
    extractor = getattr(STUDY.properties[property], "extractor", None)
    return f"features/{extractor}" if extractor else "images"


def reference_features(w):
    return of_everyone(measured_on(w.property), STUDY.properties[w.property].reference)


def reference_of(w):
    compared = hasattr(STUDY.properties[w.property], "reference")
    return f"{R}/references/{w.property}.safetensors" if compared else []


def held_out(property, regime):
    return [utilities_of(property, regime, f"held_out_{alpha}") for alpha in ALPHAS]


def timed():
    """(regime, stage, path) of every job whose time is summarised."""
    return [
        (regime, stage, f"{regime}/{name}/{batch}")
        for regime, name in plan.used(STUDY)
        for batch in batches(name, sampled_count() if name == "sampled" else None)
        for stage in ("models", "images")
    ]


def utilities_of_all(property):
    """Every table that an estimator credits from, each once."""
    tables = [utilities_for(property, name) for name in STUDY.estimators]
    return list(dict.fromkeys(table for each in tables for table in each))


def attributions_of(property, methods):
    return [f"{R}/attribution/{property}/{name}.csv" for name in methods]


def tuning_of(property):
    return utilities_of(property, UTILITY, "tuning") if STUDY.baselines else []


def removed_tops(property):
    """Utilities of the models without the top of one method, or of every one."""
    names = ["counterfactual", *(["without_top"] if plan.compared(STUDY) else [])]
    return [utilities_of(property, "retrain", f"{name}_{property}") for name in names]


def made(property, regime, name, count=None):
    """Manifests of all that a list's models cost for a property."""
    stages = dict.fromkeys(["models", "images", measured_on(property)])
    if regime == CONDITIONAL:
        return [of_contributors(stage) for stage in stages if stage != "models"] + [
            of_everyone("models", CONDITIONAL)
        ]
    return [
        manifest
        for stage in stages
        for manifest in collections(stage, regime, name, count)
    ]


def started(regime):
    """What a regime's trainings begin with, where that is not the full model."""
    start = START[regime]
    return [of_everyone("models", start)] if start not in (None, "full") else []


def spent(property, method):
    """What a method costs beyond the full model: manifests of what it takes in any case, and of its subsets."""
    if method in STUDY.baselines:
        fixed = started(UTILITY) + made(property, UTILITY, "tuning")
        for stage, whose in STUDY.baselines[method].sources().values():
            if stage != "images":
                fixed.append(source_of(stage, whose))
            if stage == "gradients" and STUDY.gradients[whose].models == "retrained":
                fixed += collections("models", "retrain", "anchors")
        return fixed, []
    game = STUDY.estimators[method].game
    regime = STUDY.games[game].regime if game else UTILITY
    if regime == CONDITIONAL:
        return made(property, regime, ""), []
    fixed = started(regime) + made(property, regime, "anchors")
    if game:
        return fixed, made(property, regime, f"game_{game}")
    return fixed, made(property, regime, "sampled", sampled_count())


def all_spent(property):
    manifests = []
    for method in plan.methods(STUDY):
        for part in spent(property, method):
            manifests += part
    about = [f"{R}/baselines/{name}.json" for name in STUDY.baselines]
    return list(dict.fromkeys(manifests)) + about


def league_methods(property):
    """What the league has to know of every method, in the order of their attributions."""
    found = []
    for name in plan.methods(STUDY):
        fixed, each = spent(property, name)
        baseline = name in STUDY.baselines
        found.append(
            dict(
                name=name,
                fixed=fixed,
                each=each,
                about=f"{R}/baselines/{name}.json" if baseline else None,
                options=None if baseline else estimator_options(name),
                utilities=[] if baseline else utilities_for(property, name),
            )
        )
    return found


def attributions():
    """Every table of values, with its figure."""
    return with_figures(plan.attributions(STUDY))


def evaluations():
    """Every table of the evaluation, with its figure where it has one, and the contact sheets."""
    tables = plan.evaluations(STUDY)
    alone = [table for table in tables if Path(table).stem in ("noise", "runtime")]
    drawn = [table for table in tables if table not in alone]
    sheet = f"{R}/evaluation/contributor.png"
    return [*with_figures(drawn), *(f"{R}/{table}" for table in alone), sheet]


def with_figures(tables):
    stems = [Path(table).with_suffix("") for table in tables]
    return [f"{R}/{stem}.{kind}" for stem in stems for kind in ("csv", "png")]
