"""Unlearning as further regimes of the workflow."""

from pathlib import Path

import pandas as pd
from studies import TRAINING, Workspace


def test_unlearning_stands_beside_the_other_regimes(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path / "copy")
    workspace.config["regimes"] |= {
        "gradient_ascent": {**TRAINING, "learning_rate": 0.0001},
        "influence": {"gradients": 4, "batch_size": 8, "damping": 1.0},
        "unlearn": {**TRAINING, "neighbours": 2, "forget_weight": 1.0},
    }
    unlearning = ("gradient_ascent", "influence", "unlearn")
    workspace.config["evaluation"]["lds"]["regimes"] += unlearning
    table = "evaluation/inception_score/fidelity.csv"
    kept = [f"images/{regime}/anchors/0000/manifest.json" for regime in unlearning]
    process = workspace.run(*(f"results/tiny/{file}" for file in (table, *kept)))
    assert process.returncode == 0, process.stdout

    fidelity = pd.read_csv(workspace.results / table)
    assert set(fidelity.regime) == {"sparse", "finetune", *unlearning}
    before = workspace.manifest("images/full/everyone/0000/everyone-0")["files"]
    for regime in unlearning:
        # with nothing left out there is nothing to unlearn
        for everyone in ("everyone-0", "everyone-1"):
            assert workspace.manifest(f"images/{regime}/anchors/0000/{everyone}")["files"] == before
        assert workspace.manifest(f"images/{regime}/anchors/0000/empty-0")["files"] != before
        held_out = workspace.results / f"images/{regime}/held_out_0.5/0000"
        made = [workspace.manifest(path.parent)["files"] for path in held_out.glob("*/manifest.json")]
        assert len(made) == 8
        assert before not in made
