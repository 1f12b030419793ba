"""The raw files of a study, and the checks of its index at every start."""

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
    for file in needs.prompts_file():
        if not Path(file).is_file():
            raise WorkflowError(
                f"config: generation.prompts: found {file!r}, which is no file, expected the file that has one text on"
                " each line, or a list of texts"
            )
    if STUDY.published:
        try:
            read_published(
                STUDY.published,
                list(STUDY.estimators),
                list(STUDY.baselines),
                list(plan.START),
                list(STUDY.properties),
            )
        except UserError as error:
            raise WorkflowError(f"config: published: {error}") from None
    try:
        check_again(STUDY, Path(f"{R}/index"), source_fingerprint)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def extractor_plugin(name):
    return name_of("extractors", STUDY.extractors[name].kind)
