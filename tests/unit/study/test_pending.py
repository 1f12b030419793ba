"""The words for why a job has to run, and what they are about."""

from pathlib import Path
from typing import Any

import pytest

from diffusion_credit.study.progress.pending import Job, Pending, whys


def job(output: str, *inputs: str, reason: str = "", before: Any = (), now: Any = (), **fields: Any) -> Job:
    values = {"rule": "make", "made_from": len(inputs), "params": {}} | fields
    return Job(
        inputs=[*inputs], outputs=[output], reason=reason, before=[*map(repr, before)], now=[*map(repr, now)], **values
    )


STEPS = {"training": {"steps": 30, "flip": False}, "seed": 1}
REASONS: dict[str, tuple[dict[str, Any], str | None]] = {
    "an option": (
        {"before": [STEPS], "now": [{**STEPS, "training": {"steps": 31, "flip": False}}]},
        "training.steps was 30, is 31",
    ),
    "an option of a regime": (
        {
            "before": [STEPS],
            "now": [{**STEPS, "training": {"steps": 31, "flip": False}}],
            "rule": "train_models",
            "params": {"options": {"regime": "retrain"}},
        },
        "regimes.retrain.steps was 30, is 31",
    ),
    "two options": (
        {"before": [STEPS], "now": [{"training": {"steps": 31, "flip": True}, "seed": 1}]},
        "training.steps was 30, is 31; training.flip was False, is True",
    ),
    "more than three": (
        {"before": [dict.fromkeys("abcde", 1)], "now": [dict.fromkeys("abcde", 2)]},
        "a was 1, is 2; b was 1, is 2; c was 1, is 2; 2 more changes",
    ),
    "a new key": ({"before": [{}], "now": [{"alpha": 0.5}]}, "alpha has changed"),
    "a long value": ({"before": [{"names": ["x" * 99]}], "now": [{"names": []}]}, "names has changed"),
    "code": ({"before": ["0" * 64], "now": ["a" * 64]}, "its code or raw files have changed"),
    "a value without a name": ({"before": [8], "now": [10]}, "an option was 8, is 10"),
    "one that is no literal": ({"before": [float("nan")], "now": [1.5]}, "an option was 'nan', is 1.5"),
    "more files": ({"made_from": 1}, "the number of files that it is made from was 1, is 2"),
    "other files": (
        {"reason": "Set of input files has changed since last execution"},
        "made from other files than it is to be made from",
    ),
    "a newer file": ({"reason": "Updated input files: a, b; and so on"}, "older than a and 1 more"),
    "another job": ({"reason": "Input files updated by another job: a"}, None),
    "nothing there": ({"reason": "Missing output files: out; Updated input files: a"}, None),
}


@pytest.mark.parametrize("name", REASONS)
def test_a_reason_is_said_in_plain_words(name: str) -> None:
    fields, expected = REASONS[name]
    assert job("out", "a", "b", **fields).why() == expected


def test_equal_reasons_of_a_rule_are_one_line() -> None:
    edit = {"before": [{"steps": 1}], "now": [{"steps": 2}]}
    jobs = [job(f"results/x/models/full/{batch}/manifest.json", **edit) for batch in (2, 1)]
    jobs.append(job("results/x/report.html", rule="other", **edit))
    assert whys(jobs, Path("results/x")) == [
        "models/full/1 and 1 more: steps was 1, is 2",
        "report.html: steps was 1, is 2",
    ]


def test_only_a_manifest_passes_on_that_its_entries_cannot_stay() -> None:
    """A list of subsets may come out as it was, although an option of it has changed."""
    edit = {"before": [1], "now": [2]}
    pending = Pending(
        [
            job("models/manifest.json", **edit),
            job("images/manifest.json", "models/manifest.json"),
            job("values.csv", "images/manifest.json"),
            job("design.csv", "values.csv", **edit),
            job("others/manifest.json", "design.csv"),
        ]
    )
    assert pending.differing == {"models/manifest.json", "images/manifest.json"}
    assert [found.outputs[0] for found in pending.behind(["values.csv"])] == [
        "values.csv",
        "images/manifest.json",
        "models/manifest.json",
    ]


def test_the_entries_of_a_list_that_only_gets_another_end_stay() -> None:
    def follows(file: str) -> str:
        return f"Input files updated by another job: {file}"

    def chain(**of_design: Any) -> Pending:
        return Pending(
            [
                job("design.csv", "index.json", rule="make_design", **of_design),
                job("models/manifest.json", "design.csv", "index.json", reason=follows("design.csv")),
                job("images/manifest.json", "models/manifest.json", reason=follows("models/manifest.json")),
                job("values.csv", "images/manifest.json", reason=follows("images/manifest.json")),
                job("others/manifest.json", "values.csv", reason=follows("values.csv")),
            ]
        )

    assert chain(before=[23], now=[25]).resized == {"design.csv", "models/manifest.json", "images/manifest.json"}
    assert chain(before=[{"kind": "a"}], now=[{"kind": "b"}]).resized == set()
    assert chain(before=[23, "0" * 64], now=[25, "1" * 64]).resized == set()
    longer = chain(before=[23], now=[25])
    assert Pending([*longer.jobs, job("index.json")]).resized == set()
    newer = job("models/manifest.json", "design.csv", reason=follows("design.csv") + "; Updated input files: b")
    assert Pending([longer.jobs[0], newer]).resized == {"design.csv"}


def test_an_entry_is_kept_that_was_made_with_the_params_of_now() -> None:
    section, flat = {"kind": "fid", "clusters": 3}, {"training": {"steps": 3}, "seed": 1}
    provenance = {"property": section, "code": "c", "source": "d"}
    assert job("out", params={"options": section, "code": "c"}).makes(provenance)
    assert not job("out", params={"options": section, "code": "other"}).makes(provenance)
    assert not job("out", params={"options": {**section, "clusters": 4}, "code": "c"}).makes(provenance)
    model = {**flat, "seed": 77, "device": "cpu", "code": "c"}  # a model's own seed
    assert job("out", params={"options": flat, "device": "cpu", "code": "c"}).makes(model)
    assert not job("out", params={"options": {**flat, "training": {"steps": 4}}, "code": "c"}).makes(model)
