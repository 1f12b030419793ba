"""What single rules and the targets need, stage by stage."""


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


def weights_of(section):
    """Manifests of the pretrained weights that a section of the config uses."""
    return [f"{R}/weights/{name}/manifest.json" for name in section.needs_weights()]


def design_kind():
    """What the draws of the sampled subsets depend on."""
    kind = STUDY.design.kind
    alpha = dict(alpha=STUDY.design.alpha) if kind == "datamodel" else {}
    return dict(kind=kind, **alpha, groups=STUDY.groups if kind == "owen" else {})


def design_options(name):
    """What the rows of a list depend on."""
    held_out = dict(alphas=[*ALPHAS.values()], held_out=LDS.subsets if LDS else 0)
    if name == "everyone":
        return dict(list="everyone")
    if name == "sampled":
        return dict(list="sampled", **design_kind(), **held_out)
    if name == "anchors":
        return dict(list="anchors", replicates=STUDY.design.anchors)
    if name.startswith("held_out_"):
        alpha = ALPHAS[name.removeprefix("held_out_")]
        return dict(list="held_out", alpha=alpha, replicates=LDS.replicates, **held_out)
    return dict(
        list="counterfactual",
        share=COUNTERFACTUAL.share,
        replicates=COUNTERFACTUAL.replicates,
    )


def best_first(w):
    """The attribution that names the top contributors of a property."""
    if not w.list.startswith("counterfactual_"):
        return []
    property = w.list.removeprefix("counterfactual_")
    return f"{R}/attribution/{property}/{COUNTERFACTUAL.estimator}.csv"


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
