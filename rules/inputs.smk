"""What single rules need, whatever is credited."""

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


def starting_point(w):
    start = START[w.regime]
    return of_everyone("models", start) if start else []


def encoded():
    return f"{R}/inputs/manifest.json" if ENCODED else []


def extractor_plugin(name):
    return name_of("extractors", STUDY.extractors[name].kind)


def fitted_extractor(w):
    """What an extractor learnt from the study's images, where it learns anything."""
    fits = hasattr(module_of("extractors", STUDY.extractors[w.extractor].kind), "fit")
    return f"{R}/extractors/{w.extractor}/manifest.json" if fits else []


def gradient_models(w):
    """Manifests of the models that gradients are taken of."""
    if STUDY.gradients[w.gradients].models == "retrained":
        return collections("models", "retrain", "anchors")
    return of_everyone("models", "full")


def source_of(stage, whose):
    """Manifest of what a baseline is made from."""
    if stage == "gradients":
        return f"{R}/gradients/{whose}/manifest.json"
    return of_everyone(stage, whose)


def baseline_sources(name):
    """What a baseline is made from: name -> stage, manifest."""
    return {
        key: (stage, source_of(stage, whose))
        for key, (stage, whose) in STUDY.baselines[name].sources().items()
    }


def with_figures(tables):
    """Paths of tables below the results, and of the picture beside each."""
    stems = [Path(table).with_suffix("") for table in tables]
    return [f"{R}/{stem}.{kind}" for stem in stems for kind in ("csv", "png")]
