"""What the rules that credit contributors need, stage by stage, and what the targets are."""


localrules:
    check_precision,
    collect_utilities,
    collect_list_utilities,
    attribute_contributors,
    print_first_values,
    plot_attribution,
    attribute_by_baseline,
    evaluate_lds,
    evaluate_league,
    evaluate_budget,
    evaluate_fidelity,
    evaluate_counterfactual,
    summarise_runtime,
    summarise_models,
    draw_contact_sheets,
    credit,


LDS, COUNTERFACTUAL = STUDY.evaluation.lds, STUDY.evaluation.counterfactual
TARGET = STUDY.design.target
FIDELITY = LDS.regimes if LDS else []
UTILITY = STUDY.design.regime
MAIN = COUNTERFACTUAL.estimator
HIGHER = {name: of.higher_is_better for name, of in STUDY.properties.items()}
TEMPLATES = SCRIPTS / "diffusion_credit/report"
OF_DESIGN = [name for name, of in STUDY.estimators.items() if not of.game]


def design_options(name):
    """What the rows of a list depend on; on its length none of them does."""
    held_out = dict(alphas=[*ALPHAS.values()])
    if name == "everyone":
        return dict(list="everyone")
    if name == "sampled":
        return dict(list="sampled", **plan.drawn(STUDY, STUDY.design), **held_out)
    if name.startswith("game_"):
        game = STUDY.games[name.removeprefix("game_")]
        return dict(list="sampled", **plan.drawn(STUDY, game), **held_out)
    if name == "tuning":
        tuning = STUDY.evaluation.tuning
        return dict(list="tuning", alpha=tuning.alpha, **held_out)
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


def of_contributors(stage):
    """Manifest of what the one conditional model draws for each contributor, at a stage such as `images`."""
    return f"{R}/{stage}/{CONDITIONAL}/everyone/0000/manifest.json"


def properties(property, regime, name, count=None):
    return collections(f"properties/{property}", regime, name, count)


def utilities_of(property, regime, name):
    return f"{R}/utilities/{property}/{regime}_{name}.csv"


def plugin(property):
    """The module that defines a property."""
    return name_of("properties", STUDY.properties[property].kind)


def utilities_for(property, estimator):
    """The tables that an estimator credits from: the design's, or those of its game and of that regime's ends."""
    name = STUDY.estimators[estimator].game
    if name is None:
        return [f"{R}/utilities/{property}.csv"]
    regime = STUDY.games[name].regime
    return [
        utilities_of(property, regime, each) for each in (f"game_{name}", "anchors")
    ]


def estimator_options(name):
    options = plain(STUDY.estimators[name])
    return options | (dict(groups=STUDY.groups) if options["kind"] == "owen" else {})


def estimator_plugin(name):
    """The module that defines an estimator."""
    return name_of("estimators", STUDY.estimators[name].kind)


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
    return [
        f"{R}/first_values.txt",
        *with_figures(plan.attributions(STUDY)),
    ]


def evaluations():
    """Every table of the evaluation, with its figure where it has one, and the contact sheets."""
    tables = plan.evaluations(STUDY)
    alone = [table for table in tables if Path(table).stem in ("noise", "runtime")]
    drawn = [table for table in tables if table not in alone]
    sheet = f"{R}/evaluation/contributor.png"
    return [*with_figures(drawn), *(f"{R}/{table}" for table in alone), sheet]


def reported_tables():
    """Tables of the evaluation that the report shows."""
    costs = [f"evaluation/{name}/cost.csv" for name in STUDY.properties if LDS]
    return [f"{R}/{table}" for table in plan.evaluations(STUDY) + costs]


def made_of_everyone():
    """Manifests whose provenance names every package that the results depend on."""
    measured = [measured_on(name) for name in STUDY.properties]
    properties = [f"properties/{name}" for name in STUDY.properties]
    stages = dict.fromkeys(["models", "images", *measured, *properties])
    pruned = of_everyone("models", "pruned")
    return [pruned, *(of_everyone(stage, "full") for stage in stages)]


def removed(property):
    """Manifests of images without the main estimator's top, and of only the top."""
    return collections("images", "retrain", f"counterfactual_{property}")
