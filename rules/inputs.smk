"""The raw files of a study, and the checks of its index at every start."""

@cache
def read_source():
    """What changes when the raw files do, or what is wrong with them: (fingerprint, sentence), one of them empty."""
    source = module_of("sources", STUDY.data.source)
    try:
        return source.fingerprint(STUDY.data), ""
    except UserError as error:
        return "", str(error)


def source_fingerprint():
    """Changes when the raw files do.

    An index that is there may outlive them: results are read, unlocked and reported without raw files.
    """
    fingerprint, wrong = read_source()
    return missing(wrong) if wrong else fingerprint


def weights_fingerprint(name):
    """Changes when the files of a local folder do; a revision of the hub never changes.

    Where they are missing, a plan says so and is made all the same: what a study costs is known before a download.
    """
    options = STUDY.weights[name]
    if options.folder is None:
        return ""
    try:
        return files_fingerprint(files_of(name, Path(options.folder), plain(options)))
    except UserError as error:
        return missing(str(error))


@cache
def missing(sentence):
    """The job fails with this sentence."""
    if workflow.dryrun:
        logger.warning(f"Warning: {sentence}")
    return sentence


if workflow.is_main_process:
    if (wrong := read_source()[1]) and not (Path(PLACE) / "index/index.json").is_file():
        raise WorkflowError(wrong)
    for file in needs.prompts_file():
        if not Path(file).is_file():
            raise WorkflowError(
                f"config: generation.prompts: found {file!r}, which is no file, expected the file that has one text on"
                " each line, or a list of texts"
            )
    if STUDY.published:
        with in_one_sentence("config: published: "):
            read_published(
                STUDY.published,
                list(STUDY.estimators),
                list(STUDY.baselines),
                list(plan.START),
                list(STUDY.properties),
            )
    with in_one_sentence():
        fingerprint, wrong = read_source()
        if note := check_at_start(
            STUDY, Path(PLACE) / "index", None if wrong else fingerprint
        ):
            logger.warning(f"Warning: {note}")


# Before any job, where all of them run on this machine.
onstart:
    if workflow.local_exec:
        with in_one_sentence():
            require(STUDY.device)


def extractor_plugin(name):
    return name_of("extractors", STUDY.extractors[name].kind)
