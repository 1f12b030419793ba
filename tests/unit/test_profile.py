"""The cluster's profile against the rules."""

import re

import yaml
from studies import ROOT


def test_every_rule_that_takes_a_gpu_has_a_partition_to_find_one_in() -> None:
    text = "\n".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    rules = re.findall(
        r"^(?:use rule (\w+) as |rule )(\w+)(?: with)?:\n(.*?)(?=^\S)", text + "end", re.MULTILINE | re.DOTALL
    )
    with_gpu = {name for _, name, body in rules if "gpu=" in body}
    with_gpu |= {name for of, name, body in rules if of in with_gpu and "resources:" not in body}
    assert with_gpu == set(yaml.safe_load((ROOT / "slurm/config.yaml").read_text())["set-resources"])
    documented = set(re.findall(r"^  (\w+): [&*]gpu", (ROOT / "docs/cluster.md").read_text(), re.MULTILINE))
    assert with_gpu == documented
