"""The papers' studies: what they plan at full size, and a run at tiny size on files of the real formats."""

import pytest
import yaml
from studies import ROOT, Workspace

pytestmark = pytest.mark.workflow

# Counted by hand: rows of each list over the batch size, rounded up; a sparse model for each sampled, end and held-out
# row, a retrained one for each held-out, end and counterfactual row, and the full and the re-fitted model.
JOBS = {
    # batches of 5: sampled 100, ends 2, held-out 3 x 60, counterfactual 2
    "cifar20": {
        "make_design": 1 + 100 + 2 + 180 + 2,
        "train_models": 2 + (100 + 2 + 180) + (180 + 2 + 2),
        "generate_images": 3 + (100 + 2 + 180) + (180 + 2 + 2),
        "extract_features": 3 + (100 + 2 + 180) + (180 + 2 + 2),
        "measure_property": 4 + (100 + 2 + 180) + (180 + 2 + 2),
        "collect_list_utilities": 3 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 1,
        "prune_model": 1,
    },
    # batches of 4: sampled 125, ends 3, held-out 3 x 75, counterfactual 2
    "celebahq": {
        "make_design": 1 + 125 + 3 + 225 + 2,
        "train_models": 2 + (125 + 3 + 225) + (225 + 3 + 2),
        "generate_images": 3 + (125 + 3 + 225) + (225 + 3 + 2),
        "extract_features": 3 + (125 + 3 + 225) + (225 + 3 + 2),
        "measure_property": 4 + (125 + 3 + 225) + (225 + 3 + 2),
        "collect_list_utilities": 3 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 2,
        "encode_inputs": 1,
        "fit_reference": 1,
    },
    # batches of 4: sampled 250, ends 3, held-out 3 x 75, counterfactual 2
    "artbench": {
        "make_design": 1 + 250 + 3 + 225 + 2,
        "train_models": 2 + (250 + 3 + 225) + (225 + 3 + 2),
        "generate_images": 3 + (250 + 3 + 225) + (225 + 3 + 2),
        "extract_features": 3 + (250 + 3 + 225) + (225 + 3 + 2),
        "measure_property": 4 + (250 + 3 + 225) + (225 + 3 + 2),
        "collect_list_utilities": 3 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 3,
        "encode_inputs": 1,
    },
    # batches of 2: sampled 250, ends 5, held-out 32, counterfactual 3
    "cifar10_fid": {
        "make_design": 1 + 250 + 5 + 32 + 3,
        "train_models": 2 + (250 + 5 + 32) + (32 + 5 + 3),
        "generate_images": 3 + (250 + 5 + 32) + (32 + 5 + 3),
        "extract_features": 3 + (250 + 5 + 32) + (32 + 5 + 3),
        "measure_property": 4 + (250 + 5 + 32) + (32 + 5 + 3),
        "collect_list_utilities": 1 * 2 + 2,
        "attribute_contributors": 2,
        "fetch_weights": 1,
        "fit_reference": 1,
    },
}


def shipped(workspace: Workspace, name: str) -> Workspace:
    workspace.config = yaml.safe_load((ROOT / f"config/studies/{name}.yaml").read_text())
    return workspace


@pytest.mark.parametrize("name", JOBS)
def test_a_study_plans_the_jobs_that_it_needs(workspace: Workspace, name: str) -> None:
    planned = shipped(workspace, name).planned()
    assert {rule: planned.get(rule, 0) for rule in JOBS[name]} == JOBS[name]
    assert ("encode_inputs" in planned) == (name in ("celebahq", "artbench"))
