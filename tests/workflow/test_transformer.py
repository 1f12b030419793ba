"""A transformer by flow matching, from its training to the values of one property."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studies import TRAINING, Workspace

from diffusion_credit.base.tables import read_subsets
from diffusion_credit.models.checkpoints import load_model

pytestmark = pytest.mark.workflow

TARGETS = [f"results/tiny/attribution/fid/{name}.csv" for name in ("ridge", "told")]
UTILITIES = {"ridge": "utilities/fid.csv", "told": "utilities/fid/conditional_game_told.csv"}


@pytest.fixture(scope="module")
def credited(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("dit") / "study")
    workspace.config |= {
        "model": {"kind": "dit", "width": 16, "heads": 2, "layers": 2},
        "diffusion": {"schedule": "flow"},
        "generation": {"images": 12, "solver": "flow_euler", "steps": 2},
        "properties": {"fid": {"kind": "fid", "extractor": "classifier"}},
        "games": {"told": {"kind": "paired-stratified", "regime": "conditional", "subsets": 16}},
        "estimators": {"ridge": {"kind": "ridge"}, "told": {"kind": "ridge", "game": "told"}},
    }
    workspace.config["regimes"]["conditional"] = TRAINING
    process = workspace.run(*TARGETS)
    assert process.returncode == 0, process.stdout
    return workspace


@pytest.mark.parametrize("estimator", UTILITIES)
def test_the_values_sum_to_what_everyone_adds(credited: Workspace, estimator: str) -> None:
    values = pd.read_csv(credited.results / f"attribution/fid/{estimator}.csv")["value"]
    tables = [credited.results / UTILITIES[estimator]]
    if estimator == "told":
        tables.append(credited.results / "utilities/fid/conditional_anchors.csv")
    found: dict[bool, list[float]] = {True: [], False: []}
    for table in tables:
        ends = read_subsets(table, valued=True)
        assert ends.value is not None
        for members, value in zip(ends.members, ends.value, strict=True):
            if members.all() or not members.any():
                found[bool(members.all())].append(value)
    assert len(values) == 5 and values.sum() == pytest.approx(np.mean(found[True]) - np.mean(found[False]))


def test_nothing_is_left_to_do(credited: Workspace) -> None:
    assert credited.planned(*TARGETS) == {}


def shapes(credited: Workspace, regime: str, name: str) -> dict[str, tuple[int, ...]]:
    model, _ = load_model(next(Path(credited.results / f"models/{regime}/{name}").glob("*/*/manifest.json")).parent)
    return {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}


def test_subsets_models_have_half_of_the_heads_and_units(credited: Workspace) -> None:
    full, sparse = (shapes(credited, *of) for of in (("full", "everyone"), ("sparse", "sampled")))
    query, unit = "transformer_blocks.1.attn1.to_q.weight", "transformer_blocks.1.ff.net.0.proj.weight"
    assert (full[query], full[unit]) == ((16, 16), (64, 16))
    assert (sparse[query], sparse[unit]) == ((8, 16), (32, 16))


def test_the_conditional_model_has_a_class_for_each_contributor(credited: Workspace) -> None:
    table = "transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight"
    # nobody and five, and diffusers' own row for none
    assert shapes(credited, "conditional", "everyone")[table] == (1 + 5 + 1, 16)
    assert len({len(shapes(credited, *of)[table]) for of in (("full", "everyone"), ("sparse", "sampled"))} - {2}) == 0
