"""The workflow inside of another one, and in folders whose names hold whatever a name may hold."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from studies import ROOT, Workspace, tiny_config

pytestmark = pytest.mark.workflow

OUTER = """
configfile: "config/config.yaml"

module credit:
    snakefile: "../{checkout}/Snakefile"
    prefix: "made here"
    config: config["credit"]

use rule * from credit as credit_*

module second:
    snakefile: "../{checkout}/Snakefile"
    config: config["second"]

use rule * from second as second_*

rule tell:
    default_target: True
    input:
        rules.credit_all.input,
        document="made here/results/tiny/credit.json",
    output:
        "told.json",
    shell:
        "cp {{input.document:q}} {{output:q}}"
"""


def outer(folder: Path, checkout: Path) -> Path:
    """Another workflow, which has two studies of this one, each in a key of its own config."""
    folder.mkdir()
    (folder / "config").mkdir()
    studies = {"credit": tiny_config(), "second": {**tiny_config(), "study": "other"}, "mine": 1}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(studies))
    (folder / "Snakefile").write_text(OUTER.format(checkout=checkout.name))
    return folder


def snakemake(folder: Path, checkout: Path, *arguments: str) -> str:
    """What a run prints, where the library of the checkout is installed."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *arguments]
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / ".cache")}
    environment["PYTHONPATH"] = str(checkout / "workflow/scripts")
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout + process.stderr


def test_a_whole_study_runs_inside_of_another_workflow(finished: Workspace, tmp_path: Path) -> None:
    checkout = Workspace(tmp_path / "a {x} 'check' out")
    folder = outer(tmp_path / "my own work", checkout.folder)
    planned = ("--dry-run", "results/other/report.html", "--config", 'second={"design": {"subsets": 16}}')
    assert "second_write_report" in snakemake(folder, checkout.folder, *planned)
    snakemake(folder, checkout.folder)
    results = folder / "made here/results/tiny"
    assert json.loads((folder / "told.json").read_text()) == json.loads((results / "credit.json").read_text())
    assert not (folder / "results").exists()
    # the same study by itself: the same bytes, wherever they lie
    for name in ("attribution/fid/ridge", "utilities/inception_score", "evaluation/fid/lds", "designs/sampled/0000"):
        assert (results / f"{name}.csv").read_bytes() == (finished.results / f"{name}.csv").read_bytes()
    league = [pd.read_csv(where / "evaluation/fid/league.csv") for where in (results, finished.results)]
    assert league[0].drop(columns="cpu_hours", errors="ignore").columns.tolist() == league[1].columns.tolist()
    assert "Nothing to be done" in snakemake(folder, checkout.folder)


def test_a_module_leaves_the_other_workflow_alone_and_takes_no_other_library(tmp_path: Path) -> None:
    """The interpreter of the tests has this checkout's library, the module is of another one."""
    folder = outer(tmp_path / "outer", Workspace(tmp_path / "inner").folder)
    with (folder / "Snakefile").open("a") as stream:
        stream.write('rule mine:\n    output: "environment.txt"\n    shell: "env > {output}"\n')
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "environment.txt", "results/other/index/index.json"]
    process = subprocess.run([*command, "--keep-going"], cwd=folder, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "inner" not in (folder / "environment.txt").read_text()
    log = (folder / "results/other/logs/index.log").read_text()
    assert f"found the library of {ROOT}/workflow/scripts, expected the one beside the module's scripts" in log
    assert "Traceback" not in log


def test_a_mistake_in_the_modules_config_is_one_sentence(tmp_path: Path) -> None:
    folder = outer(tmp_path / "outer", Workspace(tmp_path / "inner").folder)
    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    config["credit"]["trainings"] = config["credit"].pop("training")
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--dry-run"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    assert "config: trainings: found an unknown key" in (said := process.stdout + process.stderr)
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["my{x}proj", 'it\'s "mine"', "ünï 画 $HOME `id`", "100% & more; {", "-n"])
def test_a_checkout_runs_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    workspace = Workspace(tmp_path / name)
    process = workspace.run("results/tiny/models/full/everyone/0000/manifest.json", "results/tiny/index/checked.json")
    assert process.returncode == 0, process.stdout
    assert (workspace.results / "models/full/everyone/0000/everyone-0/diffusion_pytorch_model.safetensors").is_file()


def test_numbers_in_a_section_of_the_command_line_reach_every_job(workspace: Workspace) -> None:
    told = '{"lds": {"subsets": 4}, "counterfactual": {"replicates": 3}}'
    process = workspace.run("results/tiny/index/checked.json", "--config", "seed=3", f"evaluation={told}")
    assert process.returncode == 0, process.stdout
    process = workspace.run("--dry-run", "--config", 'design={"subsets": "ten"}')
    assert "config: design.subsets: found 'ten', expected a valid integer" in process.stdout


def test_make_takes_a_study_whose_name_has_blanks(tmp_path: Path) -> None:
    process = subprocess.run(
        ["make", "--dry-run", "run", "STUDY=config/my study.yaml"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert process.stdout.count('"config/my study.yaml"') == 2
