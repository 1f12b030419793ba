"""What runs again after an edit: exactly the stages that use what was edited, as Snakemake plans them."""

import copy
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from studies import Workspace

pytestmark = pytest.mark.workflow

# The tiny study: 8 sampled subsets, 4 anchors, 8 held-out rows, 6 counterfactual rows, at most 8 a batch.
SPARSE = 1 + 1 + 1  # batches of the regime sparse: sampled, anchors, held-out
CHEAP = SPARSE + 1  # and held-out in the regime finetune
RETRAINED = 1 + 1  # batches of the regime retrain that no property shares: held-out, anchors
OF_EVERYONE = 3  # full, pruned, re-fitted
ESTIMATORS = 2


def plan(*parts: dict[str, int]) -> dict[str, int]:
    return dict(sum((Counter(part) for part in parts), Counter[str]()))


def chain(models: int, generated: int, properties: int) -> dict[str, int]:
    """Training, generation, embedding and measuring of some batches."""
    return {
        "train_models": models,
        "generate_images": generated,
        "extract_features": generated,
        "measure_property": generated * properties,
    }


def judged(properties: int) -> dict[str, int]:
    """What follows from new values of some properties: ranking, its proof, the counterfactual models."""
    return plan(
        {
            "attribute_contributors": ESTIMATORS * properties,
            "plot_attribution": ESTIMATORS * properties,
            "make_design": properties,
            "collect_list_utilities": properties,
            "evaluate_lds": properties,
            "evaluate_league": properties,
            "evaluate_budget": properties,
            "evaluate_counterfactual": properties,
            "summarise_runtime": 1,
        },
        chain(properties, properties, 1),
    )


def measured_anew(batches: int, reference: bool) -> dict[str, int]:
    """One property measured again on every collection, and all that follows."""
    return plan(
        judged(1),
        {
            "measure_property": batches,
            "fit_reference": int(reference),
            "collect_utilities": 1,
            "collect_list_utilities": 3 + RETRAINED - 1,
            "evaluate_fidelity": 1,
            "summarise_models": 1,
        },
    )


ALL = CHEAP + RETRAINED + OF_EVERYONE
ONE = measured_anew(ALL + 1, reference=True)  # the data is measured as well
NO_REFERENCE = measured_anew(ALL + 1, reference=False)
REPORT = {"write_report": 1}  # follows whatever changes, once
PAID = {"divide_payout": 1}  # by the values for FID
FIRST = {"print_first_values": 1}  # of the entropy, which comes first in the tests' files


def edit(path: str, old: str, new: str) -> Callable[[Workspace], None]:
    def change(workspace: Workspace) -> None:
        file = workspace.folder / path
        text = file.read_text()
        assert old in text, (path, old)
        file.write_text(text.replace(old, new, 1))

    return change


def configure(*keys: str | int, value: object) -> Callable[[Workspace], None]:
    def change(workspace: Workspace) -> None:
        section = workspace.config
        for key in keys[:-1]:
            section = section[key]  # type: ignore[index]
        section[keys[-1]] = value  # type: ignore[index]

    return change


def touch_everything(workspace: Workspace) -> None:
    for folder in ("rules", "workflow", "envs", "profiles"):
        for path in (workspace.folder / folder).rglob("*"):
            os.utime(path)
    os.utime(workspace.folder / "Snakefile")


LIBRARY = "workflow/scripts/diffusion_credit"
EDITS = {
    "nothing": (lambda workspace: None, {}),
    "touch every source file": (touch_everything, {}),
    "a comment and a docstring": (
        edit(f"{LIBRARY}/models/optimising.py", '"""Steps of AdamW', '# why\n"""The steps of AdamW'),
        {},
    ),
    "a property's parameter": (
        configure("properties", "inception_score", "splits", value=2),
        NO_REFERENCE,
    ),
    "the scale of a property": (  # measures nothing again but the models of its new top
        configure("properties", "fid", "transform", value="log"),
        plan(
            judged(1),
            PAID,
            {"collect_utilities": 1, "collect_list_utilities": 3 + RETRAINED - 1, "evaluate_fidelity": 1},
        ),
    ),
    "number of clusters": (configure("properties", "cluster_entropy", "clusters", value=4), plan(ONE, FIRST)),
    "a property's code": (
        edit(f"{LIBRARY}/measuring/properties/fid.py", "2 * np.sqrt", "2.0 * np.sqrt"),
        plan(ONE, PAID),
    ),
    "a helper of one stage": (
        edit(f"{LIBRARY}/evaluation/lds.py", "sign * images", "images * sign"),
        {"evaluate_lds": 3, "evaluate_league": 3, "evaluate_budget": 3},
    ),
    "a new property": (
        configure("properties", "entropy_of_5", value=dict(kind="cluster_entropy", extractor="classifier", clusters=5)),
        ONE,
    ),
    "more subsets": (
        configure("design", "subsets", value=16),
        plan(
            chain(1, 1, 3),
            {"make_design": 1, "collect_utilities": 3, "evaluate_fidelity": 3},
            judged(3),
            FIRST,
            PAID,
        ),
    ),
    "more held-out subsets": (  # two rows, in a second batch of each of three regimes
        configure("evaluation", "lds", "subsets", value=5),
        plan(
            chain(3, 3, 3),
            {
                "make_design": 1,
                "collect_list_utilities": 3 * 3,
                "evaluate_lds": 3,
                "evaluate_league": 3,
                "evaluate_budget": 3,
                "evaluate_fidelity": 3,
                "summarise_runtime": 1,
            },
        ),
    ),
    "the amount of a payout": (configure("payout", "amount", value=10), PAID),
    "the text of the report": (
        edit(f"{LIBRARY}/report/page.html", "images are worth", "images bring"),
        REPORT,
    ),
    "the look of the report": (edit(f"{LIBRARY}/report/style.css", "1rem", "1.1rem"), REPORT),
    "another estimator": (
        configure("estimators", "again", value=dict(kind="paper")),
        {
            "attribute_contributors": 3,
            "plot_attribution": 3,
            "evaluate_lds": 3,
            "evaluate_league": 3,
            "evaluate_budget": 3,
        },
    ),
    "an estimator's code": (
        edit(
            f"{LIBRARY}/credit/estimators/paper.py",
            "free - shift * (free.sum() - game.total)",
            "free - (free.sum() - game.total) * shift",
        ),
        {
            "attribute_contributors": 3,
            "plot_attribution": 3,
            "evaluate_lds": 3,
            "evaluate_league": 3,
            "evaluate_budget": 3,
        },
    ),
    "number of generated images": (
        configure("generation", "images", value=13),
        plan(
            judged(3),
            FIRST,
            PAID,
            chain(0, ALL, 3),
            {
                "fit_reference": 1,  # the clusters; FID's is made of the data
                "measure_property": 1,  # the data's entropy in the new clusters
                "collect_utilities": 3,
                "collect_list_utilities": 3 * 4,
                "evaluate_fidelity": 3,
                "summarise_models": 1,
                "draw_contact_sheets": 1,
            },
        ),
    ),
    "a hyper-parameter of the sparse regime": (
        configure("regimes", "sparse", "steps", value=31),
        plan(
            judged(3),
            FIRST,
            PAID,
            chain(SPARSE, SPARSE, 3),
            {"collect_utilities": 3, "collect_list_utilities": 3, "evaluate_fidelity": 3},
        ),
    ),
    "pruning": (
        configure("pruning", "ratio", value=0.4),
        plan(
            judged(3),
            FIRST,
            PAID,
            chain(SPARSE + 1, SPARSE + 2, 3),
            {
                "prune_model": 1,
                "collect_utilities": 3,
                "collect_list_utilities": 3,
                "evaluate_fidelity": 3,
                "summarise_models": 1,
                "draw_contact_sheets": 1,
            },
        ),
    ),
}


@pytest.fixture(scope="module")
def edited(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy of the finished study; every test restores its sources and config."""
    return finished.copy(tmp_path_factory.mktemp("edited") / "copy")


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reruns_exactly_what_uses_it(edited: Workspace, finished: Workspace, name: str) -> None:
    change, expected = EDITS[name]
    saved = copy.deepcopy(edited.config)
    try:
        change(edited)
        expected = expected | REPORT if expected else {}
        assert edited.planned() == {rule: count for rule, count in expected.items() if count}
    finally:
        edited.config = saved
        shutil.copytree(finished.folder / "workflow", edited.folder / "workflow", dirs_exist_ok=True)


def test_a_comment_in_the_config_reruns_nothing(edited: Workspace) -> None:
    command = edited.command("--dry-run", "--quiet", "reason")
    config = edited.folder / "study.yaml"
    config.write_text("# a comment\n" + config.read_text())
    process = subprocess.run(command, cwd=edited.folder, capture_output=True, text=True, check=False)
    assert process.returncode == 0
    assert "Nothing to be done" in process.stdout + process.stderr


def test_a_fresh_clone_over_the_results_reruns_nothing(finished: Workspace, tmp_path: Path) -> None:
    clone = Workspace(tmp_path / "clone")
    clone.config = finished.config
    shutil.copytree(finished.folder / "results", clone.folder / "results")
    shutil.copytree(finished.folder / ".snakemake", clone.folder / ".snakemake")
    assert clone.planned() == {}
