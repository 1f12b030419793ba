"""`snakemake --report` on the finished tiny study: everything is in it, explained, and it loads nothing."""

import base64
import re

import pytest
from reports import Loaded, Report, plain
from studies import Workspace

pytestmark = pytest.mark.workflow
DRAWN = ["lds", "league", "budget", "fidelity", "counterfactual"]  # tables with a figure
OF_A_PROPERTY = {
    "attribution": ["ridge.csv", "ridge.png", "paper.csv", "paper.png"],
    "evaluation": [*(f"{name}.{kind}" for name in DRAWN for kind in ("csv", "png")), "noise.csv", "cost.csv"],
}
OF_THE_STUDY = ["learning.csv", "models.csv", "models.png", "runtime.csv", "contributor.png"]
PLACES = {  # path below the results -> where the report has it
    **{
        f"{stage}/{name}/{file}": (stage.capitalize(), name, file)
        for stage, files in OF_A_PROPERTY.items()
        for name in ("inception_score", "fid", "cluster_entropy")
        for file in files
    },
    **{f"evaluation/{file}": ("Evaluation", "whole study", file) for file in OF_THE_STUDY},
    "payout.csv": ("Payout", "whole study", "payout.csv"),
}


@pytest.fixture(scope="module")
def report(finished: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return Report(finished, tmp_path_factory.mktemp("report"))


def test_every_final_table_and_figure_has_its_place(report: Report, finished: Workspace) -> None:
    kinds = {"table": "csv", "figure": "png"}
    found = {
        path.removeprefix("results/tiny/"): (
            result["category"],
            result["subcategory"],
            f"{result['labels']['name']}.{kinds[result['labels']['kind']]}",
        )
        for path, result in report.results.items()
    }
    assert found == PLACES
    assert len(set(found.values())) == len(found)  # Snakemake's page hides all but one of equal labels
    files = [path for stage in OF_A_PROPERTY for path in (finished.results / stage).rglob("*") if path.is_file()]
    assert {str(path.relative_to(finished.results)) for path in files} == set(PLACES) - {"payout.csv"}


def test_every_result_is_explained_and_says_what_its_interval_is(report: Report) -> None:
    for path, result in report.results.items():
        text = report.caption(path)
        assert 2 <= len(re.findall(r"[.?](?: |$)", text)) <= 6, (path, text)
        assert "interval" in text, path
        assert result["subcategory"] == "whole study" or re.search(rf"\b{result['subcategory']}\b", text), path
        assert result["category"] != "Attribution" or f"by the method {result['labels']['name']};" in text, path
    assert "the study tiny," in plain(report.about)
    assert "system-message" not in report.page  # docutils' complaints


def test_the_report_holds_the_files_and_loads_nothing(report: Report, finished: Workspace) -> None:
    for path, result in report.results.items():
        kind, content = result["data_uri"].split(",", 1)
        assert kind.startswith("data:")
        assert base64.b64decode(content) == (finished.folder / path).read_bytes()
    assert not Loaded(report.page).foreign
