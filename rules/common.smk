"""What the rules share: the validated study, its lists of subsets, and where everything lies."""

import signal
import sys
from functools import cache
from math import ceil
from pathlib import Path
from shlex import quote

from snakemake.exceptions import IncompleteCheckpointException, WorkflowError
from snakemake.logging import logger

SCRIPTS = Path(workflow.basedir) / "workflow/scripts"

# Snakefile and scripts use the library beside them, whatever version may be installed.
sys.path.insert(0, str(SCRIPTS))
shell.prefix(f"export PYTHONPATH={quote(str(SCRIPTS))}; ")

from diffusion_credit import plan
from diffusion_credit.checking import check_again
from diffusion_credit.code import code_digest
from diffusion_credit.config import plain, read_study, sections
from diffusion_credit.errors import UserError
from diffusion_credit.files import files_fingerprint, read_json
from diffusion_credit.plan import CONDITIONAL, SINGLE
from diffusion_credit.plugins import module_of, packages_of, packages_of_training
from diffusion_credit.weights import files_of

# Schedulers send their warning to every process of a job: the script saves its state and ends, Snakemake waits for it.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)

try:
    STUDY = read_study(config)
    # With --sdm, jobs have environments of their own, which hold all packages.
    if not workflow.deployment_settings.deployment_method:
        packages_of("networks", STUDY.model.kind)
        for extractor in STUDY.extractors.values():
            packages_of("extractors", extractor.kind)
        for _, training in sections(STUDY):
            packages_of_training(plain(training))
except UserError as error:
    raise WorkflowError(str(error)) from None

ENV = f"../envs/{'cuda' if STUDY.device == 'cuda' else 'cpu'}.yaml"
R = f"results/{STUDY.study}"
BATCH = STUDY.design.batch_size
LDS, COUNTERFACTUAL = STUDY.evaluation.lds, STUDY.evaluation.counterfactual
TARGET = STUDY.design.target
ALPHAS = plan.alphas(STUDY)
FIDELITY = LDS.regimes if LDS else []
LISTS = plan.lists(STUDY)
NETWORK = f"networks.{STUDY.model.kind}"
ENCODED = bool(STUDY.model.needs_weights())  # does the network work in latents?

# How a regime's models come to be: the checkpoint they start from, and their training.
START = {
    "full": None,
    "retrain": None,
    "refit": "pruned",
    "finetune": "full",
    "gradient_ascent": "full",
    "influence": "full",
    "sparse": "refit",
    CONDITIONAL: None,
}
METHOD = {  # others descend
    "gradient_ascent": "ascent",
    "influence": "influence",
    CONDITIONAL: CONDITIONAL,
}
TRAINING = {
    "full": STUDY.training,
    "refit": STUDY.pruning.refit,
    "retrain": STUDY.regimes.retrain,
    "finetune": STUDY.regimes.finetune,
    "gradient_ascent": STUDY.regimes.gradient_ascent,
    "influence": STUDY.regimes.influence,
    "sparse": STUDY.regimes.sparse,
    CONDITIONAL: STUDY.regimes.conditional,
}
UTILITY = STUDY.design.regime
OF_DESIGN = [name for name, of in STUDY.estimators.items() if not of.game]


wildcard_constraints:
    regime="|".join([*START, "pruned"]),
    collection=r"[a-z_]+/[\w.]+/\d\d\d\d+",
    list=r"[\w.]+",
    batch=r"\d\d\d\d+",
    weights=r"\w+",
    property=r"\w+",
    extractor=r"\w+",
    estimator="|".join(STUDY.estimators),
    baseline="|".join(STUDY.baselines) or "(?!)",
    gradients=r"\w+",
    batches=r"\d\d\d\d+",


def code(script, *plugins):
    """The digest that makes an edit rerun exactly the rules that use what was edited."""
    return code_digest(SCRIPTS / script, *plugins)


def batches(name, count=None):
    """Names of all batches of a list, or of the first ones."""
    return plan.batch_names(LISTS[name] if count is None else count * BATCH, BATCH)


def minutes(collection, each, attempt):
    """Time limit of a cluster job: its start, and what each model of its batch may take; more at every attempt."""
    *regime, name, batch = collection.split("/")
    if CONDITIONAL in regime:  # as many entries as contributors
        return STUDY.limits.longest
    rows = plan.rows_of(batch, LISTS[name], BATCH)
    return min(STUDY.limits.longest, ceil(attempt * (STUDY.limits.start + rows * each)))


def designs(name, count=None):
    return [f"{R}/designs/{name}/{batch}.csv" for batch in batches(name, count)]


def collections(stage, regime, name, count=None):
    """Manifests of the batches of a list in a regime, at a stage such as `models`."""
    return [
        f"{R}/{stage}/{regime}/{name}/{batch}/manifest.json"
        for batch in batches(name, count)
    ]


def of_everyone(stage, regime):
    """Manifest of the one model of everyone that a study makes in a single regime."""
    (manifest,) = collections(stage, regime, "everyone")
    return manifest


def of_contributors(stage):
    """Manifest of what the one conditional model draws for each contributor, at a stage such as `images`."""
    return f"{R}/{stage}/{CONDITIONAL}/everyone/0000/manifest.json"


def properties(property, regime, name, count=None):
    return collections(f"properties/{property}", regime, name, count)


def utilities_of(property, regime, name):
    return f"{R}/utilities/{property}/{regime}_{name}.csv"


def plugin(property):
    """The module that defines a property."""
    return f"properties.{STUDY.properties[property].kind}"


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
    return f"estimators.{STUDY.estimators[name].kind.replace('-', '_')}"
