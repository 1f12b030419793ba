"""What the rules share: the validated study, its lists of subsets, and where everything lies."""

import signal
import sys
from contextlib import contextmanager
from functools import cache
from inspect import getdoc
from math import ceil
from pathlib import Path
from shlex import quote

from snakemake.exceptions import IncompleteCheckpointException, WorkflowError
from snakemake.logging import logger

SCRIPTS = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
SCRIPTS /= "workflow/scripts"
# Does another workflow take this one as a module?
MODULE = not workflow.modifier.is_main_snakefile()


def without_wildcards(path):
    """A path as Snakemake has to be told it: braces stand for wildcards."""
    return path.replace("{", "{{").replace("}", "}}")


def environment(name):
    """The file of an environment, relative to the rules where that is possible."""
    path = str(SCRIPTS.parents[1])
    escaped = without_wildcards(path)
    return f"../envs/{name}.yaml" if escaped == path else f"{escaped}/envs/{name}.yaml"


if not SCRIPTS.is_dir():
    raise WorkflowError(
        f"module: found the Snakefile at {SCRIPTS.parent.parent}, which is no folder, expected a local checkout of"
        " diffusion-credit, because its scripts use the library beside them"
    )

# Rules and scripts use the library beside them, whatever version may be installed. As a module, this would change the
# other workflow's jobs as well; there, job.py refuses another version.
sys.path.insert(0, str(SCRIPTS))
if not MODULE:
    shell.prefix(f"export PYTHONPATH={without_wildcards(quote(str(SCRIPTS)))}; ")

from diffusion_credit.base.code import code_digest
from diffusion_credit.base.device import require
from diffusion_credit.base.errors import UserError
from diffusion_credit.base.files import files_fingerprint, read_json
from diffusion_credit.base.options import sections
from diffusion_credit.base.plugins import (
    module_of,
    name_of,
    packages_of,
    packages_of_training,
)
from diffusion_credit.evaluation.published import read_published
from diffusion_credit.models.regimes import CONDITIONAL
from diffusion_credit.models.weights import files_of
from diffusion_credit.study import costs, plan
from diffusion_credit.study.checking import check_at_start
from diffusion_credit.study.complaints import refuse_repeated_keys
from diffusion_credit.study.config import plain, read_study, recipe
from diffusion_credit.study.needs import Needs
from diffusion_credit.study.paths import Paths
from diffusion_credit.study.plan import SINGLE
from diffusion_credit.study.subset_lists import (
    alphas,
    held_out,
    methods,
    removing,
    without,
)
from diffusion_credit.subsets.draws import ACTIVE

# Schedulers send their warning to every process of a job: the script saves its state and ends, Snakemake waits for it.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)


@contextmanager
def in_one_sentence(key=""):
    """Ends Snakemake with the sentence of a user's mistake."""
    try:
        yield
    except UserError as error:
        raise WorkflowError(f"{key}{error}") from None


with in_one_sentence():
    told = workflow.config_settings.config
    if MODULE:  # a part of the other workflow's config, whose files are its own
        told = told and config
    else:
        for file in dict.fromkeys(
            [*workflow.configfiles, *workflow.overwrite_configfiles]
        ):
            refuse_repeated_keys(Path(file))
    STUDY = read_study(config, told)
    # With --sdm, jobs have environments of their own, which hold all packages.
    if not workflow.deployment_settings.deployment_method:
        packages_of("networks", STUDY.model.kind)
        for extractor in STUDY.extractors.values():
            packages_of("extractors", extractor.kind)
        for _, training in sections(STUDY):
            packages_of_training(plain(training))

config = recipe(STUDY)  # as it was understood: what the scripts see
ENV = environment("cuda" if STUDY.device == "cuda" else "cpu")
ALPHAS = alphas(STUDY)
LOCAL = STUDY.local  # are single images credited for single images?
BATCH = (LOCAL or STUDY.design).batch_size
EMPTY = None if LOCAL else STUDY.design.empty
NETWORK = [name_of("networks", STUDY.model.kind)]
if STUDY.model.prompted:
    NETWORK.append(name_of("families", STUDY.model.family))
GPU = int(STUDY.device == "cuda")
TRAINING = plan.trainings(STUDY)
GIVEN = plan.given(STUDY)  # is the full model one that exists already?
CREDITED = (
    [] if LOCAL else [(STUDY.design.regime, name) for name in ("sampled", "anchors")]
)
COMPARED = {
    section.reference for section in STUDY.properties.values() if section.compares
}
needs = Paths(STUDY) if LOCAL else Needs(STUDY)
R = needs.results

# The same where files really lie, if another workflow puts a prefix before the paths of this module. Snakemake does so
# in inputs, outputs and logs; whatever else holds a path needs it as well.
PLACE = workflow.modifier.path_modifier.replace_prefix(R)
placed = Paths(STUDY, PLACE) if LOCAL else Needs(STUDY, PLACE)


wildcard_constraints:
    regime="|".join([*plan.START, "pruned"]),
    collection=r"[a-z_]+/[\w.]+/\d\d\d\d+",
    list=r"[\w.]+",
    batch=r"\d\d\d\d+",
    weights=r"\w+",
    property=r"(?!paper\b)\w+",  # evaluation/paper is of no property
    extractor=r"\w+",
    estimator="|".join(STUDY.estimators) or "(?!)",
    baseline="|".join(STUDY.baselines) or "(?!)",
    gradients=r"\w+",
    batches=r"\d\d\d\d+",


def code(script, *plugins):
    """The digest that makes an edit rerun exactly the rules that use what was edited."""
    return code_digest(SCRIPTS / script, *plugins)


def minutes(collection, each, attempt):
    """Time limit of a cluster job: its start, and what each model of its batch may take; more at every attempt."""
    *regime, name, batch = collection.split("/")
    if CONDITIONAL in regime:  # as many entries as contributors
        return STUDY.limits.longest
    return minutes_of_all(needs.rows(name, batch) * each, attempt)


def minutes_of_all(needed, attempt):
    """Time limit of a cluster job that may take so many minutes after its start."""
    return min(STUDY.limits.longest, ceil(attempt * (STUDY.limits.start + needed)))


def urgency(stage, collection):
    """Priority of a batch at a stage such as `models`: first what values are made from, then what proves them."""
    regime, name, _ = collection.split("/")
    if stage == "models" and regime in SINGLE:
        return 50  # all others start from these, one after the other
    if regime in COMPARED:
        return 45  # no value of such a property can be measured before
    return 40 if (regime, name) in CREDITED else 0


def reported(path, caption=None):
    """An output that `snakemake --report` shows, arranged like the folders of the results.

    caption: the name of a text in workflow/report; as a rule the file's own.
    """
    *folders, _ = Path(path).relative_to(R).parts
    folder, *within = folders or [Path(path).stem]
    return report(
        path,
        caption=f"../workflow/report/{caption or Path(path).stem}.rst",
        category=folder.capitalize(),
        subcategory=within[0] if within else "whole study",
        # The kind comes first: the page makes a switch of a later label with two values, and not every table has a figure.
        labels={
            "kind": "figure" if path.endswith(".png") else "table",
            "name": Path(path).stem,
        },
    )
